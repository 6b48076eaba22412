package fxtasks

import "sync/atomic"

// inbox is a lock-free stack of tasks, linked through the tasks themselves. Any goroutine may push a task
// without waiting for the mutex; whoever enters the next critical section takes out all of them. Methods
// whose names end in Locked are for the holder of the registry's mutex.
//
// Under contention sync.Mutex spins for longer than all that a task costs. With two inboxes, for
// what was submitted and what has returned, one critical section does the work of many tasks.
type inbox struct {
	link        func(*Task) **Task // the field that links its tasks; never changes
	tracksDepth bool               // sets Task.depth; never changes
	sentinel    *Task              // lies at the bottom: top == sentinel means empty; protected by the registry's mutex
	top         atomic.Pointer[Task]
}

// push adds t. first reports whether the inbox was empty before. If open is false it does nothing, and ok is
// false. A nil open counts as true.
func (b *inbox) push(t *Task, open *atomic.Bool) (first, ok bool) {
	for {
		top := b.top.Load()
		if open != nil && !open.Load() {
			return false, false
		}
		*b.link(t) = top
		if b.tracksDepth {
			t.depth = top.depth + 1 // the depth of a task that was pushed no longer changes
		}
		if b.top.CompareAndSwap(top, t) {
			return top.isSentinel(), true
		}
	}
}

func (t *Task) isSentinel() bool { return t.group == nil }

// takeLocked empties the inbox. It returns the tasks as a list for pop, in the order in which they were pushed.
func (b *inbox) takeLocked() (first *Task) {
	if b.top.Load() == b.sentinel {
		return nil
	}
	return b.reverse(b.top.Swap(b.sentinel))
}

// moveLocked is takeLocked, but appends the tasks to q, which has the same links.
func (b *inbox) moveLocked(q *taskQueue) {
	last := b.top.Load()
	if last == b.sentinel {
		return
	}
	last = b.top.Swap(b.sentinel)
	q.append(b.reverse(last), last)
}

// replaceSentinelLocked is takeLocked with a new sentinel, so that the compare-and-swap of a concurrent push
// fails, and it checks open again.
func (b *inbox) replaceSentinelLocked() (first *Task) {
	b.sentinel = new(Task)
	return b.reverse(b.top.Swap(b.sentinel))
}

// reverse reverses the links of the tasks from top down to the sentinel.
func (b *inbox) reverse(top *Task) (first *Task) {
	for top != nil && !top.isSentinel() {
		below := *b.link(top)
		*b.link(top) = first
		first, top = top, below
	}
	return first
}

// pop takes the first task off what takeLocked returned.
func (b *inbox) pop(first **Task) *Task {
	t := *first
	if t != nil {
		*first, *b.link(t) = *b.link(t), nil
	}
	return t
}
