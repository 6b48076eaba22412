package fxtasks_test

import (
	"slices"
	"time"

	"pgregory.net/rapid"

	"github.com/fxtasks/background/fxtasks"
)

// modelNames are those of all tasks and schedules.
var modelNames = []string{"work", "other", "tick", "tock"}

// checkHistory compares the outcomes of each minute with what became of the tasks.
func (md *model) checkHistory(rt *rapid.T) {
	ended := md.of(md.all, func(t *modelTask) bool { return !t.isActive() })
	got := md.m.History()
	checkMinutes(rt, "all", got.Minutes, ended)
	for _, name := range modelNames {
		of := slices.DeleteFunc(slices.Clone(ended), func(t *modelTask) bool { return t.name != name })
		got, ok := got.ByName[name]
		if ok != (len(of) > 0) {
			rt.Errorf("the history has %q: %v, of which %v have ended", name, ok, of)
		}
		if !ok {
			continue
		}
		checkMinutes(rt, name, got.Minutes, of)
		if time.Since(md.began) >= 30*time.Minute {
			continue // of what ended before that, it may have forgotten how long it took
		}
		var wait, run fxtasks.Quantiles
		for _, t := range of {
			if t.attempt > 0 {
				wait = fxtasks.Quantiles{Count: wait.Count + 1, Max: max(wait.Max, t.waited)}
				run = fxtasks.Quantiles{Count: run.Count + 1, Max: max(run.Max, t.worked)}
			}
		}
		checkQuantiles(rt, "Wait of "+name, got.Wait, wait)
		checkQuantiles(rt, "Run of "+name, got.Run, run)
	}
}

func checkMinutes(rt *rapid.T, of string, got []fxtasks.Minute, ended []*modelTask) {
	want := make([]fxtasks.Minute, 60)
	for i := range want {
		m := &want[i]
		m.Start = time.Now().Truncate(time.Minute).Add(time.Duration(i-59) * time.Minute)
		for _, t := range ended {
			if t.finished.Before(m.Start) || !t.finished.Before(m.Start.Add(time.Minute)) {
				continue
			}
			switch t.status {
			case fxtasks.Completed:
				m.Completed++
			case fxtasks.Failed:
				m.Failed++
			case fxtasks.Cancelled:
				m.Cancelled++
			case fxtasks.TimedOut:
				m.TimedOut++
			}
		}
	}
	if !slices.EqualFunc(got, want, func(a, b fxtasks.Minute) bool {
		same := a.Start.Equal(b.Start)
		a.Start = b.Start
		return same && a == b
	}) {
		rt.Errorf("the history of %s has %v, want %v", of, got, want)
	}
}

// checkQuantiles compares the maximum, within 10 %, and how many there are.
func checkQuantiles(rt *rapid.T, of string, got, want fxtasks.Quantiles) {
	if got.Count != want.Count || (got.Max-want.Max).Abs() > want.Max/10 || got.P50 > got.P95 || got.P95 > got.Max {
		rt.Errorf("%s is %+v, want %+v", of, got, want)
	}
}
