package replica

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"github.com/riverqueue/river/rivertype"

	"github.com/fxtasks/background/fxtasks"
)

// attempt is one attempt at a job that runs here.
type attempt struct {
	// Written before it is published, only read after.
	row    *rivertype.JobRow
	began  time.Time
	cancel context.CancelCauseFunc // of its task's context

	task atomic.Pointer[fxtasks.Task] // nil until it has started
	lost atomic.Bool                  // the job is no longer this replica's: nothing it returns may be written

	stored time.Time // of the report of progress that was stored last; protected by the set's mutex
}

func (a *attempt) key() Attempt { return Attempt{a.row.ID, a.row.Attempt} }

// activeSet is what runs here.
type activeSet struct {
	mu sync.Mutex // protects what follows

	running map[*rivertype.JobRow]*attempt
	// ended are attempts that have returned, whose results River may not have written yet.
	ended map[Attempt]time.Time
}

func newActiveSet() *activeSet {
	return &activeSet{running: make(map[*rivertype.JobRow]*attempt), ended: make(map[Attempt]time.Time)}
}

func (s *activeSet) add(a *attempt) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.running[a.row] = a
}

func (s *activeSet) remove(a *attempt) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.running, a.row)
	s.ended[a.key()] = time.Now()
}

// has reports whether it is this very row that runs here: River's rescuer asks with one of its own.
func (s *activeSet) has(row *rivertype.JobRow) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.running[row] != nil
}

func (s *activeSet) all() []*attempt {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := make([]*attempt, 0, len(s.running))
	for _, a := range s.running {
		all = append(all, a)
	}
	return all
}

// hasEnded reports whether the attempt has returned here.
func (s *activeSet) hasEnded(key Attempt) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	_, ok := s.ended[key]
	return ok
}

// forgetEnded lets go of attempts that had ended by then and that the database no longer says run.
func (s *activeSet) forgetEnded(by time.Time, owned map[Attempt]bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for key, at := range s.ended {
		if at.Before(by) && !owned[key] {
			delete(s.ended, key)
		}
	}
}
