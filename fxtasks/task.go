package fxtasks

import (
	"context"
	"maps"
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
	group   *Group
	madeID  uuid.UUID // its ID, unless one was chosen
	name    string
	stats   *nameStats
	opts    *taskOptions
	seq     uint64
	created time.Time
	depth   int32 // how many tasks lay in the inbox with it

	// Written by the goroutine that runs the task before it hands it in as returned, read in sections
	// after; by a section if the task never ran.
	outcome Status
	failure *failure // nil: it completed

	// Protected by the registry's mutex, like all that follows.
	status      Status
	slot        bool // holds one of the manager's and its group's slots
	shadowed    bool // its ID means another task now
	expired     bool // its record was forgotten because of its age
	outside     bool // Run runs it, without a slot
	logging     bool // ended without having run, and Done is closed when that is in the log
	startedAt   sinceCreated
	finishedAt  sinceCreated
	requestedAt sinceCreated
	request     *ending // why it was asked to end; nil: it was not
	reported    *Progress
	order       uint64 // its turn while it is pending, the number of its end when it has finished

	// nil once the task has finished: a retained record keeps neither what fn captured nor the
	// submitter's values.
	fn  Func
	ctx *taskContext

	done        chan struct{} // made by the first Done
	attempts    *attempts     // nil: it has one attempt, which is due at once
	waits       *waits        // what it waits for, and who waits for it; nil: nothing and nobody
	successor   *Task         // was submitted under Replace and waits until this one has returned
	predecessor *Task         // the other way round

	next     *Task // in the inbox of returned tasks, or in a taskQueue
	below    *Task // in the inbox of submitted tasks
	nextByID *Task // in idIndex.made
}

// Info is what is known about a task at one moment. It is a copy: it never changes under the
// reader, who may keep and change it. It is not made to be encoded: show a type of your own.
type Info struct {
	Seq               uint64 // submission number, unique in its manager
	ID, Name, Group   string // Group is "" for a task of no group
	Status            Status
	Err               error // what Task.Err gives
	Metadata          map[string]string
	Progress          Progress
	CreatedAt         time.Time
	StartedAt         time.Time     // zero until it runs
	FinishedAt        time.Time     // zero until it has ended
	ExpiresAt         time.Time     // when the record is forgotten at the latest; zero until it has ended
	Timeout           time.Duration // 0: none
	CancelRequestedAt time.Time     // zero: not asked. Asked is not ended: Status stays Running until fn returns
	CancelCause       error         // nil: not asked; ErrTimeout after a timeout
	Attempt           int           // of the attempt that runs or ran last, from 1; 0 before the first
	MaxAttempts       int           // 1 without WithRetry
	NotBefore         time.Time     // when the latest attempt was or is due, by WithDelay or Retry.Delay; zero: when it was submitted
	LastErr           error         // of the latest attempt that another followed, or is to follow; nil before that, and when it completed
	ErrText           string        // the text of Err, or of LastErr, made once, when the attempt ended
}

// Progress is how far a task is, in its own unit.
type Progress struct {
	Current, Total int64 // Total 0: unknown
	Unit, Message  string
	UpdatedAt      time.Time // when it was reported; zero: never
}

// sinceCreated is when something happened to a task, in nanoseconds since it was created, plus one.
// 0: it has not. A time.Time takes three times the room.
type sinceCreated int64

func (t *Task) since(now time.Time) sinceCreated { return sinceCreated(now.Sub(t.created)) + 1 }

func (t *Task) at(s sinceCreated) time.Time {
	if s == 0 {
		return time.Time{}
	}
	return t.created.Add(time.Duration(s - 1))
}

// ID gives which task this is: what WithID chose, or a UUIDv7.
func (t *Task) ID() string {
	if t.opts.idSet {
		return t.opts.id
	}
	return t.madeID.String()
}

// Name gives what kind of work this is.
func (t *Task) Name() string { return t.name }

// String gives the name and the ID.
func (t *Task) String() string { return t.name + " " + t.ID() }

// Status gives where the task is in its life.
func (t *Task) Status() Status {
	cs := t.group.m.reg.enter()
	defer cs.leave()
	return t.status
}

// Info gives all that is known about the task now.
func (t *Task) Info() Info {
	cs := t.group.m.reg.enter()
	info := t.info()
	cs.leave()
	return info.own(t)
}

// Done gives a channel that is closed when the task has finished: fn has returned, its record no
// longer changes, and the line of its end is in the log.
func (t *Task) Done() <-chan struct{} {
	cs := t.group.m.reg.enter()
	defer cs.leave()
	if c := t.doneChan(); c != nil {
		return c
	}
	return closedChan
}

var closedChan = func() chan struct{} {
	c := make(chan struct{})
	close(c)
	return c
}()

// doneChan gives nil for a task that has finished. It is called in a section.
func (t *Task) doneChan() chan struct{} {
	if t.status.Finished() && !t.logging {
		return nil
	}
	if t.done == nil {
		t.done = make(chan struct{})
	}
	return t.done
}

// Err gives why the task did not complete: what fn returned, a *PanicError, ErrGoexit, or for a
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
		return nil // what is there before the end belongs to the goroutine that runs it
	}
	return t.final()
}

// errText gives the text of err, or of the attempt before, called in a section.
func (t *Task) errText() string {
	switch {
	case t.status.Finished() && t.failure != nil:
		return t.failure.text
	case t.attempts != nil && t.attempts.last != nil:
		return t.attempts.last.text
	}
	return ""
}

// Texts gives the texts of Info's LastErr and CancelCause. Like ErrText they were made once, when the
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

// Wait blocks until the task has finished and gives its Err, or ctx's error if ctx ends first.
// Called with a task's own context, that task counts as waiting meanwhile: this one may then start
// ahead of its turn. A task that waits for itself, or for one that waits for it, gets ErrInvalid.
func (t *Task) Wait(ctx context.Context) error {
	if err := t.await(ctx); err != nil {
		return err
	}
	return t.final()
}

// final is Err of a task that is known to have finished. It enters no section: 200,000 who wait for one
// task would all stand in line for it.
func (t *Task) final() error {
	if t.failure == nil {
		return nil
	}
	return t.failure.err
}

// await blocks until the task has finished. Its error tells why it has not.
func (t *Task) await(ctx context.Context) error {
	return t.group.m.waitFor(ctx, wait{task: t}, func(*section) chan struct{} { return t.doneChan() })
}

// Cancel asks the task to end, with cause, or ErrCancelled when cause is nil, as its context's
// cause. It does not wait: a task that runs is Running until its function returns. One that has
// not started ends at once, one that has ended or was asked before is left as it is.
func (t *Task) Cancel(cause error) {
	t.group.m.ask(endByCaller(cause), t)
}

// info is called in a section. It shares the metadata with the record and has no ID; own ends that.
func (t *Task) info() Info {
	info := Info{
		Seq:         t.seq,
		Name:        t.name,
		Group:       t.group.name,
		Status:      t.status,
		Err:         t.err(),
		ErrText:     t.errText(),
		Metadata:    t.opts.metadata,
		CreatedAt:   t.created,
		StartedAt:   t.at(t.startedAt),
		FinishedAt:  t.at(t.finishedAt),
		Timeout:     t.opts.timeout,
		MaxAttempts: 1,
	}
	switch a := t.attempts; {
	case a != nil:
		info.Attempt, info.MaxAttempts, info.NotBefore = a.number, max(1, a.retry.MaxAttempts), a.notBefore
		if a.last != nil {
			info.LastErr = a.last.err
		}
	case t.startedAt != 0:
		info.Attempt = 1
	}
	if t.reported != nil {
		info.Progress = *t.reported
	}
	if t.request != nil {
		info.CancelRequestedAt, info.CancelCause = t.at(t.requestedAt), t.request.cause
	}
	if t.status.Finished() {
		info.ExpiresAt = t.group.m.reg.expiresAt(t)
	}
	return info
}

// own completes what info gave. It needs no section, in which nothing should be allocated that need not be:
// ID and metadata never change.
func (i Info) own(t *Task) Info {
	i.ID = t.ID()
	i.Metadata = maps.Clone(i.Metadata)
	return i
}
