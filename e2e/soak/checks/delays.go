package checks

import "github.com/fxtasks/background/fxtasks"

// checkDelay wants the task to have been due when its delay was over, and not to have begun before.
func checkDelay(f *Findings, a *Account) {
	if a.Delay == 0 {
		return
	}
	i, due, first := &a.Info, a.Info.CreatedAt.Add(a.Delay), a.deeds()[0]
	if first.Attempt > 0 && first.Began.Before(due) {
		a.complain(f, "its function was called %v before it was due", due.Sub(first.Began))
	}
	if a.retried() == 0 && !i.NotBefore.Equal(due) {
		a.complain(f, "NotBefore is %v, want %v", i.NotBefore, due)
	}
	if a.MaxPending < 0 {
		a.complain(f, "it was accepted, and where none may be pending no delayed one may")
	}
}

// Undue says whether the task was cancelled before it was due.
func (a *Account) Undue() bool {
	return a.Delay > 0 && a.Attempt == 0 && a.Info.Status == fxtasks.Cancelled && a.Info.NotBefore.After(a.Info.FinishedAt)
}

// checkUndue wants a shutdown to have cancelled what was not due, and what was between attempts, at once: before any task
// whose grace was over. Only where there was one shutdown is it known by which a task was cancelled; and in a drain, the grace
// of what was submitted meanwhile may have been over while StartDrain was about to cancel the rest.
func (h *History) checkUndue(f *Findings) {
	if h.Drain != nil {
		return
	}
	var only *Shutdown
	for i := range h.Shutdowns {
		if s := &h.Shutdowns[i]; s.first() {
			if only != nil || s.Cut {
				return
			}
			only = s
		}
	}
	var graced *Account // of those whose grace was over, the first
	for _, a := range h.accepted() {
		if a.Info.CancelCause != fxtasks.ErrShutdown || a.graceless() || a.Delay > 0 && a.Attempt == 0 {
			continue
		}
		if graced == nil || a.Info.CancelRequestedAt.Before(graced.Info.CancelRequestedAt) {
			graced = a
		}
	}
	if graced == nil {
		return
	}
	for _, a := range h.accepted() {
		late := a.Info.CancelRequestedAt.Sub(graced.Info.CancelRequestedAt)
		if (a.Undue() || a.endedBetween()) && a.Info.CancelCause == fxtasks.ErrShutdown && late > 0 {
			a.complain(f, "it was not due when the shutdown began, and was cancelled %v after one that had a grace of %v", late, graced.Grace)
		}
		waited := a.Attempt > 1 || a.Delay > 0 && a.Info.NotBefore.After(graced.Info.CancelRequestedAt)
		if late := a.Info.StartedAt.Sub(graced.Info.CancelRequestedAt); waited && late > 0 {
			a.complain(f, "it was not due when the shutdown began, and started %v after the end of one that had a grace of %v", late, graced.Grace)
		}
	}
}
