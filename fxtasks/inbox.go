package fxtasks

import "sync/atomic"

// inbox is where goroutines leave tasks for whoever enters the next critical section, without
// waiting for the mutex: a stack threaded through the tasks themselves. Any goroutine may push; only
// the holder of the registry's mutex takes and closes.
//
// Under contention sync.Mutex spins for longer than all that a task costs. With two inboxes, for
// what was submitted and what has returned, a critical section does the work of many tasks.
type inbox struct {
	link func(*Task) **Task // the field that threads it; never changes

	top atomic.Pointer[Task]
}

// closedInbox is on top of an inbox that takes nothing any more.
var closedInbox = new(Task)

// push tells whether t is the first since the last take, and false for ok if the inbox is closed.
func (b *inbox) push(t *Task) (first, ok bool) {
	for {
		top := b.top.Load()
		if top == closedInbox {
			return false, false
		}
		*b.link(t) = top
		if b.top.CompareAndSwap(top, t) {
			return top == nil, true
		}
	}
}

// takeLocked gives the tasks in the inbox, in the order in which they came, threaded by link.
func (b *inbox) takeLocked() (first *Task) {
	if top := b.top.Load(); top == nil || top == closedInbox {
		return nil
	}
	return b.reverse(b.top.Swap(nil))
}

// closeLocked is takeLocked for the last time.
func (b *inbox) closeLocked() (first *Task) { return b.reverse(b.top.Swap(closedInbox)) }

func (b *inbox) reverse(t *Task) (first *Task) {
	for t != nil {
		next := *b.link(t)
		*b.link(t) = first
		first, t = t, next
	}
	return first
}

// pop takes the first task off what takeLocked gave.
func (b *inbox) pop(first **Task) *Task {
	t := *first
	if t != nil {
		*first, *b.link(t) = *b.link(t), nil
	}
	return t
}
