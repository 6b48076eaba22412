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

// A Retry that panics ends the task as failed, with both errors.
func TestCheckRetriesThatPanic(t *testing.T) {
	broken := func(h *History) *Account {
		a := &h.Accounts[failed]
		a.Retry = Retry{MaxAttempts: 2, BreaksAfter: 1}
		a.Info.MaxAttempts, a.Info.Err = 2, errors.Join(errBoom, &fxtasks.PanicError{Value: ErrBroken, Stack: []byte("main")})
		return a
	}
	for _, l := range []lie{
		{"Delay panics", func(h *History) { broken(h) }, ""},
		{"If panics", func(h *History) {
			a := broken(h)
			a.Retry.BreaksAfter, a.Returned = 0, ErrUnbearable
			a.Info.Err = errors.Join(ErrUnbearable, &fxtasks.PanicError{Value: ErrBroken, Stack: []byte("main")})
		}, ""},
		{"after a panic", func(h *History) {
			a, p := broken(h), &fxtasks.PanicError{Value: "boom", Stack: []byte("main")}
			a.How, a.Returned, a.Panicked, a.Info.Err = Panicked, nil, "boom", errors.Join(p, a.Info.Err)
		}, ""},
		{"the first error is lost", func(h *History) { broken(h).Info.Err = &fxtasks.PanicError{Value: ErrBroken} }, "its Err is"},
		{"the panic is lost", func(h *History) { broken(h).Info.Err = errBoom }, "its Retry was to panic"},
		{"the drain came first", func(h *History) {
			broken(h).Info.Err = errBoom
			h.Drain = &Drain{Called: at(3), Returned: at(3), Budget: time.Hour, End: at(3).Add(time.Hour)}
		}, "it was accepted"}, // of others: that the panic is missing must not be found
		{"it completes", func(h *History) { broken(h).Info.Status = fxtasks.Completed }, "want failed"},
		{"nobody panicked", func(h *History) { broken(h).Retry.BreaksAfter = 0 }, "its Err is"},
		{"another attempt follows", func(h *History) { h.Accounts[retried].Retry.BreaksAfter = 1 }, "was followed by another"},
	} {
		t.Run(l.name, func(t *testing.T) {
			f, h := new(Findings), good()
			l.change(h)
			h.Check(f)
			expect(t, f, l.found)
		})
	}
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
