package checks

import (
	"errors"
	"time"

	"github.com/fxtasks/background/fxtasks"
)

// Waited wants err, which a call gave that waited for task, to be the task's Err, or that of a ctx
// which had ended.
func (f *Findings) Waited(call string, task *fxtasks.Task, err, ctxErr error) {
	finished := task.Status().Finished()
	if finished && Same(err, task.Err()) || ctxErr != nil && Same(err, ctxErr) {
		return
	}
	f.Addf("%s gave %s, and its ctx has %v, for the task %s", call, show(err), ctxErr, brief(task.Info()))
}

// Cancelled wants what Manager.Cancel gave to be one of its answers, and true.
func (f *Findings) Cancelled(info fxtasks.Info, err, ctxErr error, took, limit time.Duration) {
	var legal bool
	switch {
	case err == nil, errors.Is(err, fxtasks.ErrFinished):
		legal = info.Status.Finished()
	case errors.Is(err, fxtasks.ErrNotFound):
		legal = info.ID == ""
	case errors.Is(err, fxtasks.ErrStillRunning):
		legal = took >= limit
	default:
		legal = ctxErr != nil && errors.Is(err, ctxErr)
	}
	if !legal {
		f.Addf("Cancel gave %v after %v, and its ctx has %v, CancelTimeout is %v, %s", err, took, ctxErr, limit, brief(info))
	}
}

// Asked wants a task that a cancel has just been asked for to have ended, to be on record as asked,
// or to be about to end.
func (f *Findings) Asked(info fxtasks.Info, aboutToEnd bool) {
	if !info.Status.Finished() && info.CancelRequestedAt.IsZero() && !aboutToEnd {
		f.Addf("the task was cancelled and is left as it was, %s", brief(info))
	}
}
