package fxtasks

import "time"

// rivalLocked gives the known task that has the ID which was chosen for t, or nil.
func (r *registry) rivalLocked(t *Task) *Task {
	if !t.opts.idSet {
		return nil
	}
	return r.ids.find(t.opts.id)
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

// replaceLocked makes way for t, which has taken over the ID of old.
func (r *registry) replaceLocked(old, t *Task, now time.Time, then *aftermath) {
	old.shadowed = true
	p := waitsFor(old)
	if old.status.Finished() {
		r.forgetLocked(old)
	} else {
		r.requestLocked(old, endReplaced, now, then)
	}
	if p != nil {
		t.predecessor, p.successor = p, t
	}
}

// joinResult leads a SubmitResult to the value of the task that it joins.
func joinResult(old *Task, result anyResultHandle) error {
	if result == nil {
		return nil
	}
	has := "none"
	if of := old.opts.result; of != nil {
		if result.join(of.own()) {
			return nil
		}
		has = of.own().resultType().String()
	}
	return invalid("cannot join task %q (%s) for a result of type %v: its result type is %s",
		old.name, old.ID(), result.own().resultType(), has)
}
