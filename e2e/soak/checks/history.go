package checks

import (
	"cmp"
	"errors"
	"slices"
	"time"

	"github.com/fxtasks/background/fxtasks"
)

// History is what was submitted and asked for in a round, and what came of it, when all of it is
// over: every task has finished, and every call has returned.
type History struct {
	Accounts  []Account
	Requests  map[string]bool // IDs of the tasks that were cancelled without a cause; "": all were
	Asked     map[string]bool // likewise, with a cause or without
	Drain     *Drain          // nil: there was none before the first Shutdown
	Shutdowns []Shutdown
	Schedules []Schedule

	byID map[string][]*Account // accepted ones with a chosen ID, by Seq
}

// Check holds the history to the contract.
func (h *History) Check(f *Findings) {
	h.indexIDs()
	closed := h.closed()
	for i := range h.Accounts {
		a := &h.Accounts[i]
		switch {
		case a.Answered.IsZero():
			a.complain(f, "Submit has not returned")
		case a.Refusal != nil:
			h.checkRefused(f, a)
		case a.Joined:
			if a.Attempt > 0 {
				a.complain(f, "it joined a task, and its function was run")
			}
		default:
			h.checkAccepted(f, a)
			checkTask(f, a)
			h.checkAttempts(f, a)
			checkDelay(f, a)
			checkRun(f, a)
			h.checkRequest(f, a, closed)
			h.Drain.checkEnded(f, a)
		}
	}
	h.checkSubmissions(f)
	h.checkIDs(f)
	h.checkSchedules(f)
	if h.Drain != nil {
		h.Drain.check(f)
	}
	h.checkShutdowns(f)
	h.checkUndue(f)
}

// checkRefused wants one of the five errors of Submit, with a reason for it, and no other trace.
func (h *History) checkRefused(f *Findings, a *Account) {
	if a.Attempt > 0 {
		a.complain(f, "it was refused with %v, and its function was run", a.Refusal)
	}
	var legal bool
	switch err := a.Refusal; {
	case errors.Is(err, fxtasks.ErrInvalid):
		legal = a.Invalid || a.Typed && a.ID != "" && a.Policy == fxtasks.Join
	case errors.Is(err, fxtasks.ErrDuplicateID):
		legal = a.ID != "" && a.Policy == fxtasks.Reject && h.held(a)
	case errors.Is(err, fxtasks.ErrQueueFull):
		legal = a.MaxPending != 0 && !a.Blocking || a.MaxPending < 0 && a.Delay > 0
	case errors.Is(err, fxtasks.ErrShuttingDown):
		legal = h.Drain.refuses(a) || slices.ContainsFunc(h.Shutdowns, func(s Shutdown) bool { return s.covers(a) && s.Called.Before(a.Answered) })
	default:
		legal = a.Blocking && a.CtxErr != nil && errors.Is(err, a.CtxErr)
	}
	if !legal {
		a.complain(f, "it was refused without reason: %v", a.Refusal)
	}
}

// checkAccepted wants that it was right to take a.
func (h *History) checkAccepted(f *Findings, a *Account) {
	if a.Invalid {
		a.complain(f, "it was accepted, want ErrInvalid")
	}
	if a.Scheduled { // by whom is not known, and it was called for later
		a.Called = a.Info.CreatedAt
	}
	if c := a.Info.CreatedAt; c.Before(a.Called) || c.After(a.Answered) {
		a.complain(f, "CreatedAt is %v, want from %v to %v", c, a.Called, a.Answered)
	}
	h.Drain.checkTaken(f, a)
	for _, s := range h.Shutdowns {
		if s.covers(a) && a.Called.After(s.Returned) {
			a.complain(f, "it was accepted %v after Shutdown had returned", a.Called.Sub(s.Returned))
		}
	}
}

// checkSubmissions wants each task to have a Seq of its own, in the order of creation, and no
// generated ID twice.
func (h *History) checkSubmissions(f *Findings) {
	accepted := h.accepted()
	ids := make(map[string]bool)
	for i, a := range accepted {
		if i > 0 && (a.Info.Seq == accepted[i-1].Info.Seq || a.Info.CreatedAt.Before(accepted[i-1].Info.CreatedAt)) {
			a.complain(f, "it has Seq %d and was created at %v, but another %d at %v", a.Info.Seq, a.Info.CreatedAt,
				accepted[i-1].Info.Seq, accepted[i-1].Info.CreatedAt)
		}
		if a.ID == "" && ids[a.Info.ID] {
			a.complain(f, "another task has the same ID")
		}
		ids[a.Info.ID] = true
	}
}

// accepted gives those that made a task, by Seq.
func (h *History) accepted() (list []*Account) {
	for i := range h.Accounts {
		if a := &h.Accounts[i]; a.Accepted() {
			list = append(list, a)
		}
	}
	slices.SortFunc(list, func(a, b *Account) int { return cmp.Compare(a.Info.Seq, b.Info.Seq) })
	return list
}

// closed gives for each group, and "", a time by which its shutdown had begun, or the drain: when the first of its
// submits was told so.
func (h *History) closed() map[string]time.Time {
	closed := make(map[string]time.Time)
	for i := range h.Accounts {
		a := &h.Accounts[i]
		if !errors.Is(a.Refusal, fxtasks.ErrShuttingDown) {
			continue
		}
		if at, ok := closed[a.Group]; !ok || a.Answered.Before(at) {
			closed[a.Group] = a.Answered
		}
	}
	return closed
}
