package fxtasks

// duplicateOf gives the known task that has the ID which was chosen for t, or nil.
func (r *registry) duplicateOf(t *Task) *Task {
	if !t.opts.idSet {
		return nil
	}
	return r.find(t.opts.id)
}

func (t *Task) joins(old *Task) bool { return old != nil && t.opts.duplicate == Join }

func (t *Task) rejects(old *Task) bool {
	return old != nil && t.opts.duplicate == Reject && !old.status.Finished()
}

// waitsFor gives the running task that must return before one that replaces old can start, or nil.
func waitsFor(old *Task) *Task {
	switch {
	case old == nil || old.status.Finished():
		return nil
	case old.status == Running:
		return old
	default:
		return old.predecessor
	}
}

// replace makes way for t, which takes over the ID of old.
func (cs *section) replace(old, t *Task) {
	old.lostID = true
	p := waitsFor(old)
	if old.status.Finished() {
		cs.forget(old)
	} else {
		cs.ask(old, endReplaced)
	}
	if p != nil {
		t.predecessor, p.successor = p, t
	}
}

// unlinkReplacement gives what waits for the end of t its due: the task that replaces it may start, and the
// ID of the one that it was to replace is that one's again, unless t itself is replaced.
func (cs *section) unlinkReplacement(t *Task) {
	if s := t.successor; s != nil {
		t.successor, s.predecessor = nil, nil
		delete(s.group.successors, s)
		cs.enqueueWhenDue(s)
	}
	if p := t.predecessor; p != nil {
		t.predecessor, p.successor = nil, nil
		delete(t.group.successors, t)
		if !t.lostID {
			cs.r.index.restore(p)
			t.lostID, p.lostID = true, false
		}
	}
}

// joinResult leads a SubmitResult to the value of the task that it joins.
func joinResult(old *Task, result resultHandle) error {
	if result == nil || result.join(old.opts.result) {
		return nil
	}
	has := "none"
	if old.opts.result != nil {
		has = old.opts.result.resultType().String()
	}
	return invalid("cannot join task %q (%s) for a result of type %v: its result type is %s",
		old.name, old.ID(), result.resultType(), has)
}
