package fxtasks

import "time"

// rivalLocked gives the known task that has the ID which was chosen for t, or nil.
func (r *registry) rivalLocked(t *Task, o *taskOptions) *Task {
	if !o.idSet {
		return nil
	}
	return r.byID[t.id]
}

func (o *taskOptions) joins(old *Task) bool { return old != nil && o.duplicate == Join }

func (o *taskOptions) rejects(old *Task) bool {
	return old != nil && o.duplicate == Reject && !old.status.Finished()
}

// replaceLocked makes way for t, which takes over the ID of old.
func (r *registry) replaceLocked(old, t *Task, now time.Time, then *aftermath) {
	waitsFor := old.predecessor
	switch {
	case old.status == Pending:
		r.dropLocked(old, endReplaced, now, then)
	case old.status == Running:
		waitsFor = old
		r.requestLocked(old, endReplaced, now, then)
	}
	if r.byID[old.id] == old && old.status.Finished() {
		r.forgetLocked(old)
	}
	if waitsFor != nil {
		t.predecessor, waitsFor.successor = waitsFor, t
	}
}

// joinResult leads a SubmitResult to the value of the task that it joins.
func joinResult(old *Task, result anyResultHandle) error {
	if result == nil || result.join(old.result) {
		return nil
	}
	has := "none"
	if old.result != nil {
		has = old.result.resultType().String()
	}
	return invalid("cannot join task %q (%s) for a result of type %v: its result type is %s",
		old.name, old.id, result.own().resultType(), has)
}
