package fxtasks

import "time"

// This file is about pending tasks that are not due yet: by WithDelay, or because Retry.Delay puts off the next
// attempt. They are in registry.delayed until they are due, and then in the queue of their group.

// enqueueWhenDue puts a pending task in the queue if it is due, and else with the delayed ones.
func (cs *section) enqueueWhenDue(t *Task) {
	a := t.attempts
	if a == nil || a.notBefore.IsZero() {
		cs.enqueue(t)
		return
	}
	if left := a.notBefore.Sub(cs.now()); left > 0 {
		cs.r.delayed.Push(t)
		if first, _ := cs.r.delayed.Top(); first == t {
			cs.setDueTimer(left)
		}
		return
	}
	cs.enqueueDue(t)
}

// enqueueDue gives t its turn, now that it is due.
func (cs *section) enqueueDue(t *Task) {
	cs.r.turns++
	t.order = cs.r.turns
	cs.enqueue(t)
}

// setDueTimer sets the timer for the first of the delayed tasks.
func (cs *section) setDueTimer(d time.Duration) {
	r := cs.r
	if r.dueTimer == nil {
		r.dueTimer = time.AfterFunc(d, r.wakeDelayed)
	} else {
		r.dueTimer.Reset(d)
	}
}

// wakeDelayed queues the delayed tasks that are due. One timer serves all.
func (r *registry) wakeDelayed() {
	r.inSteps(func(cs *section) bool {
		for range batch {
			t, ok := r.delayed.Top()
			if !ok {
				return false
			}
			if left := t.attempts.notBefore.Sub(cs.now()); left > 0 {
				cs.setDueTimer(left)
				return false
			}
			r.delayed.Pop()
			cs.enqueueDue(t)
		}
		return true
	})
}

// isDueBefore orders the delayed tasks by when they are due. Of two that are due at the same moment, the one
// with the earlier turn comes first: it has had one since it was submitted, and gets a new one when it is due.
func (t *Task) isDueBefore(other *Task) bool {
	if c := t.attempts.notBefore.Compare(other.attempts.notBefore); c != 0 {
		return c < 0
	}
	return t.order < other.order
}

// isDelayed reports whether a pending task is not due yet.
func (t *Task) isDelayed() bool { return t.attempts != nil && t.attempts.index >= 0 }

// dueAt returns when t, or its latest attempt, was or is due.
func (t *Task) dueAt() time.Time {
	if t.attempts != nil && !t.attempts.notBefore.IsZero() {
		return t.attempts.notBefore
	}
	return t.created
}
