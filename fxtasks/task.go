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
	// Written before the task is published, only read after.
	group   *Group
	madeID  uuid.UUID // its ID, unless one was chosen
	name    string
	label   *nameStats
	opts    *taskOptions
	seq     uint64
	created time.Time

	// Written by the goroutine that runs the task before it hands in the task as returned, only
	// read after.
	err     error
	outcome Status

	// Protected by the registry's mutex, like all that follows.
	status    Status
	slot      bool  // holds one of the manager's and its group's slots
	shadowed  bool  // its ID means another task now
	depth     int32 // not so protected: how many tasks lay in the inbox with it, written before it was pushed
	started   moment
	finished  moment
	requested moment
	request   *ending // why it was asked to end; nil: it was not
	reported  *Progress

	// nil once the task has finished: a retained record keeps neither what fn captured nor the
	// submitter's values.
	fn  Func
	ctx *taskContext

	done        chan struct{} // made by the first Done
	loan        *loan         // of the slot; nil: there never was one
	successor   *Task         // was submitted under Replace and waits until this one has returned
	predecessor *Task         // the other way round

	newer, older *Task // all records, by seq
	next, prev   *Task // the one taskList that it is in
	nextByID     *Task // in the same bucket of the idIndex
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

	// stand-ins for the engine's
	Attempt, MaxAttempts int
	NotBefore            time.Time
	LastErr              error
	ErrText              string
}

// Progress is how far a task is, in its own unit.
type Progress struct {
	Current, Total int64 // Total 0: unknown
	Unit, Message  string
	UpdatedAt      time.Time // when it was reported; zero: never
}

// moment is when something happened to a task, in nanoseconds since it was created, plus one. 0:
// it has not. A time.Time takes three times the room.
type moment int64

func (t *Task) moment(now time.Time) moment { return moment(now.Sub(t.created)) + 1 }

func (t *Task) at(m moment) time.Time {
	if m == 0 {
		return time.Time{}
	}
	return t.created.Add(time.Duration(m - 1))
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
	t.group.m.reg.lock()
	defer t.group.m.reg.mu.Unlock()
	return t.status
}

// Info gives all that is known about the task now.
func (t *Task) Info() Info {
	t.group.m.reg.lock()
	info := t.infoLocked()
	t.group.m.reg.mu.Unlock()
	return info.own()
}

// Done gives a channel that is closed when the task has finished: fn has returned, and its record
// no longer changes.
func (t *Task) Done() <-chan struct{} {
	t.group.m.reg.lock()
	defer t.group.m.reg.mu.Unlock()
	if t.status.Finished() {
		return closedChan
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
	t.group.m.reg.lock()
	defer t.group.m.reg.mu.Unlock()
	return t.errLocked()
}

func (t *Task) errLocked() error {
	if !t.status.Finished() {
		return nil // what is there belongs to the goroutine that runs it
	}
	return t.err
}

// Wait blocks until the task has finished and gives its Err, or ctx's error if ctx ends first.
// Called with a task's own context it gives that task's slot back meanwhile. A task that waits
// for itself gets ErrInvalid.
func (t *Task) Wait(ctx context.Context) error {
	if err := t.await(ctx); err != nil {
		return err
	}
	return t.err // final, and without the lock that whoever has ended the task may still hold
}

// await blocks until the task has finished. Its error tells why it has not.
func (t *Task) await(ctx context.Context) error {
	if err := t.group.m.checkWait(ctx, func(self *Task) bool { return self == t }); err != nil {
		return err
	}
	return await(ctx, t.Done())
}

// Cancel asks the task to end, with cause, or ErrCancelled when cause is nil, as its context's
// cause. It does not wait: a task that runs is Running until its function returns. One that has
// not started ends at once, one that has ended or was asked before is left as it is.
func (t *Task) Cancel(cause error) {
	t.group.m.request(endByCaller(cause), t)
}

// infoLocked shares the metadata with the record; own ends that.
func (t *Task) infoLocked() Info {
	info := Info{
		Seq:        t.seq,
		ID:         t.ID(),
		Name:       t.name,
		Group:      t.group.name,
		Status:     t.status,
		Err:        t.errLocked(),
		Metadata:   t.opts.metadata,
		CreatedAt:  t.created,
		StartedAt:  t.at(t.started),
		FinishedAt: t.at(t.finished),
		Timeout:    t.opts.timeout,
	}
	if t.reported != nil {
		info.Progress = *t.reported
	}
	if t.request != nil {
		info.CancelRequestedAt, info.CancelCause = t.at(t.requested), t.request.cause
	}
	if t.status.Finished() {
		info.ExpiresAt = t.group.m.reg.expiresAt(t)
	}
	return info
}

// own makes i independent of the record. It needs no lock: a record's metadata never changes.
func (i Info) own() Info {
	i.Metadata = maps.Clone(i.Metadata)
	return i
}
