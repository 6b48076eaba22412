package checks

import (
	"time"

	"github.com/fxtasks/background/fxtasks"
)

// Drain is what StartDrain did, before any Shutdown was called.
type Drain struct {
	Called, Returned time.Time     // of several calls at once, the first and the last
	Budget           time.Duration // when it was called
	End              time.Time     // that it gave
}

// check wants the drain to have the budget that it was given.
func (d *Drain) check(f *Findings) {
	if d.End.Before(d.Called.Add(d.Budget)) || d.End.After(d.Returned.Add(d.Budget)) {
		f.Addf("StartDrain was called with %v left, returned after %v, and gave an end %v after its call", d.Budget,
			d.Returned.Sub(d.Called), d.End.Sub(d.Called))
	}
}

// lasts gives around when a grace is over in the drain. It ends at the latest when a tenth of the budget is left.
func (d *Drain) lasts(grace time.Duration) (from, to time.Time) {
	within := func(budget time.Duration) time.Duration { return max(0, min(grace, budget-budget/10)) }
	return d.Called.Add(within(d.End.Sub(d.Returned))), d.Returned.Add(within(d.End.Sub(d.Called)))
}

// graceToBegin is how long a submit of a may be taken in a drain. What is not due at once would be cancelled at once, and
// schedules stop.
func (a *Account) graceToBegin() time.Duration {
	if a.Delay > 0 || a.Scheduled {
		return 0
	}
	return a.Grace
}

// refuses says whether it was right to refuse a: its grace was over.
func (d *Drain) refuses(a *Account) bool {
	if d == nil {
		return false
	}
	from, _ := d.lasts(a.graceToBegin())
	return !a.Answered.Before(from)
}

// checkTaken wants a not to have been called for after its grace.
func (d *Drain) checkTaken(f *Findings, a *Account) {
	if d == nil {
		return
	}
	if _, to := d.lasts(a.graceToBegin()); a.Called.After(to) {
		a.complain(f, "it was accepted %v after its grace of %v was over in the drain", a.Called.Sub(to), a.Grace)
	}
}

// checkEnded wants StartDrain to have asked all that may not go on, and nothing of that to start again.
func (d *Drain) checkEnded(f *Findings, a *Account) {
	i := &a.Info
	switch {
	case d == nil:
	case a.Attempt > 1 && i.StartedAt.After(d.Returned):
		a.complain(f, "another attempt started %v after StartDrain had returned", i.StartedAt.Sub(d.Returned))
	case a.Grace == 0 && i.StartedAt.After(d.Returned):
		a.complain(f, "it has no grace, and started %v after StartDrain had returned", i.StartedAt.Sub(d.Returned))
	case a.graceless() && i.CancelCause == fxtasks.ErrShutdown && i.CancelRequestedAt.After(d.Returned):
		a.complain(f, "it has no grace, and was asked to end %v after StartDrain had returned", i.CancelRequestedAt.Sub(d.Returned))
	}
}

// asks says whether the drain could have asked a to end when it was.
func (d *Drain) asks(a *Account) bool {
	if d == nil {
		return false
	}
	grace := a.Grace
	if a.graceless() || a.Delay > 0 && a.Attempt == 0 { // as in History.shutDown
		grace = 0
	}
	from, _ := d.lasts(grace)
	return !a.Info.CancelRequestedAt.Before(from)
}

// counts says whether what ended at a time counts in the report of a later Shutdown: surely, or perhaps.
func (d *Drain) counts(finished time.Time) (surely, perhaps bool) {
	return d != nil && finished.After(d.Returned), d != nil && !finished.Before(d.Called)
}
