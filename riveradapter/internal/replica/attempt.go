package replica

import (
	"context"
	"encoding/json"
	"errors"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/riverqueue/river"
	"github.com/riverqueue/river/rivertype"

	"github.com/fxtasks/background/fxtasks"
)

// IsMiddleware makes a replica River's middleware, for workers and inserts.
func (r *Replica[TTx]) IsMiddleware() bool { return true }

// Work runs an attempt as a task. River's timeout begins inside of it. River calls it twice: as the worker's
// outermost middleware, and within that as its configuration's, where it is for workers that Configure has added.
func (r *Replica[TTx]) Work(ctx context.Context, row *rivertype.JobRow, doInner func(context.Context) error) error {
	if r.active.has(row) {
		return doInner(ctx)
	}
	group, err := r.group(row.Queue)
	if err != nil {
		return err
	}
	taskCtx, cancel := context.WithCancelCause(r.extract(context.WithoutCancel(ctx), row))
	defer cancel(nil)
	stop := context.AfterFunc(ctx, func() { cancel(r.causeOf(ctx, row)) })
	defer stop()

	a := &attempt{row: row, began: time.Now(), cancel: cancel}
	r.active.add(a)
	defer r.active.remove(a)
	defer r.progress.ended(a)
	defer cleanUpdates(ctx)
	defer func() {
		if v := recover(); v != nil { // again, so that River sees it; the stack that it takes has the worker's frames
			if !r.settle(a) {
				abandon(ctx)
			}
			panic(storablePanic(v))
		}
	}()

	var snooze atomic.Pointer[error] // what the worker returned, if it was that: a middleware may have left it behind
	err = group.Run(taskCtx, row.Kind, func(ctx context.Context) error {
		if t, ok := fxtasks.FromContext(ctx); ok {
			a.task.Store(t)
		}
		err := doInner(ctx)
		if isSnooze(err) {
			snooze.Store(&err)
			return nil
		}
		return forTask(row, storable(err))
	}, fxtasks.WithMetadata(map[string]string{
		"job_id":       strconv.FormatInt(row.ID, 10),
		"queue":        row.Queue,
		"attempt":      strconv.Itoa(row.Attempt),
		"max_attempts": strconv.Itoa(row.MaxAttempts),
	}))
	if marked, ok := err.(retried); ok {
		err = marked.error
	}
	if !r.settle(a) {
		abandon(ctx)
		return err
	}
	if err == nil {
		if s := snooze.Load(); s != nil {
			return *s
		}
		return nil
	}
	return r.outcome(ctx, a, taskCtx, err)
}

// outcome gives what River is to be told of an attempt that returned err.
func (r *Replica[TTx]) outcome(ctx context.Context, a *attempt, taskCtx context.Context, err error) error {
	t := a.task.Load()
	if t == nil { // it was refused
		if errors.Is(err, fxtasks.ErrShuttingDown) {
			r.stopFetching()
			return river.JobSnooze(0)
		}
		return storable(err)
	}
	if errors.Is(context.Cause(ctx), rivertype.ErrJobCancelledRemotely) {
		return storable(err)
	}
	cause := t.Info().CancelCause
	if cause == nil {
		cause = context.Cause(taskCtx)
	}
	switch {
	case cause == nil:
		return storable(err)
	case errors.Is(cause, fxtasks.ErrShutdown):
		return r.interrupt(ctx, err)
	case errors.Is(cause, errCutOff):
		return river.JobSnooze(0)
	}
	return river.JobCancel(storable(err)) // cancelled as a task: on the page, or by CancelAll
}

// interrupted is what River takes for a job that a stop has cut short, which refunds the attempt.
type interrupted struct{ returned error }

func (e *interrupted) Error() string   { return e.returned.Error() }
func (e *interrupted) Unwrap() []error { return []error{context.Canceled, e.returned} }

// interrupt gives the job back. River does that only for jobs whose context it has ended itself.
func (r *Replica[TTx]) interrupt(ctx context.Context, err error) error {
	r.stopFetching()
	r.hardStop()
	<-ctx.Done()
	return &interrupted{storable(err)}
}

// causeOf translates why River has ended the context of an attempt.
func (r *Replica[TTx]) causeOf(ctx context.Context, row *rivertype.JobRow) error {
	if !errors.Is(context.Cause(ctx), rivertype.ErrJobCancelledRemotely) {
		return fxtasks.ErrShutdown
	}
	const patience = 500 * time.Millisecond // the job is to end within a second, with its reason or without
	ask, cancel := context.WithTimeout(context.WithoutCancel(ctx), patience)
	defer cancel()
	fresh, err := r.reader.JobGet(ask, row.ID)
	if err != nil {
		return fxtasks.ErrCancelled
	}
	return parseMetadata(fresh.Metadata).Cancel.cause()
}

// LeaveAlone reports whether River's rescuer is to leave the job alone. River's executor asks too, before the
// work, with the very row that runs here.
func (r *Replica[TTx]) LeaveAlone(row *rivertype.JobRow) bool {
	if r.active.has(row) {
		return false
	}
	_, ours := instanceOf(ownerOf(row))
	return ours
}

// extract gives ctx what was carried from the insert.
func (r *Replica[TTx]) extract(ctx context.Context, row *rivertype.JobRow) context.Context {
	if r.propagator == nil {
		return ctx
	}
	if carried := parseMetadata(row.Metadata).Carried; len(carried) > 0 {
		return r.propagator.Extract(ctx, carried)
	}
	return ctx
}

// metadata is what this package keeps in a job's metadata, and what it reads of River's.
type metadata struct {
	CancelAttemptedAt time.Time         `json:"cancel_attempted_at"`
	Cancel            cancelNote        `json:"background:cancel"`
	Carried           map[string]string `json:"background:carried"`
}

// parseMetadata reads what it can: the rest is the user's, who may have written anything.
func parseMetadata(doc []byte) metadata {
	var m metadata
	_ = json.Unmarshal(doc, &m)
	return m
}
