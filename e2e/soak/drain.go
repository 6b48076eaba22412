package main

import (
	"context"
	"sync"
	"time"

	"github.com/fxtasks/background/e2e/soak/checks"
	"github.com/fxtasks/background/fxtasks"
)

// startDrain starts the drain, several times at once perhaps, with one ctx or another, and lets everything go on for a while.
func (r *round) startDrain(l luck) {
	var ctx context.Context
	d := checks.Drain{Budget: r.config.ShutdownTimeout}
	switch l.IntN(3) {
	case 0:
		r.tally.fault("drain with a deadline")
		limited, cancel := context.WithTimeout(context.Background(), l.upTo(300*time.Millisecond))
		defer cancel()
		ctx = limited
	case 1:
		r.tally.fault("drain with a ctx that has ended") // which is none of its concern
		ended, cancel := context.WithCancel(context.Background())
		cancel()
		ctx = ended
	}
	ends := make(chan time.Time, 1+r.stop.rivals)
	var all sync.WaitGroup
	d.Called = time.Now()
	if ctx != nil {
		if end, ok := ctx.Deadline(); ok {
			d.Budget = min(d.Budget, max(0, end.Sub(d.Called)))
		}
	}
	for range cap(ends) {
		all.Go(func() { ends <- r.manager.StartDrain(ctx) })
	}
	r.within("StartDrain to return", all.Wait)
	d.Returned, d.End = time.Now(), <-ends
	for range cap(ends) - 1 {
		if end := <-ends; !end.Equal(d.End) {
			r.findings.Addf("one StartDrain gave %v, another one %v", d.End, end)
		}
	}
	r.drainEnd = d.End
	r.ledger.Drain(d)
	if s := r.manager.State(); s != fxtasks.Draining {
		r.findings.Addf("the manager is %v after StartDrain, want %v", s, fxtasks.Draining)
	}
	r.tally.beats.Add(1)
	for _, group := range r.targets { // of both the audit wants to know whether it was right to take them
		for _, grace := range []time.Duration{0, time.Hour} {
			sub := r.plain(group, &returning)
			sub.order.Grace = grace
			sub.opts = append(sub.opts, fxtasks.WithDrainGrace(grace))
			r.place(context.Background(), sub)
		}
	}
	time.Sleep(l.upTo(pick(l, time.Millisecond, 100*time.Millisecond)))
}
