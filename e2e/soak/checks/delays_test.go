package checks

import (
	"testing"
	"time"

	"github.com/fxtasks/background/fxtasks"
)

// goodDelays gives what ran when it was due, and what was not due when the manager was shut down.
func goodDelays() (delayed, undue Account) {
	delayed = task(Order{N: 20, Name: "delayed", Delay: 2 * time.Millisecond}, 96, 98, 99, fxtasks.Completed, nil)
	delayed.Info.NotBefore = at(98)
	undue = asked(task(Order{N: 21, Name: "undue", Delay: time.Second, Grace: time.Hour}, 97, 0, 101, fxtasks.Cancelled, fxtasks.ErrShutdown), 101, fxtasks.ErrShutdown)
	undue.Info.NotBefore = at(1097)
	return delayed, undue
}

func TestCheckDelays(t *testing.T) {
	late := func(h *History) {
		i := &h.Accounts[undue].Info
		i.CancelRequestedAt, i.FinishedAt, i.ExpiresAt = at(112), at(112), at(112)
	}
	tell(t, []lie{
		{"too early", func(h *History) { h.Accounts[delayed].Delay = 3 * time.Millisecond }, "before it was due"},
		{"due at another time", func(h *History) { h.Accounts[undue].Info.NotBefore = at(1000) }, "NotBefore is"},
		{"no room", func(h *History) { h.Accounts[delayed].MaxPending = -1 }, "no delayed one may"},
		{"its grace holds", late, "it was not due when the shutdown began"},
		{"it starts in its grace", func(h *History) {
			h.Accounts[undue] = task(Order{N: 21, Name: "undue", Delay: 23 * time.Millisecond}, 97, 121, 122, fxtasks.Completed, nil)
			h.Accounts[undue].Info.NotBefore = at(120)
		}, "and started 10ms after"},
		{"its next attempt starts in its grace", func(h *History) {
			a := &h.Accounts[undue]
			*a = attempt(task(Order{N: 21, Name: "undue", Retry: Retry{MaxAttempts: 2}}, 97, 98, 122, fxtasks.Completed, nil), 121, 122, nil)
			a.Returned, a.Earlier[0].Returned, a.Info.NotBefore = nil, errBoom, at(120)
		}, "and started 10ms after"},
		{"blocking is full, and not delayed", func(h *History) { h.Accounts[full].Blocking, h.Accounts[full].MaxPending = true, -1 }, "refused without reason"},
	})
	for name, change := range map[string]func(*History){
		"a delayed one finds no room, and does not wait for it": func(h *History) {
			h.Accounts[full].Blocking, h.Accounts[full].MaxPending, h.Accounts[full].Delay = true, -1, time.Second
		},
		"a shutdown that was cut short ends all graces": func(h *History) {
			late(h)
			h.Shutdowns[0].Cut = true
		},
	} {
		f, h := new(Findings), good()
		change(h)
		h.Check(f)
		if list := f.List(); len(list) > 0 {
			t.Errorf("%s: found %q", name, list)
		}
	}
}
