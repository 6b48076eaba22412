package fxtasks

import (
	"sync"
	"sync/atomic"
	"time"
)

// registry owns all state that changes: of the manager, its groups and its tasks. Everything that
// reads or writes that state does so in a critical section of its one mutex, in which no user code
// runs: what a section decides but must not do itself it leaves in an aftermath.
//
// One mutex, not shards, so that limits, counters, lists and events agree with each other at any
// moment. It is not the bottleneck that it looks like: what is done for each task, to take it in and to
// end it, one critical section does for all that lie in the two inboxes.
type registry struct {
	cfg Config // with defaults, never changes

	submitted inbox       // tasks that are not on record yet
	returned  inbox       // tasks whose function has returned
	watched   atomic.Bool // somebody waits for events
	full      atomic.Bool // no slot is free: who gives one back settles

	mu sync.Mutex // protects what follows, and what Task and Group say it does; lock locks it

	now      time.Time // of the latest critical section: times never run against the order of events
	all      scope
	groups   []*Group          // in order of creation; the first takes the tasks of no group
	groupsBy map[string]*Group // by name, less the first
	ids      idIndex
	newest   *Task  // of all records, in order of submission
	seq      uint64 // of the newest
	finished taskList
	expiry   *time.Timer // for the first of finished; nil: not set

	awaited []*scope // those that somebody waits for until nothing is active

	successors taskList // pending under Replace, until their predecessors have returned
	resuming   int      // tasks that wait for their slots again, in all groups
	blocked    int      // submits that wait for room, in all groups
	tickets    uint64   // given to those submits

	names      atomic.Pointer[map[string]*nameStats] // a map that never changes; to add to it is to copy it
	otherNames *nameStats                            // for names past the first maxNames
	fullLog    fullLog

	events ring
}

func newRegistry(cfg Config) *registry {
	r := &registry{
		cfg:        cfg,
		all:        newScope(cfg.MaxRunning, cfg.MaxPending),
		groupsBy:   make(map[string]*Group),
		ids:        newIDIndex(),
		otherNames: newNameStats(otherName),
		submitted:  inbox{link: func(t *Task) **Task { return &t.older }, counts: true},
		returned:   inbox{link: func(t *Task) **Task { return &t.next }},
	}
	r.submitted.renewLocked()
	r.returned.renewLocked()
	r.names.Store(&map[string]*nameStats{})
	return r
}

// lock enters a critical section. Who holds the mutex sees all that was submitted before.
func (r *registry) lock() {
	r.mu.Lock()
	r.takeInLocked()
}

func (r *registry) takeInLocked() { r.recordLocked(r.submitted.takeLocked()) }

// maxUnrecorded bounds what a critical section has to make up for.
const maxUnrecorded = 64

// recordLocked makes tasks known that were submitted without the mutex. Without a limit they run
// already; else who submitted them settles, unless full says that somebody else is going to.
func (r *registry) recordLocked(tasks *Task) {
	for t := r.submitted.pop(&tasks); t != nil; t = r.submitted.pop(&tasks) {
		now := r.tickLocked(t.created)
		r.addLocked(t, now)
		if r.all.maxRunning == 0 {
			r.runLocked(t, now)
		} else {
			t.group.pending.pushBack(t)
		}
	}
}

// tickLocked gives the time of a critical section for which now was read before it was entered.
func (r *registry) tickLocked(now time.Time) time.Time {
	if now.After(r.now) {
		r.now = now
	}
	return r.now
}

// addLocked makes t known, as pending.
func (r *registry) addLocked(t *Task, now time.Time) {
	r.seq++
	t.seq, t.created = r.seq, now
	t.older = r.newest
	if r.newest != nil {
		r.newest.newer = t
	}
	r.newest = t
	r.ids.add(t)
	if t.label == nil {
		t.label = r.labelLocked(t.name)
	}
	for _, of := range r.talliesLocked(t) {
		of.counts.Submitted++
		of.counts.Pending++
	}
	r.publishLocked(submitted, t, t.moment(now))
}

// moveLocked is the only place where a known task changes its status.
func (r *registry) moveLocked(t *Task, to Status, now time.Time) {
	for _, of := range r.talliesLocked(t) {
		of.counts.move(t.status, to)
	}
	t.status = to
	if to == Running {
		t.started = t.moment(now)
		r.publishLocked(started, t, t.started)
		return
	}
	t.finished = t.moment(now)
	r.publishLocked(finished, t, t.finished)
}

// talliesLocked gives those that t counts in.
func (r *registry) talliesLocked(t *Task) [3]*tally {
	return [...]*tally{&r.all.tally, &t.group.tally, &t.label.tally}
}

// endLocked moves t to a status that it never leaves, and passes on what it had: its slot, its
// ID, the news. Its err has been set.
func (r *registry) endLocked(t *Task, status Status, now time.Time) {
	t.fn, t.ctx = nil, nil
	r.moveLocked(t, status, now)
	r.stopReclaimLocked(t)
	r.giveSlotLocked(t)
	r.finished.pushBack(t)
	if s := t.successor; s != nil { // the one that replaces t need not wait for it any more
		t.successor, s.predecessor = nil, nil
		r.successors.remove(s)
		s.group.pending.insertBySeq(s)
	}
	if p := t.predecessor; p != nil { // t was to replace p: the ID is p's again, unless t itself is replaced
		t.predecessor, p.successor = nil, nil
		if !t.shadowed {
			r.ids.giveBack(p)
			t.shadowed, p.shadowed = true, false
		}
	}
	if t.shadowed { // IDs are unique among the tasks that are known
		r.forgetLocked(t)
	}
	r.boundLocked(now)
	if t.done != nil {
		close(t.done)
	}
}

// dropLocked ends a task that has not started, for the reason e.
func (r *registry) dropLocked(t *Task, e *ending, now time.Time, then *aftermath) {
	if t.predecessor != nil {
		r.successors.remove(t)
	} else {
		t.group.pending.remove(t)
	}
	t.request, t.requested = e, t.moment(now)
	t.err = &endError{cause: e.cause, also: e.also}
	r.endLocked(t, Cancelled, now)
	then.dropped = append(then.dropped, t)
}

// requestLocked asks t to end, for the reason e. It reports false for a task that has ended.
func (r *registry) requestLocked(t *Task, e *ending, now time.Time, then *aftermath) bool {
	switch {
	case t.status.Finished():
		return false
	case t.status == Pending:
		r.dropLocked(t, e, now, then)
	case t.ctx.claim(e) == e && t.request == nil:
		t.request, t.requested = e, t.moment(now)
		r.publishLocked(cancelling, t, t.requested)
		r.stopReclaimLocked(t) // it ends now: it needs its slot no more
		then.releases = append(then.releases, t.ctx)
	}
	return true // asked now, or before, or just about to end by itself
}

// activeLocked gives the pending and running tasks of g, or all when g is nil, the newest first.
func (r *registry) activeLocked(g *Group) []*Task {
	var tasks []*Task
	for t := r.newest; t != nil; t = t.older {
		if !t.status.Finished() && (g == nil || t.group == g) {
			tasks = append(tasks, t)
		}
	}
	return tasks
}

func (r *registry) active(g *Group) []*Task {
	r.lock()
	defer r.mu.Unlock()
	return r.activeLocked(g)
}

func (r *registry) progress(t *Task, p Progress) {
	p.UpdatedAt = time.Now()
	r.lock()
	defer r.mu.Unlock()
	if t.status != Running {
		return
	}
	p.UpdatedAt = r.tickLocked(p.UpdatedAt)
	t.reported = &p
	r.publishLocked(progress, t, t.moment(p.UpdatedAt))
}

// task finds the task that has the ID now.
func (r *registry) task(id string) (*Task, bool) {
	now := time.Now()
	r.lock()
	defer r.mu.Unlock()
	r.pruneLocked(r.tickLocked(now))
	t := r.ids.find(id)
	return t, t != nil
}
