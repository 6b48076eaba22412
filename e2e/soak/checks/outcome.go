package checks

import (
	"context"
	"errors"
	"reflect"

	"github.com/fxtasks/background/fxtasks"
)

// checkTask wants the record of a task to say what was ordered and what its function did.
func checkTask(f *Findings, a *Account) {
	i := &a.Info
	if i.Name != a.Name || i.Group != a.Group || a.ID != "" && i.ID != a.ID || i.Timeout != a.Timeout {
		a.complain(f, "its record has name %q, group %q, ID %q and timeout %v, want timeout %v", i.Name, i.Group, i.ID, i.Timeout, a.Timeout)
	}
	if !i.Status.Finished() {
		a.complain(f, "it is lost: it never finished, and its function %s", a.How)
		return
	}
	checkTimes(f, a)
	switch {
	case a.Attempt > 0 && a.How == Unended:
		a.complain(f, "it finished, and its function has not ended")
	case a.Attempt > 0 && !a.endedBetween():
		checkEnd(f, a)
		checkContext(f, a)
	case i.Status != fxtasks.Cancelled || i.CancelCause == nil || a.Attempt == 0 && !i.StartedAt.IsZero():
		a.complain(f, "its function never ran, want that it was cancelled before it started")
	case !matches(i.Err, causes(a)):
		a.complain(f, "its Err is %s, want one that matches its cause", show(i.Err))
	}
}

// checkTimes wants times in the order of a task's life, around what its function saw.
func checkTimes(f *Findings, a *Account) {
	i := &a.Info
	asked := !i.CancelRequestedAt.IsZero()
	switch {
	case i.CreatedAt.IsZero() || i.FinishedAt.Before(i.CreatedAt) || i.ExpiresAt.Before(i.FinishedAt):
		a.complain(f, "it was created at %v, finished at %v and expires at %v", i.CreatedAt, i.FinishedAt, i.ExpiresAt)
	case asked != (i.CancelCause != nil) || asked && (i.CancelRequestedAt.Before(i.CreatedAt) || i.CancelRequestedAt.After(i.FinishedAt)):
		a.complain(f, "it was asked to end at %v for %v", i.CancelRequestedAt, i.CancelCause)
	case a.Attempt > 0 && (i.StartedAt.Before(i.CreatedAt) || a.Began.Before(i.StartedAt)):
		a.complain(f, "its function was called at %v, want it after StartedAt", a.Began)
	case a.Attempt > 0 && i.FinishedAt.Before(a.Ended):
		a.complain(f, "its function ended %v after FinishedAt", a.Ended.Sub(i.FinishedAt))
	}
}

// checkEnd wants the status and the error that follow from what the function did and what was
// requested before.
func checkEnd(f *Findings, a *Account) {
	status, err := a.Info.Status, a.Info.Err
	var want fxtasks.Status
	right := false
	switch {
	case a.broke():
		want, right = fxtasks.Failed, a.asksRetry(&a.Deed) && a.breaks(&a.Deed) && isBothFailures(err, &a.Deed)
	case a.How == Panicked:
		var p *fxtasks.PanicError
		want, right = fxtasks.Failed, errors.As(err, &p) && isPanic(p, a.Panicked)
	case a.How == Exited:
		want, right = fxtasks.Failed, errors.Is(err, fxtasks.ErrGoexit)
	case a.Returned == nil:
		want, right = fxtasks.Completed, err == nil
	case a.Info.CancelCause == nil:
		want, right = fxtasks.Failed, Same(err, a.Returned)
	case a.Info.CancelCause == fxtasks.ErrTimeout:
		want, right = fxtasks.TimedOut, matches(err, append(causes(a), a.Returned))
	default:
		want, right = fxtasks.Cancelled, matches(err, append(causes(a), a.Returned))
	}
	if status != want {
		a.complain(f, "it is %v, want %v: its function %s %s", status, want, a.How, show(a.Returned))
	}
	if !right {
		a.complain(f, "its Err is %s: its function %s %s, %v", show(err), a.How, show(a.Returned), a.Panicked)
	}
}

func isPanic(p *fxtasks.PanicError, value any) bool {
	return len(p.Stack) > 0 && isPanicValue(p.Value, value)
}

func isPanicValue(got, value any) bool {
	if value == nil { // panic(nil) arrives as an error of the runtime
		err, ok := got.(error)
		return ok && err != nil
	}
	return got == value
}

// causes gives what the Err of a task that was asked to end matches besides what its function returned.
func causes(a *Account) []error {
	cause := a.Info.CancelCause
	switch cause {
	case fxtasks.ErrTimeout:
		return []error{cause, context.DeadlineExceeded}
	case fxtasks.ErrCancelled, fxtasks.ErrReplaced, fxtasks.ErrShutdown:
		return []error{cause, context.Canceled}
	default: // a caller's own
		return []error{cause, fxtasks.ErrCancelled}
	}
}

// checkContext wants the function's context to have ended by now, for the reason on record, and for
// no other while the function could see it.
func checkContext(f *Findings, a *Account) {
	if a.Saw != nil && a.Saw != a.Info.CancelCause {
		a.complain(f, "its function saw its context end for %v", a.Saw)
	}
	if a.Ctx == nil { // a history that was made up
		return
	}
	want := a.Info.CancelCause
	if want == nil {
		want = context.Canceled
	}
	if got := context.Cause(a.Ctx); got != want {
		a.complain(f, "the cause of its context's end is %v, want %v", got, want)
	}
}

func matches(err error, want []error) bool {
	for _, w := range want {
		if !carries(err, w) {
			return false
		}
	}
	return true
}

// carries is errors.Is that also finds errors which cannot be compared, by their type.
func carries(err, target error) bool {
	t := reflect.TypeOf(target)
	if t.Comparable() {
		return errors.Is(err, target)
	}
	return errors.As(err, reflect.New(t).Interface())
}

// Same says whether a and b are the same error, also if such errors cannot be compared.
func Same(a, b error) bool {
	if a == nil || b == nil {
		return a == nil && b == nil
	}
	if reflect.TypeOf(a).Comparable() {
		return a == b
	}
	return reflect.TypeOf(a) == reflect.TypeOf(b)
}
