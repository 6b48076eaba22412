package checks

import (
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/fxtasks/background/fxtasks"
)

// Shutdown is one call of Shutdown and what it gave.
type Shutdown struct {
	Group            string // "": of the manager
	Called, Returned time.Time
	Budget           time.Duration // when it was called
	Cut              bool          // its ctx was cancelled, before or meanwhile
	CtxErr           error         // of its ctx when it returned
	Report           fxtasks.ShutdownReport
	Err              error
}

const (
	completed = "completed"
	timeout   = "timeout"
	already   = "already_shutdown"
)

// overrun is how much later than its budget a Shutdown may return on a slow machine.
const overrun = 5 * time.Second

func (s *Shutdown) first() bool {
	return s.Report.Status != already && !s.gaveUp()
}

// gaveUp says whether it was a further one whose ctx ended before the first was over.
func (s *Shutdown) gaveUp() bool {
	return s.Report.Status == "" && s.CtxErr != nil && errors.Is(s.Err, s.CtxErr)
}

func (s *Shutdown) covers(a *Account) bool { return s.Group == "" || s.Group == a.Group }

// over gives a time at which it was not over yet: the books are closed later.
func (s *Shutdown) over() time.Time { return s.Called.Add(s.Report.Duration) }

func (s *Shutdown) complain(f *Findings, format string, args ...any) {
	r := &s.Report
	args = append(args, s.Group, s.Budget, s.Returned.Sub(s.Called), r.Status, r.Initial, r.Returned, r.Cancelled, r.Remaining,
		r.Duration, len(r.Stuck), s.Err)
	f.Addf("Shutdown: "+format+"; group %q, budget %v, returned after %v: "+
		"status %q, initial %d, returned %d, cancelled %d, remaining %d, duration %v, %d stuck, error %v", args...)
}

// checkShutdowns wants at most one to have been the first of each scope, all the others to have waited
// for it, and its report to be true.
func (h *History) checkShutdowns(f *Findings) {
	firsts := make(map[string]int)
	for i := range h.Shutdowns {
		s := &h.Shutdowns[i]
		if !s.first() {
			h.checkFurther(f, s)
			continue
		}
		if firsts[s.Group]++; firsts[s.Group] > 1 {
			s.complain(f, "it was the first, and another one too")
		}
		checkReport(f, s)
		h.checkActive(f, s)
	}
}

// idle says whether nothing that s covers was active when it returned.
func (h *History) idle(s *Shutdown) bool {
	return !slices.ContainsFunc(h.accepted(), func(a *Account) bool { return s.covers(a) && a.Info.FinishedAt.After(s.Returned) })
}

// checkFurther wants s to have come back when an earlier one was over, or its own ctx. One of a group need not wait for
// the manager's when nothing of the group is active.
func (h *History) checkFurther(f *Findings, s *Shutdown) {
	var still *fxtasks.ShutdownError
	if s.Err != nil && !s.gaveUp() && !(errors.As(s.Err, &still) && still.Report.Remaining == len(s.Report.Stuck) && len(s.Report.Stuck) > 0) {
		s.complain(f, "want no error but what is still running, or that of its ctx")
	}
	waited := slices.ContainsFunc(h.Shutdowns, func(o Shutdown) bool {
		return o.first() && (o.Group == "" || o.Group == s.Group) && !s.Returned.Before(o.over())
	})
	if !waited && s.CtxErr == nil && !(s.Group != "" && h.idle(s)) {
		s.complain(f, "it did not wait for the first one")
	}
}

// checkReport wants the numbers of a report to agree with each other, and with the budget.
func checkReport(f *Findings, s *Shutdown) {
	r := &s.Report
	if r.Initial != r.Returned+r.Remaining || len(r.Stuck) != r.Remaining || r.Cancelled > r.Returned || r.Cancelled < 0 {
		s.complain(f, "the numbers do not add up")
	}
	var e *fxtasks.ShutdownError
	isError := errors.As(s.Err, &e)
	switch {
	case r.Remaining == 0 && (r.Status != completed || s.Err != nil):
		s.complain(f, "nothing was left, want %q and no error", completed)
	case r.Remaining > 0 && (r.Status != timeout || !isError || e.Report.Remaining != r.Remaining):
		s.complain(f, "something was left, want %q and a ShutdownError that says the same", timeout)
	}
	took := s.Returned.Sub(s.Called)
	if r.Duration > took || took > s.Budget+overrun || r.Remaining > 0 && !s.Cut && took < s.Budget {
		s.complain(f, "want it to keep to its budget")
	}
}

// checkActive compares the report with what the tasks did, since the drain began if there was one. When exactly that was,
// or Shutdown began, is not known from outside, nor, therefore, whether a task that finished just then was counted.
func (h *History) checkActive(f *Findings, s *Shutdown) {
	stuck := make(map[uint64]fxtasks.StuckTask)
	for _, t := range s.Report.Stuck {
		stuck[t.Info.Seq] = t
	}
	var leastActive, mostActive, leastCancelled, mostCancelled int
	for _, a := range h.accepted() {
		if !s.covers(a) {
			continue
		}
		i := &a.Info
		t, isStuck := stuck[i.Seq]
		delete(stuck, i.Seq)
		switch {
		case isStuck:
			leastActive++
			mostActive++
			checkStuck(f, s, a, t)
			continue
		case i.FinishedAt.After(s.Returned) || !i.Status.Finished():
			a.complain(f, "it was running when Shutdown returned, and is not reported")
		}
		inDrain, perhaps := h.Drain.counts(i.FinishedAt)
		if i.FinishedAt.Before(s.Called) && !perhaps {
			continue
		}
		mostActive++
		if i.Status == fxtasks.Cancelled {
			mostCancelled++
		}
		if inDrain || i.CancelCause == fxtasks.ErrShutdown && h.only(s, a) {
			leastActive++
			if i.Status == fxtasks.Cancelled {
				leastCancelled++
			}
		}
	}
	unstarted := h.unstarted(s.Group) // at any time
	mostActive, mostCancelled = mostActive+unstarted, mostCancelled+unstarted
	for _, t := range stuck {
		s.complain(f, "reported as stuck is what was never submitted to it, %s", brief(t.Info))
	}
	r := &s.Report
	if r.Initial < leastActive || r.Initial > mostActive || r.Cancelled < leastCancelled || r.Cancelled > mostCancelled {
		s.complain(f, "want initial from %d to %d and cancelled from %d to %d", leastActive, mostActive, leastCancelled, mostCancelled)
	}
}

// only says whether no other shutdown could have asked a to end.
func (h *History) only(s *Shutdown, a *Account) bool {
	return !slices.ContainsFunc(h.Shutdowns, func(o Shutdown) bool {
		return o.first() && o.covers(a) && o.Group != s.Group
	})
}

// checkStuck wants a task that is reported as stuck to have been running until after the report was
// made, to have been asked to end unless it was just about to, and to be shown where it hung.
func checkStuck(f *Findings, s *Shutdown, a *Account, t fxtasks.StuckTask) {
	ended := !a.Ended.IsZero() && a.Ended.Before(s.Returned)
	asked := t.Info.CancelCause != nil || ended
	if t.Info.Status != fxtasks.Running || !asked || t.Info.ID != a.Info.ID {
		a.complain(f, "it is reported as stuck and %s", brief(t.Info))
	}
	if a.Info.FinishedAt.Before(s.over()) {
		a.complain(f, "it is reported as stuck, and finished %v before that", s.over().Sub(a.Info.FinishedAt))
	}
	if started := a.Info.StartedAt; t.Age < s.over().Sub(started) || t.Age > s.Returned.Sub(started) {
		a.complain(f, "it is reported as stuck at the age of %v, want from %v to %v", t.Age, s.over().Sub(started), s.Returned.Sub(started))
	}
	if a.Hung.IsZero() || a.Hung.After(s.Called) || !a.LetGo.IsZero() && a.LetGo.Before(s.Returned) {
		return
	}
	for _, function := range a.Shows {
		if !strings.Contains(t.Stack, function) {
			a.complain(f, "it hangs in %s, and its stack is\n%s", function, t.Stack)
		}
	}
}
