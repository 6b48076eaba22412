package checks

import (
	"context"
	"errors"
	"time"

	"github.com/fxtasks/background/fxtasks"
)

// Retry is what a task is given by WithRetry. Its If refuses ErrHopeless, and panics for ErrUnbearable.
type Retry struct {
	MaxAttempts int           // 0: it is given none
	Delay       time.Duration // after an attempt, at least
	BreaksAfter int           // the attempt for which its Delay panics; 0: none
}

// Errors after which no attempt follows. Functions return the second by Permanent.
var (
	ErrHopeless   = errors.New("Retry.If says no")
	ErrPermanent  = errors.New("it is permanent")
	ErrUnbearable = errors.New("Retry.If panics")
)

// ErrBroken is what If and Delay panic with.
var ErrBroken = errors.New("a Retry's own panic")

// maxAttempts is how many attempts a task may have.
func (o *Order) maxAttempts() int { return max(1, o.Retry.MaxAttempts) }

// deeds gives what the function did in all attempts, in order.
func (a *Account) deeds() []Deed { return append(a.Earlier[:len(a.Earlier):len(a.Earlier)], a.Deed) }

// cause gives what the context of the attempt ended for.
func (d *Deed) cause() error {
	if d.Ctx == nil { // a history that was made up
		return context.Canceled
	}
	return context.Cause(d.Ctx)
}

// retries says whether another attempt follows d, unless something ends the task after it.
func (a *Account) retries(d *Deed) bool { return a.asksRetry(d) && !a.breaks(d) }

// breaks says whether the Retry panics when it is asked about d.
func (a *Account) breaks(d *Deed) bool {
	return d.Attempt == a.Retry.BreaksAfter || errors.Is(d.Returned, ErrUnbearable)
}

// broke says whether a panic of its Retry has ended the task. A submit that joined one has its record, and no attempt.
func (a *Account) broke() bool { return a.Attempt > 0 && errors.Is(a.Info.Err, ErrBroken) }

// asksRetry says whether the Retry is asked about d, unless something ends the task after it, and does not say no.
func (a *Account) asksRetry(d *Deed) bool {
	cause := d.cause()
	if d.Attempt == 0 || d.Attempt >= a.maxAttempts() || d.How == Exited || cause != context.Canceled && cause != fxtasks.ErrTimeout {
		return false
	}
	return d.How == Panicked || d.Returned != nil && !errors.Is(d.Returned, ErrHopeless) && !errors.Is(d.Returned, ErrPermanent)
}

// endedBetween says whether the task was cancelled while it waited for another attempt: the context
// of the latest then ended for another reason.
func (a *Account) endedBetween() bool {
	return a.Info.Status == fxtasks.Cancelled && a.Attempt > 0 && a.maxAttempts() > 1 && a.cause() != a.Info.CancelCause
}

// retried counts the attempts after which the task was put back.
func (a *Account) retried() (n uint64) {
	n = uint64(len(a.Earlier))
	if a.endedBetween() {
		n++
	}
	return n
}

// cutShort says whether the latest attempt failed, another was to follow, and the task was ended with this one.
func (a *Account) cutShort() bool { return a.hasFailed() && a.retries(&a.Deed) }

func (a *Account) hasFailed() bool {
	return a.Info.Status == fxtasks.Failed || a.Info.Status == fxtasks.TimedOut
}

// checkAttempts wants as many attempts as there were reasons for, each due when the one before and its delay
// were over, and the record to tell of them.
func (h *History) checkAttempts(f *Findings, a *Account) {
	i, before := &a.Info, (*Deed)(nil)
	if i.Attempt != a.Attempt || i.MaxAttempts != a.maxAttempts() || a.Attempt > a.maxAttempts() {
		a.complain(f, "its function was run %d times, its record says %d of %d, want at most %d", a.Attempt, i.Attempt, i.MaxAttempts, a.maxAttempts())
	}
	deeds := a.deeds()
	for n := range a.Earlier {
		d, next := &deeds[n], &deeds[n+1]
		if !a.retries(d) {
			a.complain(f, "attempt %d, which %s %s, was followed by another", d.Attempt, d.How, show(d.Returned))
		}
		if wait := next.Began.Sub(d.Ended); wait < a.Retry.Delay {
			a.complain(f, "attempt %d began %v after the one before, want %v", next.Attempt, wait, a.Retry.Delay)
		}
		if cause := d.cause(); cause == fxtasks.ErrTimeout && a.Timeout == 0 || d.Saw != nil && d.Saw != cause {
			a.complain(f, "the context of attempt %d ended for %v, and its function saw %v", d.Attempt, cause, d.Saw)
		}
		before = d
	}
	switch {
	case a.endedBetween():
		before = &a.Deed
		if !a.retries(before) {
			a.complain(f, "it was cancelled between attempts, and attempt %d was its last", a.Attempt)
		}
	case a.cutShort() && !h.endsRetries(a):
		a.complain(f, "another attempt was to follow, and did not")
	case a.hasFailed() && a.asksRetry(&a.Deed) && a.breaks(&a.Deed) && !a.broke() && !h.endsRetries(a):
		a.complain(f, "its Retry was to panic, and did not")
	}
	if !a.endedBetween() && a.Attempt > 0 && i.StartedAt.Before(i.NotBefore) {
		a.complain(f, "its latest attempt was not due yet")
	}
	if i.Status == fxtasks.Completed {
		before = nil
	}
	if before == nil && i.LastErr != nil || before != nil && !isFailure(i.LastErr, before) {
		a.complain(f, "its LastErr is %s", show(i.LastErr))
	}
}

// isFailure says whether err is what is on record of the attempt d.
func isFailure(err error, d *Deed) bool {
	switch {
	case d.How == Panicked:
		var p *fxtasks.PanicError
		return errors.As(err, &p) && isPanic(p, d.Panicked)
	case d.cause() == fxtasks.ErrTimeout:
		return matches(err, []error{fxtasks.ErrTimeout, context.DeadlineExceeded, d.Returned})
	default:
		return Same(err, d.Returned)
	}
}

// isBothFailures says whether err is what is on record of a task whose Retry has panicked after d.
func isBothFailures(err error, d *Deed) bool {
	return carries(err, ErrBroken) && (d.How != Panicked && carries(err, d.Returned) || isFailure(err, d))
}

// endsRetries says whether a could have had its last attempt before its time: the shutdown had begun, or it
// was asked to end after a timeout.
func (h *History) endsRetries(a *Account) bool {
	if _, perhaps := h.Drain.counts(a.Info.FinishedAt); perhaps {
		return true
	}
	for i := range h.Shutdowns {
		if s := &h.Shutdowns[i]; s.covers(a) && !a.Info.FinishedAt.Before(s.Called) {
			return true
		}
	}
	return a.Info.Status == fxtasks.TimedOut && (h.Asked[""] || h.Asked[a.Info.ID] || h.replaced(a))
}

// checkBegun wants what the record says when the function is called to be about this attempt.
func (e *Entry) checkBegun(i fxtasks.Info) {
	e.mu.Lock()
	defer e.mu.Unlock()
	before := &e.account.Deed
	switch {
	case !e.Bare && OrderOf(i) != e.N || i.Status != fxtasks.Running:
		e.findings.Addf("submit %d: its function is called for the task %s", e.N, brief(i))
	case before.Attempt > 0 && before.How == Unended:
		e.findings.Addf("submit %d: its function is called, and attempt %d goes on", e.N, before.Attempt)
	case i.Attempt != before.Attempt+1:
		e.findings.Addf("submit %d: its function is called for the attempt after %d, %s", e.N, before.Attempt, brief(i))
	case before.Attempt > 0 && !isFailure(i.LastErr, before), i.Progress != fxtasks.Progress{}:
		e.findings.Addf("submit %d: attempt %d begins with LastErr %s and %+v", e.N, i.Attempt, show(i.LastErr), i.Progress)
	}
}
