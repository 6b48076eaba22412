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
// A task for which nothing runs of what it waits for is hungry. The place that it has freed is kept
// for what it waits for: working + hungry never exceeds the limit but for tasks that go on when
// their wait is over.
//
// In its group a task keeps its place for as long as nothing of the group runs that it waits for, also
// while something of another group does: it will want it again then. Only what others wait for, in
// other groups, takes that place, since they may be what it waits for.

// waits is what a task waits for, and who waits for it.
type waits struct {
	calls        []*wait // of this task that wait now
	by           []*wait // calls of other tasks that wait for this one
	served       int     // of calls, those for which something runs of what they wait for
	within       int     // of calls, those that wait for something in the task's own group
	servedWithin int     // of calls, those that are both
	place        int     // in the waiters of the group

	// How the task is counted now.
	counted, waiting, starved, starvedWithin, reserves bool
}

// wait is one call of a task that waits: for a task, for all of a group, or for room in the queue of
// a group. Plain goroutines that wait have none.
type wait struct {
	waiter *Task
	task   *Task
	group  *Group
	submit *blockedSubmit // the one that waits for room in group, or nil

	place int  // among those who wait for the same
	over  bool // set in the section in which what it waits for happened
}

func (w *wait) within() bool {
	return w.task != nil && w.task.group == w.waiter.group || w.group == w.waiter.group
}

// ofGroup gives where those are that wait for the same of a group.
func (w *wait) ofGroup() *[]*wait {
	if w.submit != nil {
		return &w.group.roomAwaitedBy
	}
	return &w.group.awaitedBy
}

// waitingTask gives the task of this manager that ctx belongs to, if it runs the attempt that ctx was made
// for. It is not called in a section: a context can be the user's code.
func (m *Manager) waitingTask(ctx context.Context) *taskContext {
	c := taskContextOf(ctx)
	if c == nil || c.task.group.m != m {
		return nil
	}
	return c
}

// waitFor blocks until what w waits for has happened, which arrives over the channel that begin
// gives in a critical section, and gives ctx's error if ctx ends first. nil: it has happened.
func (m *Manager) waitFor(ctx context.Context, w wait, begin func(cs *section) chan struct{}) error {
	if ctx == nil {
		return invalid("ctx is nil")
	}
	c := m.waitingTask(ctx)
	ended := c != nil && ctx.Err() != nil // then it does not wait, and cannot count as waiting
	cs := m.reg.enter()
	done := begin(&cs)
	var own *wait
	if c != nil && done != nil && c.task.ctx == c {
		if cs.r.wouldDeadlock(&w, c.task) {
			cs.leave()
			return invalid("task %q (%s) would wait for itself", c.task.name, c.task.ID())
		}
		if !ended {
			own = new(wait)
			*own = w
			own.waiter = c.task
			cs.beginWait(own)
		}
	}
	cs.leave()
	if done == nil {
		return nil
	}
	err := awaitClosed(ctx, done)
	if err != nil && own != nil {
		m.endWait(own)
	}
	return err
}

// endWait ends a wait whose ctx has ended.
func (m *Manager) endWait(w *wait) {
	cs := m.reg.enter()
	defer cs.leave()
	cs.endWait(w)
}

// beginWait notes that a task waits.
func (cs *section) beginWait(w *wait) {
	self := w.waiter.waitsOf()
	if len(self.calls) == 0 {
		g := w.waiter.group
		self.place = len(g.waiters)
		g.waiters = append(g.waiters, w.waiter)
	}
	self.calls = append(self.calls, w)
	if w.within() {
		self.within++
	}
	if w.runs() {
		w.addServed(1)
	}
	if w.task != nil {
		of := w.task.waitsOf()
		w.place = len(of.by)
		of.by = append(of.by, w)
		if w.task.isQueued() {
			w.task.group.awaitedQueue.Insert(w.task.order, w.task)
		}
		cs.r.placeGroup(w.task.group)
	} else {
		same := w.ofGroup()
		w.place = len(*same)
		*same = append(*same, w)
		cs.r.placeGroup(w.group)
	}
	if w.submit != nil {
		cs.r.blocked.waits++
	}
	cs.reclassify(w.waiter)
}

// runs says whether something runs of what w waits for. Who waits for room is hungry until it is let in.
func (w *wait) runs() bool {
	if w.task != nil {
		return w.task.status == Running
	}
	return w.submit == nil && w.group.counts.Running > 0
}

// addServed notes that something runs of what w waits for, or, with -1, that nothing does any more.
func (w *wait) addServed(by int) {
	self := w.waiter.waits
	self.served += by
	if w.within() {
		self.servedWithin += by
	}
}

// endWait takes back what beginWait noted, unless that was done.
func (cs *section) endWait(w *wait) {
	if w.over {
		return
	}
	cs.detach(w)
	if w.task != nil {
		of := w.task.waits
		of.by = without(of.by, w.place, func(w *wait, i int) { w.place = i })
		if len(of.by) == 0 && w.task.isQueued() {
			w.task.group.awaitedQueue.Remove(w.task.order)
		}
		cs.r.placeGroup(w.task.group)
	} else {
		same := w.ofGroup()
		*same = without(*same, w.place, func(w *wait, i int) { w.place = i })
		cs.r.placeGroup(w.group)
	}
}

// detach takes w from its waiter, who works again unless it waits elsewhere.
func (cs *section) detach(w *wait) {
	self := w.waiter.waits
	if w.runs() {
		w.addServed(-1)
	}
	if w.within() {
		self.within--
	}
	if w.submit != nil {
		cs.r.blocked.waits--
	}
	self.calls = slices.DeleteFunc(self.calls, func(c *wait) bool { return c == w })
	if len(self.calls) == 0 {
		g := w.waiter.group
		g.waiters = without(g.waiters, self.place, func(t *Task, i int) { t.waits.place = i })
	}
	w.over = true
	cs.reclassify(w.waiter)
}

// endWaits is for a task that has ended: those who waited for it go on, and calls of it that wait
// still, on goroutines that it left behind, count for nothing any more. It has its final status.
func (cs *section) endWaits(t *Task, ran bool) {
	by := t.waits.by
	t.waits.by = nil
	for _, w := range by {
		if ran {
			w.addServed(-1)
		}
		cs.detach(w)
	}
	for len(t.waits.calls) > 0 {
		cs.endWait(t.waits.calls[0])
	}
	t.waits = nil
}

// updateWaitersOf tells those who wait for t that it runs.
func (cs *section) updateWaitersOf(t *Task, by int) {
	for _, w := range t.waits.by {
		w.addServed(by)
		cs.reclassify(w.waiter)
	}
}

// updateGroupWaiters tells those who wait for g whether anything of it runs: one more or one less does.
func (cs *section) updateGroupWaiters(g *Group, by int) {
	if len(g.awaitedBy) == 0 || by > 0 && g.counts.Running > 1 || by < 0 && g.counts.Running > 0 {
		return
	}
	for _, w := range g.awaitedBy {
		w.addServed(by)
		cs.reclassify(w.waiter)
	}
}

// reclassify counts t as what it is now: waiting or working, hungry or not.
func (cs *section) reclassify(t *Task) {
	w := t.waits
	waits := t.status == Running && len(w.calls) > 0
	waiting := waits && t.slot
	hungry := waiting && w.served == 0
	hungryWithin := hungry && w.within > 0
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
	adjust(&w.starved, hungry, &all.starved)
	adjust(&w.starvedWithin, hungryWithin, &g.starved)
	adjust(&w.reserves, waiting && w.servedWithin == 0, &g.reserved)
	cs.r.placeGroup(g)
}

// startAwaited starts, of what waiting tasks wait for, the queued task with the earliest turn that
// may start.
func (cs *section) startAwaited() bool {
	r := cs.r
	if !r.all.mayWork() {
		return false
	}
	var best *Task
	for _, g := range r.readyAwaited {
		t, s := cs.nextAwaited(g)
		if s != nil {
			cs.admit(s)
			return true
		}
		if t != nil && (best == nil || t.order < best.order) {
			best = t
		}
	}
	if best == nil {
		return false
	}
	cs.startQueued(best)
	return true
}

// nextAwaited gives the queued task of g with the earliest turn that may start because a task waits
// for it; or, where nothing may be pending, a submission that may.
func (cs *section) nextAwaited(g *Group) (*Task, *blockedSubmit) {
	var best *Task
	for _, t := range g.awaitedQueue.Ascend(0) {
		if slices.ContainsFunc(t.waits.by, func(w *wait) bool { return cs.mayStartFor(w, g) }) {
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
	for _, w := range g.roomAwaitedBy {
		if !cs.mayStartFor(w, g) {
			continue
		}
		if g.maxPending < 0 || cs.r.all.maxPending < 0 {
			if waitsFor(cs.r.duplicateOf(w.submit.task)) == nil {
				return nil, w.submit
			}
			continue
		}
		if g.maxPending > 0 && !g.hasRoom(0) {
			earlier(first)
		} else {
			earlier(cs.r.firstThatMayWork())
		}
		break // the others want the same
	}
	return best, nil
}

// mayStartFor says whether a task of g, one more of which may work, may start for w: in no place that is
// kept for what others wait for.
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

// firstThatMayWork gives the queued task with the earliest turn whose group lets one more work.
func (r *registry) firstThatMayWork() (first *Task) {
	for _, g := range r.groups {
		if _, t, ok := g.queue.First(); ok && g.mayWork() && (first == nil || t.order < first.order) {
			first = t
		}
	}
	return first
}

func (t *Task) waitsOf() *waits {
	if t.waits == nil {
		t.waits = new(waits)
	}
	return t.waits
}

// without takes out s[i] and puts the last in its place, which moved is told.
func without[T any](s []T, i int, moved func(x T, i int)) []T {
	last := len(s) - 1
	if i != last {
		s[i] = s[last]
		moved(s[i], i)
	}
	clear(s[last:])
	return s[:last]
}
