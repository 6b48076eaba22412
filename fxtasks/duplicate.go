package fxtasks

import "fmt"

// DuplicatePolicy says what Submit does with a chosen ID that another task has; see WithDuplicate.
type DuplicatePolicy uint8

const (
	// Reject returns ErrDuplicateID while the ID's task is active. This is the default.
	Reject DuplicatePolicy = iota
	// Join returns the task that has the ID, also a finished one that is still retained, and
	// drops the new function.
	Join
	// Replace cancels the task that has the ID with ErrReplaced. The new task stays pending
	// until the old one has really returned.
	Replace
)

var policyNames = [...]string{"reject", "join", "replace"}

// String returns "reject", "join" or "replace".
func (p DuplicatePolicy) String() string {
	if int(p) < len(policyNames) {
		return policyNames[p]
	}
	return fmt.Sprintf("DuplicatePolicy(%d)", uint8(p))
}

// duplicateOf returns the known task that has the ID which was chosen for t, or nil.
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

// runningPredecessor returns the running task that must return before one that replaces old can start, or nil.
func runningPredecessor(old *Task) *Task {
	switch {
	case old == nil || old.status.Finished():
		return nil
	case old.status == Running:
		return old
	default:
		return old.predecessor
	}
}

// replace gives the ID of old to t. It cancels old, or forgets it if it has finished.
func (cs *section) replace(old, t *Task) {
	old.lostID = true
	p := runningPredecessor(old)
	if old.status.Finished() {
		cs.r.ended.Remove(old.order)
		cs.forget(old)
	} else {
		cs.ask(old, endReplaced)
	}
	if p != nil {
		t.predecessor, p.successor = p, t
	}
}

// unlinkReplacement undoes what replace linked, for a task t that has ended. The task that replaces t may start
// now. If t itself ended before the task that it was to replace, that one gets its ID back, unless t has lost
// it to a third.
func (cs *section) unlinkReplacement(t *Task) {
	if s := t.successor; s != nil {
		t.successor, s.predecessor = nil, nil
		delete(s.group.successors, s)
		if !s.isDelayed() {
			cs.enqueue(s)
		}
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

// joinResult makes a SubmitResult return the value of the task that it joins.
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
