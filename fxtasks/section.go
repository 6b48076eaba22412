package fxtasks

import (
	"runtime"
	"time"
)

// section is one critical section of the registry. enter locks the mutex, and puts on record all tasks that were
// submitted before, and the ends of a batch of those that have returned. leave schedules, unlocks, and then does
// what the section decided: it ends contexts, starts tasks, wakes waiters and writes lines. So nobody who changes
// state can forget to schedule, and no user code runs under the mutex.
//
//	cs := r.enter()
//	defer cs.leave()
type section struct {
	r     *registry
	timed bool // the clock has been read

	// What leave carries out.
	starting        taskQueue
	startedByCaller *Task         // the submitter starts this one itself, after its line is written
	closing         chan struct{} // a channel to close
	after           *afterUnlock  // nil: nothing
}

// afterUnlock is what a section seldom has to carry out. It is a struct of its own because a section lies on
// the stack of its goroutine, which is small for those of tasks.
type afterUnlock struct {
	ending   []*taskContext  // contexts whose ending was decided
	closing  []chan struct{} // more channels to close
	endLines []*Task         // tasks that the section ended, whose line is to be written before their Done is closed
}

func (cs *section) afterUnlock() *afterUnlock {
	if cs.after == nil {
		cs.after = new(afterUnlock)
	}
	return cs.after
}

// enter begins a critical section. It is short enough to be inlined, like leave: goroutines of tasks enter
// one on their small stack.
func (r *registry) enter() section {
	cs := section{r: r}
	cs.begin()
	return cs
}

// begin locks, and empties both inboxes. It takes out the returned tasks first, so that each of them is on record
// once it has recorded the submitted ones. It ends a batch of the returned tasks at the most, and leaves the others
// in the backlog, to the sections that pushReturned enters.
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
	cs.now() // read here and not in end, where the stack is deeper
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

// recordSubmitted empties the inbox of submitted tasks.
func (cs *section) recordSubmitted() {
	if submitted := cs.r.submitted.takeLocked(); submitted != nil {
		cs.record(submitted)
	}
}

// record puts tasks on record that were submitted without the mutex. Without a limit they run already.
func (cs *section) record(tasks *Task) {
	r := cs.r
	for t := r.submitted.pop(&tasks); t != nil; t = r.submitted.pop(&tasks) {
		now := r.tick(t.created)
		cs.add(t, now)
		if r.all.maxRunning == 0 {
			cs.runAt(t, now)
		} else {
			cs.enqueue(t)
		}
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

// carryOut does what the section decided.
func (cs *section) carryOut() {
	if cs.starting.first != nil || cs.closing != nil || cs.after != nil {
		cs.carryOutAll()
	}
}

// carryOutAll is out of line to keep the frames of those who leave a section small.
//
//go:noinline
func (cs *section) carryOutAll() {
	for t := cs.starting.pop(); t != nil; t = cs.starting.pop() {
		go t.group.m.work(t)
	}
	if cs.closing != nil {
		close(cs.closing) // not in the section: to wake 200,000 goroutines takes a tenth of a second
	}
	if cs.after == nil {
		return
	}
	for _, c := range cs.after.closing {
		close(c)
	}
	for _, ctx := range cs.after.ending { // after the channels: a task that waits for one that ended now must see that first
		ctx.applyEnd()
	}
	for _, t := range cs.after.endLines {
		go t.writeEndAndCloseDone() // a logger that blocks holds up this task alone
	}
}

// close arranges for c to be closed.
func (cs *section) close(c chan struct{}) {
	if cs.closing == nil {
		cs.closing = c
	} else {
		after := cs.afterUnlock()
		after.closing = append(after.closing, c)
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
