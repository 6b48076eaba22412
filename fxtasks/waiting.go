package fxtasks

import (
	"context"
	"slices"
)

// This file is about tasks that wait for tasks. Such a task keeps its slot and counts as waiting;
// all others that run are working. While fewer work than the limit allows, what a waiting task
// waits for may start ahead of its turn and beyond the number of slots, so that tasks which wait
// for tasks cannot deadlock a full manager. The alternative, to lend the slot meanwhile, makes the
// end of a wait depend on getting one back: it deadlocks tasks that hold a lock, and lets whoever
// has a task's context get round the limit.
//
// The limit is the number of places to work in, and a waiting task has left its place. It is starved while
// nothing of what it waits for runs, and its place is then reserved for what it waits for: working + starved
// never exceeds the limit, but for tasks that go on when their wait is over.
//
// In its own group, the place of a waiting task is reserved for as long as nothing of the group runs that
// it waits for, even while something of another group does, since it will need the place again after that.
// Only tasks that are awaited from other groups may take it, since its own wait may depend on them.

// ownTaskContext returns the context of the attempt that ctx belongs to, or nil if that is no task of this
// manager. The caller looks in a section whether that attempt still runs. It is not called in a section itself:
// a context can be the user's code.
func (m *Manager) ownTaskContext(ctx context.Context) *taskContext {
	c := taskContextOf(ctx)
	if c == nil || c.task.group.m != m {
		return nil
	}
	return c
}

// waitFor blocks until what w waits for has happened, and returns ctx's error if ctx ends first.
func (m *Manager) waitFor(ctx context.Context, w wait) error {
	if ctx == nil {
		return invalid("ctx is nil")
	}
	if c := m.ownTaskContext(ctx); c != nil {
		return m.waitAsTask(ctx, c, w)
	}
	cs := m.reg.enter()
	done := w.done(cs.r)
	cs.leave()
	if done == nil {
		return nil
	}
	return awaitClosed(ctx, done)
}

// waitAsTask is waitFor for the task that c belongs to: it counts as waiting meanwhile.
func (m *Manager) waitAsTask(ctx context.Context, c *taskContext, w wait) error {
	ended := ctx.Err() != nil // the call then returns at once, and must not count as waiting
	cs := m.reg.enter()
	done := w.done(cs.r)
	var call *wait
	if done != nil && c.task.ctx == c {
		if cs.r.wouldDeadlock(&w, c.task) {
			cs.leave()
			return invalid("task %q (%s) would wait for itself", c.task.name, c.task.ID())
		}
		if !ended {
			call = new(wait)
			*call = w
			call.waiter = c.task
			cs.beginWait(call)
		}
	}
	cs.leave()
	if done == nil {
		return nil
	}
	over := false
	defer func() { // ctx is the caller's code, and may panic or end the goroutine
		if !over && call != nil {
			m.endWait(call)
		}
	}()
	err := awaitClosed(ctx, done)
	over = err == nil
	return err
}

// done returns a channel that is closed when what w waits for has happened, or nil if it has already. w is not
// the wait of a blocked submit.
func (w *wait) done(r *registry) chan struct{} {
	if w.task != nil {
		return w.task.doneChan()
	}
	return r.idleOf(w.group)
}

// runs reports whether something of what w waits for runs. For the wait of a blocked submit it is false.
func (w *wait) runs() bool {
	if w.task != nil {
		return w.task.status == Running
	}
	return w.submit == nil && w.group.counts.Running > 0
}

// addServed notes that something of what w waits for runs now, or, with -1, that nothing of it does any longer.
func (w *wait) addServed(by int) {
	self := w.waiter.waits
	self.served += by
	if w.within() {
		self.servedWithin += by
	}
}

// updateWaitersOf notes for those who wait for t that it runs now, or, with -1, that it does not any longer.
func (cs *section) updateWaitersOf(t *Task, by int) {
	for _, w := range t.waits.awaitedBy {
		w.addServed(by)
		cs.reclassify(w.waiter)
	}
}

// updateGroupWaiters is updateWaitersOf for those who wait for all of g, when one more task of g runs, or, with -1,
// one less.
func (cs *section) updateGroupWaiters(g *Group, by int) {
	if len(g.awaitedBy) == 0 || by > 0 && g.counts.Running > 1 || by < 0 && g.counts.Running > 0 {
		return
	}
	for _, w := range g.awaitedBy {
		w.addServed(by)
		cs.reclassify(w.waiter)
	}
}

// reclassify counts t, which has waits, as what it is now: working or waiting, and starved or not.
func (cs *section) reclassify(t *Task) {
	w := t.waits
	waits := t.status == Running && len(w.calls) > 0
	waiting := waits && t.slot
	starved := waiting && w.served == 0
	starvedWithin := starved && w.within > 0
	adjust := func(was *bool, is bool, counts ...*int) {
		if *was == is {
			return
		}
		*was = is
		by := -1
		if is {
			by = 1
		}
		for _, c := range counts {
			*c += by
		}
	}
	all, g := &cs.r.all, t.group
	adjust(&w.counted, waits, &cs.r.waiting)
	adjust(&w.waiting, waiting, &all.waiting, &g.waiting)
	adjust(&w.starved, starved, &all.starved)
	adjust(&w.starvedWithin, starvedWithin, &g.starved)
	adjust(&w.reserves, waiting && w.servedWithin == 0, &g.reserved)
	cs.r.placeGroup(g)
}

// startAwaited starts one task ahead of its turn: of the queued tasks that waiting tasks wait for and that
// may start, the one with the earliest turn.
func (cs *section) startAwaited() bool {
	r := cs.r
	if !r.all.mayWork() {
		return false
	}
	var best *Task
	for _, g := range r.readyAwaited {
		t, s := cs.nextAwaited(g)
		if s != nil && cs.isOpenFor(s.task) {
			cs.admit(s)
			return true
		}
		if t != nil && (best == nil || t.order < best.order) {
			best = t
		}
	}
	if best == nil || cs.isCutOff(best) {
		return false
	}
	cs.startQueued(best)
	return true
}

// nextAwaited returns the queued task of g with the earliest turn that may start because a task waits
// for it; or, where nothing may be pending, a blocked submit that may.
func (cs *section) nextAwaited(g *Group) (*Task, *blockedSubmit) {
	var best *Task
	for _, t := range g.awaitedQueue.Ascend(0) {
		if slices.ContainsFunc(t.waits.awaitedBy, func(w *wait) bool { return cs.mayStartFor(w, g) }) {
			best = t
			break
		}
	}
	earlier := func(t *Task) {
		if t != nil && (best == nil || t.order < best.order) {
			best = t
		}
	}
	_, first, queued := g.queue.First()
	if queued && slices.ContainsFunc(g.awaitedBy, func(w *wait) bool { return cs.mayStartFor(w, g) }) {
		earlier(first)
	}
	var tried *Task
	for _, w := range g.roomAwaitedBy {
		if !cs.mayStartFor(w, g) || tried != nil && tried.group == w.waiter.group && tried.waits.reserves == w.waiter.waits.reserves {
			continue
		}
		if g.maxPending < 0 || cs.r.all.maxPending < 0 {
			if runningPredecessor(cs.r.duplicateOf(w.submit.task)) == nil {
				return nil, w.submit
			}
			continue
		}
		if g.maxPending > 0 && !g.hasRoom(0) {
			earlier(first)
		} else {
			earlier(cs.firstThatMayStartFor(w))
		}
		if best != nil {
			break // the others need the same
		}
		tried = w.waiter // nothing may start for it, nor then for those of the same group that reserve like it
	}
	return best, nil
}

// mayStartFor reports whether a task of g may start for w without taking a place that is reserved for what
// others wait for. One more task of g may work.
func (cs *section) mayStartFor(w *wait, g *Group) bool {
	self := w.waiter.waits
	if !cs.r.all.hasSpare() && !self.starved {
		return false
	}
	if self.waiting && w.waiter.group == g {
		return self.reserves || g.hasUnreserved()
	}
	return g.hasSpare()
}

// firstThatMayStartFor returns, of the tasks that are first in the queue of their group and may start for w, the
// one with the earliest turn.
func (cs *section) firstThatMayStartFor(w *wait) (first *Task) {
	turn := uint64(noTurn)
	for _, g := range cs.r.groups {
		if g.turn < turn && g.mayWork() && cs.mayStartFor(w, g) {
			turn = g.turn
			_, first, _ = g.queue.First()
		}
	}
	return first
}
