package checks

import (
	"errors"
	"time"

	"github.com/fxtasks/background/fxtasks"
)

// Cause is a cause that a cancel gives. It says whom it is for.
type Cause struct {
	For string // the ID of the task; "": all tasks
}

// Error implements error.
func (c *Cause) Error() string { return "the soak program cancels " + c.For }

// asking is how long a shutdown may take, on a slow machine, to ask all tasks: it does so in steps.
const asking = time.Second

// checkRequest wants that the task was asked to end by whom it says, not before that was due, and
// if no drain grace holds for it not later.
func (h *History) checkRequest(f *Findings, a *Account, closed map[string]time.Time) {
	i := &a.Info
	if at, ok := earlier(closed, "", a.Group); ok {
		if a.Grace == 0 && i.StartedAt.After(at) {
			a.complain(f, "it has no grace, and started %v after Submit had said that the shutdown goes on", i.StartedAt.Sub(at))
		}
		if a.Attempt > 1 && i.StartedAt.After(at.Add(asking)) {
			a.complain(f, "another attempt started %v after Submit had said that the shutdown goes on", i.StartedAt.Sub(at))
		}
		if a.graceless() && i.CancelCause == fxtasks.ErrShutdown && i.CancelRequestedAt.After(at.Add(asking)) {
			a.complain(f, "it has no grace, and was asked to end %v after Submit had said that the shutdown goes on", i.CancelRequestedAt.Sub(at))
		}
	}
	legal := false
	switch cause := i.CancelCause; cause {
	case nil:
		return
	case fxtasks.ErrCancelled:
		legal = h.Requests[""] || h.Requests[i.ID]
	case fxtasks.ErrReplaced:
		legal = h.replaced(a)
	case fxtasks.ErrTimeout:
		legal = a.Timeout > 0 && !i.StartedAt.IsZero() && i.CancelRequestedAt.Sub(i.StartedAt) >= a.Timeout
	case fxtasks.ErrShutdown:
		legal = h.Drain.asks(a) || h.shutDown(a)
	default:
		var c *Cause
		legal = cause == a.Ends || errors.As(cause, &c) && (c.For == "" || c.For == i.ID)
	}
	if !legal {
		a.complain(f, "nobody asked it to end by then: timeout %v, grace %v", a.Timeout, a.Grace)
	}
}

// graceless says whether a shutdown asks the task to end as soon as it begins.
func (a *Account) graceless() bool { return a.Grace == 0 || a.endedBetween() || a.Undue() }

func earlier(times map[string]time.Time, a, b string) (time.Time, bool) {
	t, ok := times[a]
	if u, also := times[b]; also && (!ok || u.Before(t)) {
		return u, true
	}
	return t, ok
}

// shutDown says whether a shutdown could have asked a's task to end when it was: after its grace,
// which ends at the latest when a tenth of the budget is left.
func (h *History) shutDown(a *Account) bool {
	for _, s := range h.Shutdowns {
		if !s.covers(a) || !s.first() {
			continue
		}
		grace := min(a.Grace, s.Budget-s.Budget/10)
		if s.Cut || a.graceless() || a.Delay > 0 && a.Attempt == 0 { // it may have been due by then, and not have come into the queue
			grace = 0
		}
		if !a.Info.CancelRequestedAt.Before(s.Called.Add(grace)) {
			return true
		}
	}
	return false
}
