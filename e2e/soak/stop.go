package main

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/fxtasks/background/e2e/soak/checks"
	"github.com/fxtasks/background/fxtasks"
)

// shutDown shuts down the manager, several times at once perhaps, and its groups before if that was
// drawn; all in one drain perhaps, as the stop hooks of an application do.
func (r *round) shutDown(l luck) {
	if r.stop.drain {
		r.startDrain(l)
	}
	if r.stop.drain || r.stop.groups {
		for _, group := range r.targets[1:] {
			r.shutDownOne(group, l)
		}
	}
	var all sync.WaitGroup
	for range 1 + r.stop.rivals {
		l := newLuck(l.Uint64(), 0)
		all.Go(func() {
			time.Sleep(l.upTo(time.Millisecond))
			r.shutDownOne("", l)
		})
	}
	r.within("Shutdown to return", all.Wait)
}

// shutdownOf gives the Shutdown of a group, or of the manager for "".
func (r *round) shutdownOf(group string) func(context.Context) (fxtasks.ShutdownReport, error) {
	if group == "" {
		return r.manager.Shutdown
	}
	return r.group[group].Shutdown
}

// shutDownOne shuts down a group, or the manager for "", with one ctx or another, and notes what
// that gave.
func (r *round) shutDownOne(group string, l luck) {
	s := checks.Shutdown{Group: group, Budget: r.config.ShutdownTimeout}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	switch l.IntN(6) {
	case 0:
		r.tally.fault("shutdown with a ctx that has ended")
		s.Cut = true
		cancel()
	case 1:
		r.tally.fault("shutdown cut short")
		s.Cut = true
		defer time.AfterFunc(l.upTo(200*time.Millisecond), cancel).Stop()
	case 2:
		r.tally.fault("shutdown with a deadline")
		limited, cancel := context.WithTimeout(ctx, l.upTo(200*time.Millisecond))
		defer cancel()
		ctx = limited
	}
	s.Called = time.Now()
	if end, ok := ctx.Deadline(); ok {
		s.Budget = min(s.Budget, max(0, end.Sub(s.Called)))
	}
	if r.stop.drain {
		s.Budget = min(s.Budget, max(0, r.drainEnd.Sub(s.Called)))
	}
	s.Report, s.Err = r.shutdownOf(group)(ctx)
	s.Returned, s.CtxErr = time.Now(), ctx.Err()
	r.ledger.ShutDown(s)
	r.tally.beats.Add(1)
}

// afterShutdown wants all to have come to an end but tasks that heed nothing, and the manager to answer
// still, but to take nothing.
func (r *round) afterShutdown() {
	now := time.Now()
	r.within("submits and tasks to end after Shutdown", func() {
		for r.ledger.Waits(now) || !r.onlyStubborn() {
			time.Sleep(time.Millisecond)
		}
	})
	if s := r.manager.State(); s != fxtasks.Stopped {
		r.findings.Addf("the manager is %v after Shutdown, want %v", s, fxtasks.Stopped)
	}
	if end := r.manager.StartDrain(context.Background()); r.stop.drain && !end.Equal(r.drainEnd) {
		r.findings.Addf("StartDrain gave %v after Shutdown, want %v", end, r.drainEnd)
	}
	if _, err := r.manager.Group("too late", fxtasks.GroupConfig{}); !errors.Is(err, fxtasks.ErrShuttingDown) {
		r.findings.Addf("Group gave %v after Shutdown", err)
	}
	for _, group := range r.targets {
		sub := r.plain(group, &returning)
		sub.block()
		r.place(context.Background(), sub) // the audit wants it to be refused
		if report, err := r.shutdownOf(group)(context.Background()); report.Status != "already_shutdown" || (err != nil) != (report.Remaining > 0) {
			r.findings.Addf("another Shutdown of group %q gave %+v, %v", group, report, err)
		}
	}
}

// onlyStubborn says whether no task is active but those that the round has not let go.
func (r *round) onlyStubborn() bool {
	page := r.manager.List(checks.Active())
	for _, i := range page.Tasks {
		if e := r.ledger.Owner(nil, i); e == nil || !e.Hung() {
			return false
		}
	}
	return page.Next == ""
}
