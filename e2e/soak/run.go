package main

import (
	"context"
	"time"

	"github.com/fxtasks/background/e2e/soak/checks"
	"github.com/fxtasks/background/fxtasks"
)

// untilEnd is what only a task does whose context is certain to end.
var untilEnd = act{name: "wait for the end of its context", play: func(s *stage) error {
	<-s.ctx.Done()
	return context.Cause(s.ctx)
}}

// caller is one who has a scheduler of his own: he runs tasks himself, one after the other.
func (r *round) caller(l luck) {
	for !r.closing.Load() {
		sub := r.composeRun(l)
		ctx, cancel := context.WithCancelCause(context.Background())
		if sub.order.Ends != nil {
			end := func() { cancel(sub.order.Ends) }
			if after := l.upTo(20 * time.Millisecond); l.oneIn(5) {
				end()
			} else {
				time.AfterFunc(after, end)
			}
		}
		r.run(ctx, sub)
		cancel(nil)
		time.Sleep(l.upTo(5 * time.Millisecond))
	}
}

// composeRun draws what to run.
func (r *round) composeRun(l luck) submission {
	sub := r.plain(pick(l, r.targets...), pickAct(l, atDepth(0)))
	sub.order.Run, sub.order.MaxPending = true, 0
	if l.oneIn(3) {
		sub.order.Ends = &checks.Cause{For: "the caller of Run"}
		if l.oneIn(2) {
			sub.act = &untilEnd
			sub.order.Act = sub.act.name
		}
	}
	if l.oneIn(r.chosenIDs) {
		sub.order.ID = pick(l, sharedIDs...)
		sub.opts = append(sub.opts, fxtasks.WithID(sub.order.ID))
	}
	sub.limitTime(l)
	if l.oneIn(60) {
		r.tally.fault("invalid Run")
		sub.order.Invalid = true
		sub.opts = append(sub.opts, fxtasks.WithID("invalid"), pick(l, fxtasks.WithBlocking(), fxtasks.WithDelay(1),
			fxtasks.WithDuplicate(fxtasks.Join), fxtasks.WithRetry(fxtasks.Retry{MaxAttempts: 2}), fxtasks.WithTimeout(-1), nil))
	}
	return sub
}

// run runs sub with ctx, on a goroutine of its own, which the function may end.
func (r *round) run(ctx context.Context, sub submission) {
	e := r.ledger.Open(sub.order)
	ctx = context.WithValue(ctx, cargoKey{}, r.cargo.load(e.N, "the ctx of Run"))
	fn, opts := r.arm(ctx, e, sub)
	back := make(chan struct{})
	go func() {
		defer close(back)
		e.Calls(func() error { return r.target(sub.order.Group).Run(ctx, sub.name, fn, opts...) })
	}()
	<-back
	r.tally.beats.Add(1)
}

// probeRun wants a task to run at once that its caller runs: it needs no slot, and takes none.
func (r *round) probeRun(group string) {
	sub := r.plain(group, &returning)
	sub.order.Run, sub.order.MaxPending = true, 0
	r.within("Run to return, which needs no slot", func() { r.run(context.Background(), sub) })
}
