package fxtasks_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"

	"go.uber.org/goleak"

	"github.com/fxtasks/background/fxtasks"
)

// ledger is what a round's submitters know of the tasks that were accepted from them.
type ledger struct {
	enough chan struct{} // closed when there are as many entries as want says

	mu      sync.Mutex // protects what follows
	want    int
	entries []*entry
}

type entry struct {
	task           *fxtasks.Task
	began, ended   atomic.Bool
	afterItsRecord atomic.Bool // fn ran when the record was final already
}

// submit gives false when the manager takes no more.
func (l *ledger) submit(t *testing.T, ctx context.Context, s fxtasks.Submitter, fn fxtasks.Func, opts ...fxtasks.TaskOption) bool {
	e := new(entry)
	task, err := s.Submit(ctx, "task", func(ctx context.Context) error {
		e.began.Store(true)
		if self, _ := fxtasks.FromContext(ctx); self.Status().Finished() {
			e.afterItsRecord.Store(true)
		}
		err := fn(ctx)
		e.ended.Store(true)
		return err
	}, opts...)
	switch {
	case err == nil:
		e.task = task
		l.mu.Lock()
		l.entries = append(l.entries, e)
		if len(l.entries) == l.want {
			close(l.enough)
		}
		l.mu.Unlock()
		return true
	case errors.Is(err, fxtasks.ErrQueueFull):
		runtime.Gosched() // lets the tasks that fill the queue go on
		return true
	case !errors.Is(err, fxtasks.ErrShuttingDown):
		t.Errorf("Submit: %v", err)
	}
	return false
}

// TestSubmitRacesWithShutdown has goroutines submit in every way while Shutdown runs: whatever was
// accepted has run to its end, or was cancelled before it began, or is named in the report.
func TestSubmitRacesWithShutdown(t *testing.T) {
	const rounds = 2000
	before := goleak.IgnoreCurrent()
	accepted, stuck := 0, 0
	for round := range rounds {
		m, err := fxtasks.New(fxtasks.Config{MaxRunning: 2, MaxPending: 2})
		if err != nil {
			t.Fatal(err)
		}
		g, err := m.Group("eu", fxtasks.GroupConfig{MaxRunning: 1})
		if err != nil {
			t.Fatal(err)
		}
		l := ledger{enough: make(chan struct{}), want: 1 + round%20} // so that it does not always meet the same moment
		var submitters sync.WaitGroup
		keepOn := func(once func() bool) {
			submitters.Go(func() {
				for once() {
				}
			})
		}
		ctx := t.Context()
		keepOn(func() bool { return l.submit(t, ctx, m, nothing) })
		keepOn(func() bool {
			return l.submit(t, ctx, g, untilCancelled, fxtasks.WithBlocking(), fxtasks.WithTimeout(1))
		})
		keepOn(func() bool {
			return l.submit(t, ctx, m, nothing, fxtasks.WithBlocking(), fxtasks.WithID("x"), fxtasks.WithDuplicate(fxtasks.Replace))
		})
		keepOn(func() bool {
			return l.submit(t, ctx, g, func(inner context.Context) error {
				l.submit(t, inner, m, nothing)
				l.submit(t, inner, g, nothing, fxtasks.WithBlocking())
				return nil
			})
		})

		<-l.enough
		budget, spend := context.WithCancel(ctx)
		if round%2 == 1 {
			spend() // none: what runs is reported as stuck
		}
		report, _ := m.Shutdown(budget)
		spend()
		active := m.List(fxtasks.Filter{Statuses: []fxtasks.Status{fxtasks.Pending, fxtasks.Running}, Limit: 1000}).Tasks
		atTheEnd := m.Stats()
		submitters.Wait()
		if err := m.Wait(ctx); err != nil {
			t.Fatal(err)
		}

		named := make(map[string]bool)
		for _, s := range report.Stuck {
			named[s.Info.ID+fmt.Sprint(s.Info.Seq)] = true
		}
		for _, info := range active {
			if !named[info.ID+fmt.Sprint(info.Seq)] {
				t.Errorf("round %d: after Shutdown task %d is %v and not in the report", round, info.Seq, info.Status)
			}
		}
		if round%2 == 0 && (report.Status != "completed" || len(report.Stuck) > 0) {
			t.Errorf("round %d: the report says %+v", round, report)
		}
		if report.Initial != report.Returned+report.Remaining || report.Cancelled > report.Returned || report.Remaining != len(report.Stuck) {
			t.Errorf("round %d: the report does not add up: %+v", round, report)
		}
		if after := m.Stats().Submitted; after != atTheEnd.Submitted || after != uint64(len(l.entries)) {
			t.Errorf("round %d: %d tasks at the end of Shutdown, %d later, %d accepted", round, atTheEnd.Submitted, after, len(l.entries))
		}
		for _, e := range l.entries {
			info := e.task.Info()
			switch ran := e.began.Load(); {
			case !info.Status.Finished(), ran != e.ended.Load(), ran == info.StartedAt.IsZero(), e.afterItsRecord.Load(),
				!ran && info.Status != fxtasks.Cancelled:
				t.Errorf("round %d: task %d began %v, ended %v, and its record says %+v", round, info.Seq, ran, e.ended.Load(), info)
			}
		}
		accepted += len(l.entries)
		stuck += len(report.Stuck)
	}
	if accepted < 2*rounds || stuck == 0 {
		t.Errorf("only %d tasks were accepted and %d reported as stuck in %d rounds: nothing raced", accepted, stuck, rounds)
	}
	goleak.VerifyNone(t, before)
}
