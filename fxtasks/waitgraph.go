package fxtasks

import "slices"

// This file has the wait-for graph: which task waits for which task, group, or room in a queue. deadlock.go
// searches it for cycles, and waiting.go says what may start because of it.

// waits is what a task waits for, and who waits for it.
type waits struct {
	calls        []*wait // of this task, waiting now
	awaitedBy    []*wait // calls of other tasks that wait for this one
	served       int     // how many of calls have something running of what they wait for
	within       int     // how many of calls wait for something in the task's own group
	servedWithin int     // how many of calls are both
	index        int     // in waitingTasks of the group

	// Where the task is counted now; see reclassify.
	counted       bool // in registry.waiting
	waiting       bool // in waiting of both limits
	starved       bool // in starved of the manager's limits
	starvedWithin bool // in starved of the group's limits
	reserves      bool // in reserved of the group's limits
}

// wait is one call of a task that waits: for a task, for all of a group, or for room in the queue of
// a group. Plain goroutines that wait have none.
type wait struct {
	waiter *Task
	task   *Task
	group  *Group
	submit *blockedSubmit // the one that waits for room in group, or nil

	index int  // in the list of waits for the same
	over  bool // it has ended, and is no longer in the graph
}

// within reports whether w waits for something in the group of its waiter.
func (w *wait) within() bool {
	return w.task != nil && w.task.group == w.waiter.group || w.group == w.waiter.group
}

// ofGroup returns the list of the group that w is in: waits for its end, or for room in its queue.
func (w *wait) ofGroup() *[]*wait {
	if w.submit != nil {
		return &w.group.roomAwaitedBy
	}
	return &w.group.awaitedBy
}

// endWait is section.endWait in a section of its own.
func (m *Manager) endWait(w *wait) {
	cs := m.reg.enter()
	defer cs.leave()
	cs.endWait(w)
}

// beginWait adds w to the graph of waits.
func (cs *section) beginWait(w *wait) {
	self := w.waiter.waitsOf()
	if len(self.calls) == 0 {
		g := w.waiter.group
		self.index = len(g.waitingTasks)
		g.waitingTasks = append(g.waitingTasks, w.waiter)
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
		w.index = len(of.awaitedBy)
		of.awaitedBy = append(of.awaitedBy, w)
		if w.task.isQueued() {
			w.task.group.awaitedQueue.Insert(w.task.order, w.task)
		}
		cs.r.placeGroup(w.task.group)
	} else {
		same := w.ofGroup()
		w.index = len(*same)
		*same = append(*same, w)
		cs.r.placeGroup(w.group)
	}
	if w.submit != nil {
		cs.r.blocked.waits++
	}
	cs.reclassify(w.waiter)
}

// endWait removes w from the graph of waits, unless it was removed before.
func (cs *section) endWait(w *wait) {
	if w.over {
		return
	}
	cs.detach(w)
	if w.task != nil {
		of := w.task.waits
		of.awaitedBy = swapRemove(of.awaitedBy, w.index, func(w *wait, i int) { w.index = i })
		if len(of.awaitedBy) == 0 && w.task.isQueued() {
			w.task.group.awaitedQueue.Remove(w.task.order)
		}
		cs.r.placeGroup(w.task.group)
	} else {
		same := w.ofGroup()
		*same = swapRemove(*same, w.index, func(w *wait, i int) { w.index = i })
		cs.r.placeGroup(w.group)
	}
}

// detach removes w from the calls of its waiter, which works again unless it has other calls that wait.
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
		g.waitingTasks = swapRemove(g.waitingTasks, self.index, func(t *Task, i int) { t.waits.index = i })
	}
	w.over = true
	cs.reclassify(w.waiter)
}

// endWaits ends all waits for t, which has its final status, and those of t itself that go on in goroutines which
// it started. ran is true if t was running until now.
func (cs *section) endWaits(t *Task, ran bool) {
	by := t.waits.awaitedBy
	t.waits.awaitedBy = nil
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

// waitsOf returns the waits of t, and makes them if there are none yet.
func (t *Task) waitsOf() *waits {
	if t.waits == nil {
		t.waits = new(waits)
	}
	return t.waits
}

// swapRemove removes s[i], moves the last element there, and calls moved with it.
func swapRemove[T any](s []T, i int, moved func(x T, i int)) []T {
	last := len(s) - 1
	if i != last {
		s[i] = s[last]
		moved(s[i], i)
	}
	clear(s[last:])
	return s[:last]
}
