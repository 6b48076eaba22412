package fxtasks

import (
	"time"

	"github.com/fxtasks/background/fxtasks/internal/ordered"
)

// Stats are a manager's figures at one moment: they agree with each other, and with List.
type Stats struct {
	Counts // of all tasks

	OldestPending time.Duration // how long ago the queued task whose turn is next became due; 0: none is queued
	OldestRunning time.Duration // how long ago the running task that started first did
	Waiting       int           // of Running: in a call that waits for other tasks
	Stuck         int           // of Running: asked to end, by a timeout too, 10 seconds ago or more

	MaxRunning, MaxPending int // as in Config

	// By name and by group of the task. Names and groups past the first 1,000 count under "other".
	ByName, ByGroup map[string]Counts
}

// Counts are the figures of some of a manager's tasks.
type Counts struct {
	Pending, Running                                  int    // now; Running counts tasks that wait, too
	Submitted, Completed, Failed, Cancelled, TimedOut uint64 // since New
	Retried                                           uint64 // attempts after which the task became pending again
	Rejected                                          uint64 // submits that returned an error
}

// Stats returns the manager's figures.
func (m *Manager) Stats() Stats {
	r := m.reg
	oldest := m.oldestRunning()
	cs := r.enter()
	defer cs.leave()
	cs.now() // read first, since that can put tasks on record
	names := *r.names.Load()
	s := Stats{
		Counts:     r.all.counts,
		Waiting:    r.waiting,
		MaxRunning: r.cfg.MaxRunning,
		MaxPending: r.cfg.MaxPending,
		ByName:     make(map[string]Counts, len(names)+1),
		ByGroup:    make(map[string]Counts, min(len(r.groups), maxNames)),
	}
	if oldest != nil && oldest.status == Running {
		s.OldestRunning = cs.now().Sub(oldest.at(oldest.startedAt))
	}
	if r.asked.any() {
		s.Stuck = r.asked.countUpTo(cs.now().Add(-stuckAfter).Sub(r.epoch))
	}
	for name, n := range names {
		s.ByName[name] = n.counts
	}
	if unnamed := r.otherNames.counts; unnamed != (Counts{}) {
		unnamed.add(s.ByName[otherName])
		s.ByName[otherName] = unnamed
	}
	next := r.groups[0] // the group with the queued task whose turn is next
	var other Counts
	for i, g := range r.groups { // in one pass, and without a look into the queues: 10,000 are not in the processor's cache
		if g.turn < next.turn {
			next = g
		}
		switch {
		case i == 0: // the one for tasks of no group
		case i <= maxNames:
			s.ByGroup[g.name] = g.counts
		default:
			other.add(g.counts)
		}
	}
	if len(r.groups) > 1+maxNames {
		other.add(s.ByGroup[otherName])
		s.ByGroup[otherName] = other
	}
	if _, first, ok := next.queue.First(); ok {
		s.OldestPending = cs.now().Sub(first.dueAt())
	}
	return s
}

// oldestRunning returns the task that has run for longest, or nil. It looks at the records from the
// first active one on, in steps. It stops when it has seen all running tasks, or comes to one that was
// submitted after the oldest so far had started. To keep the running tasks in order would cost each of them.
func (m *Manager) oldestRunning() (oldest *Task) {
	r := m.reg
	seen, from := 0, uint64(0)
	r.inSteps(func(cs *section) bool {
		looked := 0
		from = max(from, r.firstActive)
		found := from > r.firstActive // whether the first active one has been found: it lies before from
		for seq, t := range r.records.Ascend(from) {
			if seen >= r.all.counts.Running || oldest != nil && t.created.After(oldest.at(oldest.startedAt)) {
				return false
			}
			if !found && !t.status.Finished() {
				r.firstActive, found = seq, true
			}
			if t.status == Running {
				seen++
				if oldest == nil || t.at(t.startedAt).Before(oldest.at(oldest.startedAt)) {
					oldest = t
				}
			}
			if looked++; looked == 16*batch {
				from = seq + 1
				if !found {
					r.firstActive = from
				}
				return true
			}
		}
		return false
	})
	return oldest
}

// stuckAfter is how long after it was asked to end a running task counts as stuck.
const stuckAfter = 10 * time.Second

// askedTasks counts the running tasks that were asked to end, by when that was.
type askedTasks struct {
	recent ordered.Table[*int] // by nanoseconds since the epoch; pointers share their code with the tables of tasks
	old    int                 // those up to the time of the last countUpTo, which it took out of recent
}

// askedAt returns when t was asked to end.
func (t *Task) askedAt() uint64 {
	return uint64(t.at(t.requestedAt).Sub(t.group.m.reg.epoch))
}

func (a *askedTasks) any() bool { return a.old > 0 || a.recent.Len() > 0 }

func (a *askedTasks) add(at uint64) {
	if n, ok := a.recent.Get(at); ok {
		*n++
		return
	}
	n := 1
	a.recent.Insert(at, &n)
}

func (a *askedTasks) remove(at uint64) {
	n, ok := a.recent.Get(at)
	if !ok {
		a.old--
		return
	}
	if *n--; *n == 0 {
		a.recent.Remove(at)
	}
}

// countUpTo counts those that were asked at the time or earlier. The time must not be before that of the last call.
func (a *askedTasks) countUpTo(at time.Duration) int {
	for {
		first, n, ok := a.recent.First()
		if !ok || at < 0 || first > uint64(at) {
			return a.old
		}
		a.recent.PopFirst()
		a.old += *n
	}
}
