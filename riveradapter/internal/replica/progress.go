package replica

import (
	"context"
	"sync"
	"time"

	"go.uber.org/zap"

	"github.com/fxtasks/background/riveradapter/internal/pgtext"
)

const progressEvery = time.Second

// progressStore stores how far the jobs that run here are, so that every replica can show it.
type progressStore[TTx any] struct {
	r *Replica[TTx]

	mu   sync.Mutex         // protects what follows
	last map[int64]Progress // of attempts that have ended, to be stored still
}

// run stores once a second until ctx ends.
func (s *progressStore[TTx]) run(ctx context.Context) {
	tick := time.NewTicker(progressEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			s.store(ctx)
		}
	}
}

// ended keeps the last report of an attempt for the next time.
func (s *progressStore[TTx]) ended(a *attempt) {
	s.r.active.mu.Lock()
	report, ok := a.reportLocked()
	s.r.active.mu.Unlock()
	if !ok {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.last[report.JobID] = report
}

func (s *progressStore[TTx]) store(ctx context.Context) {
	s.mu.Lock()
	ended := s.last
	s.last = make(map[int64]Progress)
	s.mu.Unlock()
	reports := s.r.active.reports()
	for id, report := range ended {
		if _, ok := reports[id]; !ok {
			reports[id] = report
		}
	}
	if len(reports) == 0 {
		return
	}
	list := make([]Progress, 0, len(reports))
	for _, report := range reports {
		report.Unit, report.Message = pgtext.Clean(report.Unit), pgtext.Clean(report.Message)
		list = append(list, report)
	}
	if err := s.r.db.StoreProgress(ctx, list); err != nil && ctx.Err() == nil {
		s.r.log.Warn("the progress of durable jobs could not be stored", zap.Error(err)) // the next report will be
	}
}

// reports gives what the attempts that run have reported since they were asked last.
func (s *activeSet) reports() map[int64]Progress {
	s.mu.Lock()
	defer s.mu.Unlock()
	reports := make(map[int64]Progress)
	for _, a := range s.running {
		if report, ok := a.reportLocked(); ok {
			reports[report.JobID] = report
		}
	}
	return reports
}

func (a *attempt) reportLocked() (Progress, bool) {
	t := a.task.Load()
	if t == nil || a.row.AttemptedAt == nil {
		return Progress{}, false
	}
	p := t.Info().Progress
	if !p.UpdatedAt.After(a.stored) {
		return Progress{}, false
	}
	a.stored = p.UpdatedAt
	return Progress{JobID: a.row.ID, AttemptedAt: *a.row.AttemptedAt, Progress: p}, true
}
