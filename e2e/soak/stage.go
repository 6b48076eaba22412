package main

import (
	"context"
	"maps"
	"slices"

	"github.com/fxtasks/background/e2e/soak/checks"
	"github.com/fxtasks/background/fxtasks"
)

// stage is where the function of one task acts, in one attempt.
type stage struct {
	luck
	r       *round
	entry   *checks.Entry
	attempt int
	self    *fxtasks.Task
	ctx     context.Context
	depth   int
	then    func(*act) bool // as in the submission

	slot bool // it holds one, as far as can be told from outside
}

// perform is the function of every task, in every attempt.
func (r *round) perform(ctx context.Context, e *checks.Entry, sub submission) error {
	r.tally.beats.Add(1)
	attempt := e.Begins(ctx)
	self, _ := fxtasks.FromContext(ctx)
	if n := marksOf(ctx, self); r.middleware && n != 2 {
		r.findings.Addf("submit %d: its function is called inside of %d middleware, want 2", e.N, n)
	}
	l := newLuck(r.seed+uint64(attempt-1)<<40, uint64(r.number)<<32+1<<31+uint64(e.N))
	s := &stage{luck: l, r: r, entry: e, attempt: attempt, self: self, ctx: ctx, depth: sub.depth, then: sub.then}
	if alone := r.alone[e.ID]; alone != nil {
		alone.Enter()
		defer alone.Leave()
	}
	s.takeSlot()
	defer s.giveSlot()
	if sub.act.fault {
		r.tally.fault(sub.act.name)
	}
	return e.Returns(sub.act.play(s))
}

func (s *stage) takeSlot() {
	if s.entry.Run {
		return
	}
	s.slot = true
	for _, g := range s.r.gauges(s.entry.Group) {
		g.Enter()
	}
}

func (s *stage) giveSlot() {
	if !s.slot {
		return
	}
	s.slot = false
	for _, g := range s.r.gauges(s.entry.Group) {
		g.Leave()
	}
}

// lend makes a call that waits with the task's context: what it waits for may run beside it.
func (s *stage) lend(call func()) {
	s.r.lent.Store(true)
	s.giveSlot()
	call()
	if s.self.Info().CancelRequestedAt.IsZero() {
		s.takeSlot()
	}
}

// submit places a task from within this one.
func (s *stage) submit() placed {
	var p placed
	depth, ok := s.depth+1, s.then
	if s.r.config.MaxPending != 0 || slices.ContainsFunc(slices.Collect(maps.Values(s.r.groups)), func(g fxtasks.GroupConfig) bool { return g.MaxPending != 0 }) {
		s.r.pushing.Store(true) // this submit may be a blocking one
	}
	if ok == nil {
		ok = atDepth(depth)
	}
	s.lend(func() { // it may be a blocking one
		if s.oneIn(2) {
			sub := s.r.compose(s.luck, depth, ok)
			p = s.r.placeWith(s.ctx, s.r.ledger.Open(sub.order), sub)
			return
		}
		p = s.r.submit(s.ctx, s.luck, depth, ok)
	})
	return p
}
