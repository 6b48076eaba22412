package fxtasks

import "sync/atomic"

// inbox is where goroutines leave tasks for whoever enters the next critical section, without
// waiting for the mutex: a stack threaded through the tasks themselves. Any goroutine may push; what
// ends in Locked is for the holder of the registry's mutex.
//
// Under contention sync.Mutex spins for longer than all that a task costs. With two inboxes, for
// what was submitted and what has returned, one critical section does the work of many tasks.
type inbox struct {
	link        func(*Task) **Task // the field that threads it; never changes
	tracksDepth bool               // keeps the depth of its tasks; never changes
	sentinel    *Task              // lies below the others and is not one of them; protected by the registry's mutex
	top         atomic.Pointer[Task]
}

// push tells whether it put t right on the bottom. It leaves t alone, and reports false for ok, when
// open does not hold; a nil one always does.
func (b *inbox) push(t *Task, open *atomic.Bool) (first, ok bool) {
	for {
		top := b.top.Load()
		if open != nil && !open.Load() {
			return false, false
		}
		*b.link(t) = top
		if b.tracksDepth {
			t.depth = top.depth + 1 // top's no longer changes: a task is counted once
		}
		if b.top.CompareAndSwap(top, t) {
			return top.isSentinel(), true
		}
	}
}

func (t *Task) isSentinel() bool { return t.group == nil }

// takeLocked empties the inbox. It gives what was in there, in the order in which it came, for
// pop.
func (b *inbox) takeLocked() (first *Task) {
	if b.top.Load() == b.sentinel {
		return nil
	}
	return b.reverse(b.top.Swap(b.sentinel))
}

// replaceSentinelLocked is takeLocked, and makes any push that is under way ask again whether it is open: it
// finds another bottom.
func (b *inbox) replaceSentinelLocked() (first *Task) {
	b.sentinel = new(Task)
	return b.reverse(b.top.Swap(b.sentinel))
}

func (b *inbox) reverse(top *Task) (first *Task) {
	for top != nil && !top.isSentinel() {
		below := *b.link(top)
		*b.link(top) = first
		first, top = top, below
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
