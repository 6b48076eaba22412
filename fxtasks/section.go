package fxtasks

import (
	"runtime"
	"time"
)

// section is one critical section of the registry. enter locks the mutex, and puts on record all that was
// submitted before, and of what has returned a batch. leave schedules, unlocks, and then does what the section decided: it
// ends contexts, starts tasks, wakes waiters and writes lines. So nobody who changes state can forget to
// schedule, and no user code runs under the mutex.
//
//	cs := r.enter()
//	defer cs.leave()
type section struct {
	r     *registry
	timed bool // the clock has been read

	// What leave carries out.
	starting        taskQueue
	startedByCaller *Task         // its submitter starts it, after its line is written
	wake            chan struct{} // a channel to close
	after           *afterUnlock  // nil: nothing
}

// afterUnlock is what a section seldom has to carry out. It is a struct of its own because a section lies on
// the stack of its goroutine, which is small for those of tasks.
type afterUnlock struct {
	ending    []*taskContext  // contexts whose ending was decided
	wake      []chan struct{} // more channels to close
	unstarted []*Task         // ended while they waited to run, with a line to be written before Done is closed
}

func (cs *section) afterUnlock() *afterUnlock {
	if cs.after == nil {
		cs.after = new(afterUnlock)
	}
	return cs.after
}

// taskQueue is a first-in-first-out list, linked through the tasks themselves.
type taskQueue struct{ first, last *Task }

func (q *taskQueue) push(t *Task) {
	if q.first == nil {
		q.first = t
	} else {
		q.last.next = t
	}
	q.last = t
}

// append appends the list from first to last.
func (q *taskQueue) append(first, last *Task) {
	if q.first == nil {
		q.first = first
	} else {
		q.last.next = first
	}
	q.last = last
}

func (q *taskQueue) pop() *Task {
	t := q.first
	if t != nil {
		q.first, t.next = t.next, nil
		if q.first == nil {
			q.last = nil // the registry's backlog would keep the record of t
		}
	}
	return t
}

// enter begins a critical section. It is short enough to be inlined, like leave: goroutines of tasks enter
// one on their small stack.
func (r *registry) enter() section {
	cs := section{r: r}
	cs.begin()
	return cs
}

// begin locks, and empties both inboxes. It takes out the returned tasks first: then each of them is among the
// submitted ones that it records before them. It records a batch of returned tasks at the most, and leaves the
// others in the backlog, to the sections that pushReturned enters.
func (cs *section) begin() {
	r := cs.r
	if !r.mu.TryLock() {
		r.entering.Add(1)
		r.mu.Lock()
		r.entering.Add(-1)
	}
	r.returned.moveLocked(&r.backlog)
	if r.backlog.first == nil {
		cs.recordSubmitted()
		return
	}
	cs.now() // not first in end, where the stack is deeper
	for range batch {
		t := r.backlog.pop()
		if t == nil {
			break
		}
		if t.outcome == Pending {
			cs.requeue(t)
		} else {
			cs.end(t, t.outcome)
		}
	}
}

func (cs *section) recordSubmitted() {
	if submitted := cs.r.submitted.takeLocked(); submitted != nil {
		cs.record(submitted)
	}
}

// now returns the time of the section, which is read when it is first asked for. It is never before
// that of anything on record: times follow the order of events.
//
// When it has read the clock it records what was submitted meanwhile. Such a task would otherwise be
// recorded with a later time than that at which its Submit returned.
func (cs *section) now() time.Time {
	if !cs.timed {
		cs.timed = true
		now := time.Now()
		cs.recordSubmitted()
		cs.r.tick(now)
	}
	return cs.r.latest
}

// tick returns the later of now and the latest time of the registry.
func (r *registry) tick(now time.Time) time.Time {
	if now.After(r.latest) {
		r.latest = now
	}
	return r.latest
}

// leave ends the section and carries out what it decided.
func (cs *section) leave() {
	cs.schedule()
	cs.unlock()
}

// leaveWith is leave, but gives the first task to start to the caller, who has to run it.
func (cs *section) leaveWith() (next *Task) {
	cs.schedule()
	next = cs.starting.pop()
	cs.unlock()
	return next
}

// unlock unlocks, and carries out what was decided. If others wait for the mutex, this goroutine gives way to
// them. Without that, the one that unlocking wakes gets no processor until the time slice of this one ends, after
// up to 10 ms, and to drain 100,000 tasks took a fifth longer.
func (cs *section) unlock() {
	contended := cs.r.entering.Load() > 0
	cs.r.mu.Unlock()
	cs.carryOut()
	if contended {
		runtime.Gosched()
	}
}

func (cs *section) carryOut() {
	if cs.starting.first != nil || cs.wake != nil || cs.after != nil {
		cs.carryOutAll()
	}
}

// carryOutAll is out of line to keep the frames of those who leave a section small.
//
//go:noinline
func (cs *section) carryOutAll() {
	if cs.after != nil {
		for _, ctx := range cs.after.ending {
			ctx.applyEnd()
		}
	}
	for t := cs.starting.pop(); t != nil; t = cs.starting.pop() {
		go t.group.m.work(t)
	}
	if cs.wake != nil {
		close(cs.wake) // not in the section: to wake 200,000 goroutines takes a tenth of a second
	}
	if cs.after == nil {
		return
	}
	for _, c := range cs.after.wake {
		close(c)
	}
	for _, t := range cs.after.unstarted {
		go t.writeUnstarted() // a logger that blocks holds up this task alone
	}
}

// close arranges for c to be closed.
func (cs *section) close(c chan struct{}) {
	if cs.wake == nil {
		cs.wake = c
	} else {
		after := cs.afterUnlock()
		after.wake = append(after.wake, c)
	}
}

// start makes t run once the section is left.
func (cs *section) start(t *Task) {
	if t.ctx == nil { // for another attempt
		t.ctx = &taskContext{task: t, number: int32(t.attempts.number) + 1, values: t.attempts.values}
	}
	cs.run(t)
	if t != cs.startedByCaller {
		cs.starting.push(t)
	}
}

// batch bounds how many tasks one section looks at or ends: what has to do with more goes in
// steps, so that nobody waits for the mutex for longer than a millisecond or two.
const batch = 256

// inSteps calls step in one critical section after another until it reports that nothing is left.
func (r *registry) inSteps(step func(cs *section) (more bool)) {
	for more := true; more; {
		cs := r.enter()
		more = step(&cs)
		cs.leave()
	}
}
