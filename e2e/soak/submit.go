package main

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/fxtasks/background/e2e/soak/checks"
	"github.com/fxtasks/background/fxtasks"
)

// submission is one Submit that is to be called.
type submission struct {
	order checks.Order
	name  string          // as it is given: the order has "" for a bad one
	act   *act            // nil: no function is given
	depth int             // of tasks that submit tasks
	then  func(*act) bool // allows what tasks do that this one submits; nil: anything
	opts  []fxtasks.TaskOption
}

var (
	taskNames = []string{"send", "resize", "build", "sync"}
	sharedIDs = []string{"alpha", "beta", "gamma", "delta"} // few, so that they collide
)

// nameOf makes the name of a task, which tells its group too.
func nameOf(kind, group string) string {
	if group == "" {
		return kind
	}
	return kind + checks.GroupMark + group
}

// compose draws what to submit. depth is 0 for what no task submits.
func (r *round) compose(l luck, depth int, ok func(*act) bool) submission {
	sub := r.plain(pick(l, r.targets...), pickAct(l, ok))
	sub.depth = depth
	sub.order.Typed = l.oneIn(3)
	sub.name = nameOf(pick(l, taskNames...), sub.order.Group)
	sub.order.Name = sub.name
	if depth == 0 && l.oneIn(r.chosenIDs) { // a task that joins what waits for it would wait for ever, and rightly so
		sub.order.ID = pick(l, sharedIDs...)
		sub.order.Policy = pick(l, fxtasks.Reject, fxtasks.Join, fxtasks.Replace)
		sub.opts = append(sub.opts, fxtasks.WithID(sub.order.ID), fxtasks.WithDuplicate(sub.order.Policy))
	}
	sub.limitTime(l)
	if r.retries > 0 && l.oneIn(r.retries) {
		r.retry(l, &sub, ok)
	}
	if r.delays > 0 && l.oneIn(r.delays) {
		r.delay(l, &sub)
	}
	if l.oneIn(4) {
		sub.block()
	}
	if l.oneIn(60) {
		r.spoil(l, &sub)
	}
	return sub
}

// limitTime gives the task a timeout and a drain grace of its own, or does not.
func (s *submission) limitTime(l luck) {
	if l.oneIn(4) {
		s.order.Timeout = pick(l, 0, l.upTo(2*time.Millisecond), l.upTo(60*time.Millisecond), time.Hour)
		s.opts = append(s.opts, fxtasks.WithTimeout(s.order.Timeout))
	}
	if l.oneIn(4) {
		s.order.Grace = pick(l, 0, l.upTo(100*time.Millisecond), time.Hour)
		s.opts = append(s.opts, fxtasks.WithDrainGrace(s.order.Grace))
	}
}

// block makes the submit wait for room.
func (s *submission) block() {
	s.order.Blocking = true
	s.opts = append(s.opts, fxtasks.WithBlocking())
}

// plain gives a submission without options.
func (r *round) plain(group string, a *act) submission {
	sub := submission{name: nameOf(taskNames[0], group), act: a}
	sub.order = checks.Order{Act: a.name, Name: sub.name, Group: group}
	sub.order.MaxPending = r.limits(group).pending
	sub.order.Timeout, sub.order.Grace = r.durations(group)
	return sub
}

// spoil makes sub one that must be refused.
func (r *round) spoil(l luck, sub *submission) {
	r.tally.fault("invalid submit")
	sub.order.Invalid = true
	switch l.IntN(9) {
	case 0:
		sub.act = nil
	case 1:
		sub.name = pick(l, "", "nul\x00", "not UTF-8 \xff", strings.Repeat("long", 40))
		sub.order.Name = ""
	case 2:
		sub.opts = append(sub.opts, fxtasks.WithTimeout(-1))
	case 3:
		sub.opts = append(sub.opts, fxtasks.WithDrainGrace(-1))
	case 4:
		sub.opts = append(sub.opts, fxtasks.WithID(pick(l, "", ".", "..", "/", "\n")))
	case 5:
		sub.opts = append(sub.opts, fxtasks.WithDuplicate(fxtasks.Replace+1))
	case 6:
		sub.opts = append(sub.opts, nil)
	case 7:
		sub.opts = append(sub.opts, fxtasks.WithDelay(-1))
	case 8:
		sub.opts = append(sub.opts, fxtasks.WithRetry(fxtasks.Retry{MaxAttempts: -1}))
	}
}

// enough is after how many submits a round slows down.
const enough = 20_000

// crowd submits as most programs do: without options, and many at once.
func (r *round) crowd(l luck) {
	for !r.closing.Load() {
		sub := r.plain(pick(l, r.targets...), pick(l, &returning, &failing))
		sub.order.Bare = true
		var last placed
		for range 1 + l.IntN(60) {
			last = r.place(context.Background(), sub)
		}
		if last.Task() != nil {
			r.await(context.Background(), l, last)
		}
		if last.N > enough || last.Task() == nil {
			time.Sleep(5 * time.Millisecond)
		}
		time.Sleep(l.upTo(2 * time.Millisecond))
	}
}

// submitter submits one after the other, while not too many of them are active.
func (r *round) submitter(l luck) {
	const mostActive = 100
	var active []placed
	for !r.closing.Load() {
		p := r.submit(context.Background(), l, 0, atDepth(0))
		if p.Task() != nil {
			active = append(active, p)
		}
		if len(active) > mostActive {
			active = slices.DeleteFunc(active, func(p placed) bool { return p.Task().Status().Finished() })
		}
		switch {
		case len(active) > mostActive, l.oneIn(20) && len(active) > 0:
			r.await(context.Background(), l, active[0])
		case r.manager.State() != fxtasks.Open, p.N > enough:
			time.Sleep(2 * time.Millisecond)
		case r.pause > 0 && !l.oneIn(4): // some come in bursts
			time.Sleep(l.upTo(r.pause))
		}
	}
	for _, p := range active {
		<-p.Task().Done()
	}
}

// submit draws a submission and places it with ctx. A blocking one gives up after a while, or never.
func (r *round) submit(ctx context.Context, l luck, depth int, ok func(*act) bool) placed {
	sub := r.compose(l, depth, ok)
	if sub.order.Blocking && l.oneIn(2) {
		r.tally.fault("submit with a deadline")
		limited, cancel := context.WithTimeout(ctx, l.upTo(10*time.Millisecond))
		defer cancel()
		ctx = limited
	}
	return r.place(ctx, sub)
}
