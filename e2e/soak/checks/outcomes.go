package checks

import (
	"math"
	"slices"
	"time"

	"github.com/fxtasks/background/fxtasks"
)

// outcomes are what a History of the manager counts.
type outcomes struct{ completed, failed, cancelled, timedOut uint64 }

func outcomesOf(c fxtasks.Counts) outcomes {
	return outcomes{c.Completed, c.Failed, c.Cancelled, c.TimedOut}
}

// sumOf adds up minutes.
func sumOf(minutes []fxtasks.Minute) (sum outcomes) {
	for _, m := range minutes {
		sum.completed += uint64(m.Completed)
		sum.failed += uint64(m.Failed)
		sum.cancelled += uint64(m.Cancelled)
		sum.timedOut += uint64(m.TimedOut)
	}
	return sum
}

// Outcomes compares the manager's History of the end with the accounts, none of which is half an hour old.
func (h *History) Outcomes(f *Findings, got fxtasks.History, s fxtasks.Stats) {
	total, names, _ := h.figures(s)
	if sum, want := sumOf(got.Minutes), outcomesOf(total); sum != want {
		f.Addf("in the end the sum of History is %+v, want %+v", sum, want)
	}
	waits, runs, between := h.durations()
	for name, c := range names {
		of := got.ByName[name] // none for a name of which no task has ended
		if sum, want := sumOf(of.Minutes), outcomesOf(c); sum != want {
			f.Addf("in the end the sum of History.ByName[%s] is %+v, want %+v", name, sum, want)
		}
		checkMinutes(f, name, of.Minutes)
		checkQuantiles(f, name+" waited", of.Wait, waits[name], between[name])
		checkQuantiles(f, name+" ran", of.Run, runs[name], between[name])
	}
	for name := range got.ByName {
		if _, ok := names[name]; !ok {
			f.Addf("History tells of %q, of which no task was submitted", name)
		}
	}
}

// checkMinutes wants an hour, the oldest minute first.
func checkMinutes(f *Findings, name string, minutes []fxtasks.Minute) {
	for n := range minutes {
		if len(minutes) != 60 || n > 0 && minutes[n].Start.Sub(minutes[n-1].Start) != time.Minute {
			f.Addf("History.ByName[%s] has %d minutes, and the one of %v at %d", name, len(minutes), minutes[n].Start, n)
			return
		}
	}
}

// durations gives how long the last attempts of each name waited since they were due, and how long they ran, sorted. Of
// tasks that were cancelled between two attempts no record tells that: it gives their number.
func (h *History) durations() (waits, runs map[string][]time.Duration, between map[string]int) {
	waits, runs, between = make(map[string][]time.Duration), make(map[string][]time.Duration), make(map[string]int)
	for _, a := range h.accepted() {
		if a.endedBetween() {
			between[a.Name]++
			continue
		}
		if a.Attempt == 0 {
			continue
		}
		due := a.Info.CreatedAt
		if !a.Info.NotBefore.IsZero() {
			due = a.Info.NotBefore
		}
		waits[a.Name] = append(waits[a.Name], a.Info.StartedAt.Sub(due))
		runs[a.Name] = append(runs[a.Name], a.Info.FinishedAt.Sub(a.Info.StartedAt))
	}
	for name := range waits {
		slices.Sort(waits[name])
		slices.Sort(runs[name])
	}
	return waits, runs, between
}

// checkQuantiles wants q to be those of what is sorted: the percentiles within a tenth. If there are more that are not
// known, it wants no less than what is.
func checkQuantiles(f *Findings, what string, q fxtasks.Quantiles, sorted []time.Duration, more int) {
	n := len(sorted)
	if more > 0 {
		if q.Count < uint64(n) || q.Count > uint64(n+more) || n > 0 && q.Max < sorted[n-1] {
			f.Addf("History: %s %+v, want %d to %d, the longest of which %v", what, q, n, n+more, sorted[max(0, n-1):])
		}
		return
	}
	if n == 0 {
		if q != (fxtasks.Quantiles{}) {
			f.Addf("History: %s %+v, want no quantiles", what, q)
		}
		return
	}
	want := fxtasks.Quantiles{Count: uint64(n), P50: sorted[(n*50+99)/100-1], P95: sorted[(n*95+99)/100-1], Max: sorted[n-1]}
	if q.Count != want.Count || q.Max != want.Max || !near(q.P50, want.P50) || !near(q.P95, want.P95) {
		f.Addf("History: %s %+v, want %+v", what, q, want)
	}
}

func near(got, want time.Duration) bool {
	return math.Abs(float64(got-want)) <= float64(want)/10+1
}
