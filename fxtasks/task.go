package fxtasks

import (
	"context"
	"time"

	"github.com/google/uuid"
)

// Func is the work of a task. It should return soon after ctx has ended: nothing can stop a
// function that does not. A panic in it fails the task; a panic in a goroutine that it starts
// ends the process, as in any Go program.
type Func func(ctx context.Context) error

// Task is a handle on one piece of submitted work. It stays valid after the manager has forgotten
// the task's record. Its methods may be called by any number of goroutines.
type Task struct {
	// Written before the task is on record, only read after.
	group       *Group
	generatedID uuid.UUID // its ID, unless one was chosen
	name        string
	stats       *nameStats
	opts        *taskOptions
	seq         uint64
	created     time.Time
	depth       int32 // how many tasks were in the inbox when it was pushed, itself included
	logsDebug   bool  // whether the logger took debug lines at the submit: sections cannot ask, since that is the user's code

	// Written by the goroutine that runs the task before it pushes it to the inbox of returned tasks, or by a
	// section if the task never ran; read in sections after.
	outcome Status
	failure *failure // nil: it completed

	// Protected by the registry's mutex, like all that follows.
	status      Status
	slot        bool // holds one of the manager's and its group's slots
	lostID      bool // its ID means another task now: see Replace
	expired     bool // its record was forgotten because of its age
	external    bool // it was submitted by Run: it has no slot, and no record once it has ended
	logging     bool // a section has ended it and its line is still to be written; Done is closed after that
	startedAt   sinceCreated
	finishedAt  sinceCreated
	requestedAt sinceCreated
	request     *ending // why it was asked to end; nil: it was not
	reported    *Progress
	order       uint64 // its place among others: its turn while it is pending, the number of its end when it has finished

	// nil once the task has finished: a retained record keeps neither what fn captured nor the
	// submitter's values.
	fn  Func
	ctx *taskContext

	done        chan struct{} // made by the first Done
	attempts    *attempts     // nil: it has one attempt, which is due at once
	waits       *waits        // what it waits for, and who waits for it; nil: nothing and nobody
	successor   *Task         // was submitted under Replace and waits until this one has returned
	predecessor *Task         // the task that this one is to replace, while that one runs

	next  *Task // in the inbox of returned tasks, or in a taskQueue
	below *Task // in the inbox of submitted tasks
}

// sinceCreated is when something happened to a task, in nanoseconds since it was created, plus one.
// 0: it has not. A time.Time takes three times the room.
type sinceCreated int64

func (t *Task) since(now time.Time) sinceCreated { return sinceCreated(now.Sub(t.created)) + 1 }

// at returns the time of s, and the zero time for 0.
func (t *Task) at(s sinceCreated) time.Time {
	if s == 0 {
		return time.Time{}
	}
	return t.created.Add(time.Duration(s - 1))
}

// ID returns the task's ID: the one that WithID chose, or a UUIDv7.
func (t *Task) ID() string {
	if t.opts.idSet {
		return t.opts.id
	}
	return t.generatedID.String()
}

// Name returns the name that the task was submitted with.
func (t *Task) Name() string { return t.name }

// String returns the name and the ID.
func (t *Task) String() string { return t.name + " " + t.ID() }

// Status returns the status that the task has now.
func (t *Task) Status() Status {
	cs := t.group.m.reg.enter()
	defer cs.leave()
	return t.status
}

// Done returns a channel that is closed when the task has finished: fn has returned, its record no
// longer changes, and the line of its end is in the log.
func (t *Task) Done() <-chan struct{} {
	cs := t.group.m.reg.enter()
	defer cs.leave()
	if c := t.doneChan(); c != nil {
		return c
	}
	return closedChan
}

// doneChan returns nil for a task that has finished. It is called in a section.
func (t *Task) doneChan() chan struct{} {
	if t.status.Finished() && !t.logging {
		return nil
	}
	if t.done == nil {
		t.done = make(chan struct{})
	}
	return t.done
}

// Err returns why the task did not complete: what fn returned, a *PanicError, ErrGoexit, or for a
// cancelled or timed-out task an error that matches the cause and what fn returned. It is nil for
// a task that completed or has not finished.
func (t *Task) Err() error {
	cs := t.group.m.reg.enter()
	defer cs.leave()
	return t.err()
}

// err is Err, called in a section.
func (t *Task) err() error {
	if !t.status.Finished() {
		return nil // until then failure belongs to the goroutine that runs the task
	}
	return t.final()
}

// errText returns the text of err, or of the failure of the attempt before. It is called in a section.
func (t *Task) errText() string {
	switch {
	case t.status.Finished() && t.failure != nil:
		return t.failure.text
	case t.attempts != nil && t.attempts.last != nil:
		return t.attempts.last.text
	}
	return ""
}

// Texts returns the texts of Info's LastErr and CancelCause. Like ErrText they were made once, when the
// attempt ended and when the end was asked for: they are there for whoever shows tasks and must not call
// the application's Error methods. "" stands for an error that is nil.
func (t *Task) Texts() (lastErr, cancelCause string) {
	cs := t.group.m.reg.enter()
	defer cs.leave()
	if t.attempts != nil && t.attempts.last != nil {
		lastErr = t.attempts.last.text
	}
	if t.request != nil {
		cancelCause = t.request.text
	}
	return lastErr, cancelCause
}

// Wait blocks until the task has finished and returns its Err, or ctx's error if ctx ends first.
// Called with a task's own context, that task counts as waiting meanwhile: this one may then start
// ahead of its turn. A task that waits for itself, or for one that waits for it, gets ErrInvalid.
func (t *Task) Wait(ctx context.Context) error {
	if err := t.await(ctx); err != nil {
		return err
	}
	return t.final()
}

// final returns the Err of a task that is known to have finished. It enters no section: 200,000 waiters of one task
// would queue for the mutex.
func (t *Task) final() error {
	if t.failure == nil {
		return nil
	}
	return t.failure.err
}

// await blocks until the task has finished. Its error tells why it has not.
func (t *Task) await(ctx context.Context) error {
	return t.group.m.waitFor(ctx, wait{task: t})
}

// Cancel asks the task to end, with cause, or ErrCancelled when cause is nil, as its context's
// cause. It does not wait: a task that runs is Running until its function returns. One that has
// not started ends at once, one that has ended or was asked before is left as it is.
func (t *Task) Cancel(cause error) {
	t.group.m.ask(endByCaller(cause), t)
}
