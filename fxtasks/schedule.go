package fxtasks

import (
	"container/list"
	"time"
)

// settleLocked lets go on what can go on: tasks that wait for their slots again, then pending
// tasks, then submits that wait for room. Whoever ends a task, or frees a slot or room, calls it
// before the critical section ends, so that a free slot means that nothing is waiting for it.
func (r *registry) settleLocked(now time.Time, then *aftermath) {
	for {
		for r.resumeOneLocked() || r.startOneLocked(now, then) || r.admitOneLocked(now, then) {
		}
		full := !r.all.hasSlot()
		if full == r.full.Load() {
			break
		}
		r.full.Store(full)
		r.takeInLocked() // what was submitted just before relies on this call
		now = r.tickLocked(now)
	}
	if len(r.awaited) > 0 {
		r.tellIdleLocked()
	}
}

func (m *Manager) settle() {
	var then aftermath
	r, now := m.reg, time.Now()
	r.lock()
	r.settleLocked(r.tickLocked(now), &then)
	r.mu.Unlock()
	then.do(m)
}

// resumeOneLocked gives a slot to a task that has finished waiting.
func (r *registry) resumeOneLocked() bool {
	if r.resuming == 0 || !r.all.hasSlot() {
		return false
	}
	g := r.earliestLocked(func(g *Group) (uint64, bool) {
		if g.resuming.Len() == 0 || !g.hasSlot() {
			return 0, false
		}
		return g.firstResuming().seq, true
	})
	if g == nil {
		return false
	}
	t := g.firstResuming()
	r.stopReclaimLocked(t)
	r.takeSlotLocked(t)
	return true
}

// startOneLocked starts the task that was submitted first, of those whose group has a slot: a
// group at its own limit holds up nobody else.
func (r *registry) startOneLocked(now time.Time, then *aftermath) bool {
	if r.all.counts.Pending == r.successors.len || !r.all.hasSlot() {
		return false
	}
	g := r.earliestLocked(func(g *Group) (uint64, bool) {
		if g.pending.first == nil || !g.hasSlot() {
			return 0, false
		}
		return g.pending.first.seq, true
	})
	if g == nil {
		return false
	}
	r.startLocked(g.pending.popFront(), now, then)
	return true
}

func (r *registry) startLocked(t *Task, now time.Time, then *aftermath) {
	r.runLocked(t, now)
	then.starts.pushBack(t)
}

func (r *registry) runLocked(t *Task, now time.Time) {
	r.takeSlotLocked(t)
	r.moveLocked(t, Running, now)
}

// earliestLocked gives the group for which order gives the lowest number; nil when none has one.
// A scan, not a heap: it runs only when something waits, and groups are few.
func (r *registry) earliestLocked(order func(*Group) (uint64, bool)) *Group {
	var best *Group
	var lowest uint64
	for _, g := range r.groups {
		if n, ok := order(g); ok && (best == nil || n < lowest) {
			best, lowest = g, n
		}
	}
	return best
}

func (r *registry) takeSlotLocked(t *Task) {
	t.slot = true
	r.all.slots++
	t.group.slots++
}

func (r *registry) giveSlotLocked(t *Task) {
	if t.slot {
		t.slot = false
		r.all.slots--
		t.group.slots--
	}
}

// loan is that of a task's slot, while calls with its context wait.
type loan struct {
	calls   int           // that wait right now
	granted chan struct{} // closed when the last of them may return; nil: it does not ask for the slot yet
	place   *list.Element // in the line of those that do
}

func (g *Group) firstResuming() *Task { return g.resuming.Front().Value.(*Task) }

// beginWait notes that a call with t's context waits, and gives t's slot to somebody else. While
// any such call of t waits, t holds no slot: if the first to return took it back, a task that
// waits for several others at once could starve those that have not started yet.
func (m *Manager) beginWait(t *Task) {
	var then aftermath
	r, now := m.reg, time.Now()
	r.lock()
	now = r.tickLocked(now)
	if t.loan == nil {
		t.loan = new(loan)
	}
	t.loan.calls++
	r.stopReclaimLocked(t)
	r.giveSlotLocked(t)
	r.settleLocked(now, &then)
	r.mu.Unlock()
	then.do(m)
}

// endWait returns when t has its slot again, or does not need it: another of its calls waits, or
// it has been asked to end.
func (m *Manager) endWait(t *Task) {
	r := m.reg
	r.lock()
	t.loan.calls--
	if t.loan.calls > 0 || t.status != Running || t.request != nil {
		r.mu.Unlock()
		return
	}
	granted := make(chan struct{})
	t.loan.granted, t.loan.place = granted, t.group.resuming.PushBack(t)
	r.resuming++
	for r.resumeOneLocked() { // no aftermath: taking a slot starts nothing
	}
	r.mu.Unlock()
	<-granted
}

// stopReclaimLocked lets the call of t that waits for the slot return, if there is one.
func (r *registry) stopReclaimLocked(t *Task) {
	if t.loan == nil || t.loan.granted == nil {
		return
	}
	close(t.loan.granted)
	t.group.resuming.Remove(t.loan.place)
	t.loan.granted, t.loan.place = nil, nil
	r.resuming--
}
