package fxtasks

import (
	"sync"
	"sync/atomic"
	"time"

	"github.com/fxtasks/background/fxtasks/internal/heap"
	"github.com/fxtasks/background/fxtasks/internal/ids"
	"github.com/fxtasks/background/fxtasks/internal/ordered"
	"github.com/fxtasks/background/fxtasks/internal/outcomes"
	"github.com/fxtasks/background/fxtasks/internal/ring"
)

// registry owns all state that changes: of the manager, its groups and its tasks. It is read and
// written in critical sections of its one mutex, in which no user code runs; see section.
//
// The mutex does not protect the two inboxes, the end of a context (see taskContext), and what the goroutine
// of a task writes before it pushes the task to the inbox of returned tasks (Task says which fields). There is
// one mutex, not several, so that limits, counters, lists and events agree with each other at any moment. It is
// no bottleneck, since one section records many tasks of the inboxes.
type registry struct {
	// These seldom or never change.
	cfg     Config // with defaults
	epoch   time.Time
	wall    func() time.Time                      // for schedules
	names   atomic.Pointer[map[string]*nameStats] // the map is never modified: a copy with the new name replaces it
	watched atomic.Bool                           // somebody waits for events

	// Set while all slots are taken and nothing may start beyond them. A quick submit then leaves scheduling to the
	// goroutine that frees a slot.
	full atomic.Bool

	_   cacheLine
	ids ids.Generator

	_         cacheLine
	submitted inbox // tasks that are not on record yet

	_        cacheLine
	returned inbox // tasks whose function has returned

	_        cacheLine
	entering atomic.Int32 // goroutines that wait for mu
	mu       sync.Mutex   // protects what follows, and the fields of Task and Group that say so

	backlog  taskQueue // tasks out of returned that are still to be recorded
	latest   time.Time // the latest time that a section has read
	all      limits
	groups   []*Group          // in order of creation; the first takes the tasks of no group
	groupsBy map[string]*Group // by name, less the first

	records     ordered.Table[*Task] // by seq
	ended       ordered.Table[*Task] // the records of finished tasks, by the number of their end
	index       idIndex
	seq         uint64        // of the newest task
	ends        uint64        // the number of the latest end
	turns       uint64        // the latest turn that was given to a pending task
	firstActive uint64        // no task with a lower seq is active
	expiry      *time.Timer   // for the first of ended; nil: not set
	hour        outcomes.Hour // of all tasks

	delayed      *heap.Heap[*Task]  // pending tasks that are not due yet
	dueTimer     *time.Timer        // for the first of them; nil: not set
	ready        *heap.Heap[*Group] // groups that have a queued task and a free slot, by the turn of that task
	readyAwaited []*Group           // groups that have a queued task which a task waits for, and a place for it
	blocked      blockedSubmits
	waiting      int      // how many running tasks wait for others, those of Run included
	idleAwaited  []*Group // groups whose limits have an idle channel; nil stands for the manager
	asked        askedTasks

	closed       bool          // Shutdown has begun
	clock        *drainClock   // nil until the manager's drain has begun
	pendingLines int           // how many lines of writeEndAndCloseDone are still to be written
	linesWritten chan struct{} // closed when pendingLines is 0; nil: nobody waits for that

	otherNames *nameStats // for names past the first maxNames
	periodics  map[string]*Periodic
	fullLog    limitedLog // of rejects because of a full queue
	skipLog    limitedLog // of runs that were skipped

	events ring.Ring[event]
	wake   chan struct{} // closed at the next event; nil: nobody waits for one
}

// cacheLine lies between fields that different processors write, or one writes and others only read: when they
// share a line of the cache, each write takes it away from the others.
type cacheLine [64]byte

func newRegistry(cfg Config) *registry {
	r := &registry{
		cfg:        cfg,
		epoch:      time.Now(),
		wall:       wallClock,
		all:        newLimits(cfg.MaxRunning, cfg.MaxPending),
		groupsBy:   make(map[string]*Group),
		periodics:  make(map[string]*Periodic),
		index:      newIDIndex(),
		blocked:    newBlockedSubmits(),
		otherNames: newNameStats(otherName),
		submitted:  inbox{link: func(t *Task) **Task { return &t.below }, tracksDepth: true},
		returned:   inbox{link: func(t *Task) **Task { return &t.next }},
		delayed: heap.New(
			(*Task).isDueBefore,
			func(t *Task, i int) { t.attempts.index = i }),
		ready: heap.New(
			func(a, b *Group) bool { return a.turn < b.turn },
			func(g *Group, i int) { g.readyIndex = i }),
	}
	r.submitted.replaceSentinelLocked()
	r.returned.replaceSentinelLocked()
	r.names.Store(&map[string]*nameStats{})
	return r
}

// add puts t on record, as pending.
func (cs *section) add(t *Task, now time.Time) {
	r := cs.r
	r.seq++
	r.turns++
	t.seq, t.order, t.created = r.seq, r.turns, now
	r.records.Insert(t.seq, t)
	r.index.add(t)
	cs.noteIDChange(t)
	if t.stats == nil {
		t.stats = r.addNameStats(t.name)
	}
	for _, of := range r.countersOf(t) {
		of.counts.Submitted++
		of.counts.Pending++
	}
	r.publish(kindSubmitted, t, t.since(now))
}

// run makes t running, in a slot unless Run runs it.
func (cs *section) run(t *Task) { cs.runAt(t, cs.now()) }

func (cs *section) runAt(t *Task, now time.Time) {
	if !t.external {
		t.slot = true
		cs.r.all.slots++
		t.group.slots++
	}
	if t.attempts != nil {
		cs.leaveBetweenAttempts(t)
		t.attempts.number++
	}
	cs.move(t, Running, now)
	if t.waits != nil {
		cs.updateWaitersOf(t, 1)
	}
	cs.updateGroupWaiters(t.group, 1)
}

// move is the only place where a known task changes its status.
func (cs *section) move(t *Task, to Status, now time.Time) {
	r := cs.r
	for _, of := range r.countersOf(t) {
		of.counts.move(t.status, to)
	}
	t.status = to
	cs.noteIDChange(t)
	switch to {
	case Running:
		t.startedAt = t.since(now)
		r.publish(kindStarted, t, t.startedAt)
		return
	case Pending:
		r.publish(kindRetrying, t, t.since(now))
		return
	}
	t.finishedAt = t.since(now)
	r.publish(kindFinished, t, t.finishedAt)
}

// countersOf returns the counters in which t counts.
func (r *registry) countersOf(t *Task) [3]*counters {
	return [...]*counters{&r.all.counters, &t.group.counters, &t.stats.counters}
}

// end moves t to a final status, frees its slot, and wakes those who wait for it. Its failure has been set.
func (cs *section) end(t *Task, status Status) {
	r := cs.r
	ran := t.status == Running
	t.fn, t.ctx = nil, nil
	if t.request != nil && ran {
		r.asked.remove(t.askedAt())
	}
	if t.attempts != nil {
		t.attempts.values, t.attempts.retry.If, t.attempts.retry.Delay = nil, nil, nil
		if status == Completed {
			t.attempts.last = nil
		}
	}
	cs.move(t, status, cs.now())
	cs.addToHistory(t, ran)
	if ran {
		cs.freeSlot(t)
	}
	if t.waits != nil {
		cs.endWaits(t, ran)
	}
	r.ends++
	t.order = r.ends
	cs.unlinkReplacement(t)
	if t.lostID || t.external { // another known task has its ID, or Run ran it
		cs.forget(t)
	} else {
		r.ended.Insert(t.order, t)
	}
	cs.limitFinished()
	r.placeGroup(t.group)
	switch {
	case t.logging: // Done is closed after the line
	case t.done != nil:
		cs.close(t.done)
		t.done = nil
	}
}

// freeSlot frees the slot of t, which has just stopped running.
func (cs *section) freeSlot(t *Task) {
	if t.slot {
		t.slot = false
		cs.r.all.slots--
		t.group.slots--
	}
	cs.updateGroupWaiters(t.group, -1)
}

// activeTasks returns the pending and running tasks of g, or all when g is nil, that were submitted before the
// call. The newest come first: to cancel them in this order starts none of them.
func (r *registry) activeTasks(g *Group) []*Task {
	var tasks []*Task
	from := uint64(Latest)
	r.inSteps(func(cs *section) bool {
		seen := 0
		for seq, t := range r.records.Descend(from) {
			if seen == 16*batch {
				from = seq
				return true
			}
			seen++
			if from == Latest {
				from = seq // not those that are submitted between two steps
			}
			if !t.status.Finished() && (g == nil || t.group == g) {
				tasks = append(tasks, t)
			}
		}
		return false
	})
	return tasks
}
