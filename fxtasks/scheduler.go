package fxtasks

import "math"

// schedule starts queued tasks in their turn, or ahead of it if others wait for them, and admits blocked submits,
// until none can start or be admitted any more. Every section ends with it, so that a free slot means that nothing
// which may still start waits for one.
func (cs *section) schedule() {
	r := cs.r
	for {
		for cs.startInTurn() || len(r.readyAwaited) > 0 && cs.startAwaited() || r.blocked.len > 0 && cs.admitBlocked() {
		}
		full := !r.all.hasSlot() && len(r.readyAwaited) == 0 && r.blocked.waits == 0
		if full == r.full.Load() {
			break
		}
		r.full.Store(full)
		cs.recordSubmitted() // a quick submit that saw the old value left its scheduling to this section
	}
	if len(r.idleAwaited) > 0 {
		cs.notifyIdle()
	}
}

// startInTurn starts the queued task with the earliest turn, of those whose group has a slot: a
// group at its own limit holds up nobody else.
func (cs *section) startInTurn() bool {
	r := cs.r
	if r.ready.Len() == 0 || !r.all.hasSlot() {
		return false
	}
	g, _ := r.ready.Top()
	_, t, _ := g.queue.First()
	if cs.isCutOff(t) {
		return false // the clock of the drain ends it, in steps: this section would have to end all of a long queue
	}
	cs.startQueued(t)
	return true
}

// startQueued starts a task out of the queue of its group.
func (cs *section) startQueued(t *Task) {
	t.group.removeQueued(t)
	cs.start(t)
	cs.r.placeGroup(t.group)
}

// enqueue puts t in the queue of its group, by its turn, unless it has to wait for the task that it replaces.
func (cs *section) enqueue(t *Task) {
	if t.predecessor != nil {
		return
	}
	g := t.group
	g.queue.Insert(t.order, t)
	if t.waits != nil && len(t.waits.awaitedBy) > 0 {
		g.awaitedQueue.Insert(t.order, t)
	}
	cs.r.placeGroup(g)
}

// isQueued reports whether t is in the queue of its group.
func (t *Task) isQueued() bool {
	return t.status == Pending && t.predecessor == nil && !t.isDelayed()
}

// dequeue removes t from the queue of its group.
func (cs *section) dequeue(t *Task) {
	t.group.removeQueued(t)
	cs.r.placeGroup(t.group)
}

func (g *Group) removeQueued(t *Task) {
	g.queue.Remove(t.order)
	if t.waits != nil {
		g.awaitedQueue.Remove(t.order)
	}
}

// noTurn is later than all turns.
const noTurn = math.MaxUint64

// placeGroup puts g into ready and readyAwaited, moves it there or takes it out, as it should be now. It must be
// called after each change of the queue or the slots of g, or of who waits for what is in the queue.
func (r *registry) placeGroup(g *Group) {
	turn, _, queued := g.queue.First()
	if !queued {
		turn = noTurn
	}
	moved := turn != g.turn
	g.turn = turn
	switch ready := queued && g.hasSlot(); {
	case !ready && g.readyIndex >= 0:
		r.ready.Remove(g.readyIndex)
	case ready && g.readyIndex < 0:
		r.ready.Push(g)
	case ready && moved:
		r.ready.Fix(g.readyIndex)
	}
	wanting := (g.awaitedQueue.Len() > 0 || len(g.awaitedBy) > 0 || len(g.roomAwaitedBy) > 0) && g.mayWork()
	if wanting == (g.readyAwaitedIndex >= 0) {
		return
	}
	if wanting {
		g.readyAwaitedIndex = len(r.readyAwaited)
		r.readyAwaited = append(r.readyAwaited, g)
		return
	}
	last := len(r.readyAwaited) - 1
	r.readyAwaited[g.readyAwaitedIndex] = r.readyAwaited[last]
	r.readyAwaited[g.readyAwaitedIndex].readyAwaitedIndex = g.readyAwaitedIndex
	r.readyAwaited[last] = nil
	r.readyAwaited = r.readyAwaited[:last]
	g.readyAwaitedIndex = -1
}
