package checks

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/fxtasks/background/fxtasks"
)

// ended gives a context that has ended for a cause.
func ended(cause error) context.Context {
	ctx, cancel := context.WithCancelCause(context.Background())
	cancel(cause)
	return ctx
}

// attempt adds to a an attempt after those that it had. It failed.
func attempt(a Account, began, endedAt int, cause error) Account {
	if a.Attempt > 0 {
		a.Earlier = append(a.Earlier, a.Deed)
	}
	a.Deed = Deed{Attempt: a.Attempt + 1, Ctx: ended(cause), Began: at(began), Ended: at(endedAt), How: Returned, Returned: errBoom}
	a.Info.Attempt, a.Info.StartedAt = a.Attempt, at(began)
	return a
}

// goodAttempts gives what completed in its third attempt, after a failure and a timeout, and what was cancelled while it
// waited for its second.
func goodAttempts() (retried, between Account) {
	own := &Cause{For: "between"}
	order := Order{N: 18, Name: "retried", Timeout: 5 * time.Millisecond, Retry: Retry{MaxAttempts: 3, Delay: time.Millisecond}}
	retried = task(order, 95, 0, 99, fxtasks.Completed, nil)
	retried = attempt(retried, 95, 95, context.Canceled)
	retried = attempt(retried, 96, 97, fxtasks.ErrTimeout)
	retried = attempt(retried, 98, 99, context.Canceled)
	retried.Returned, retried.Info.NotBefore = nil, at(98)
	between = asked(task(Order{N: 19, Name: "between", Retry: Retry{MaxAttempts: 2}}, 96, 0, 99, fxtasks.Cancelled, errors.Join(own, fxtasks.ErrCancelled)), 99, own)
	between = attempt(between, 96, 97, context.Canceled)
	between.Info.NotBefore, between.Info.LastErr = at(4000), errBoom
	return retried, between
}

func TestCheckAttempts(t *testing.T) {
	tell(t, []lie{
		{"one too many", func(h *History) { h.Accounts[retried].Retry.MaxAttempts = 2 }, "run 3 times"},
		{"the record says less", func(h *History) { h.Accounts[retried].Info.Attempt = 2 }, "its record says 2 of 3"},
		{"follows what completed", func(h *History) { h.Accounts[retried].Earlier[0].Returned = nil }, "was followed by another"},
		{"follows what is permanent", func(h *History) { h.Accounts[retried].Earlier[0].Returned = fxtasks.Permanent(ErrPermanent) }, "was followed by another"},
		{"follows what is hopeless", func(h *History) { h.Accounts[retried].Earlier[0].Returned = ErrHopeless }, "was followed by another"},
		{"follows Goexit", func(h *History) { h.Accounts[retried].Earlier[0].How = Exited }, "was followed by another"},
		{"follows a cancel", func(h *History) { h.Accounts[retried].Earlier[0].Ctx = ended(fxtasks.ErrCancelled) }, "was followed by another"},
		{"too soon", func(h *History) { h.Accounts[retried].Earlier[1].Ended = at(98) }, "after the one before"},
		{"before it is due", func(h *History) { h.Accounts[retried].Info.NotBefore = at(99) }, "was not due yet"},
		{"timeout of none", func(h *History) { h.Accounts[retried].Timeout = 0; h.Accounts[retried].Info.Timeout = 0 }, "the context of attempt 2 ended"},
		{"saw another cause", func(h *History) { h.Accounts[retried].Earlier[1].Saw = fxtasks.ErrShutdown }, "the context of attempt 2 ended"},
		{"completed with the error before", func(h *History) { h.Accounts[retried].Info.LastErr = errBoom }, "its LastErr is"},
		{"loses the error before", func(h *History) { h.Accounts[between].Info.LastErr = nil }, "its LastErr is"},
		{"cancelled after the last", func(h *History) {
			h.Accounts[between].Retry.MaxAttempts = 3
			h.Accounts[between].Returned = ErrHopeless
		}, "attempt 1 was its last"},
		{"a retry is lost", func(h *History) {
			h.Accounts[failed].Retry.MaxAttempts = 2
			h.Accounts[failed].Info.MaxAttempts = 2
		}, "did not"},
	})
}

// A shutdown ends what fails after it has begun, and a cancel what has timed out before.
func TestCheckAttemptsThatAreCutShort(t *testing.T) {
	for name, change := range map[string]func(*History){
		"shutdown": func(h *History) { h.Shutdowns[0].Called = at(3) },
		"cancel":   func(h *History) { h.Asked = map[string]bool{"timed out": true} },
		"nothing":  func(*History) {},
	} {
		h := good()
		for _, n := range []int{failed, timedOut} {
			h.Accounts[n].Retry.MaxAttempts = 2
		}
		change(h)
		fails, times := h.endsRetries(&h.Accounts[failed]), h.endsRetries(&h.Accounts[timedOut])
		if fails != (name == "shutdown") || times != (name != "nothing") {
			t.Errorf("%s: ends the retries of what failed: %v, of what timed out: %v", name, fails, times)
		}
	}
}
