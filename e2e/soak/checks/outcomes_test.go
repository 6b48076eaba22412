package checks

import (
	"testing"
	"time"

	"github.com/fxtasks/background/fxtasks"
)

// hour gives the minutes of an hour, the last of which has counted c.
func hour(c fxtasks.Counts) []fxtasks.Minute {
	minutes := make([]fxtasks.Minute, 60)
	for n := range minutes {
		minutes[n].Start = at(0).Truncate(time.Minute).Add(time.Duration(n) * time.Minute)
	}
	minutes[59].Completed, minutes[59].Failed = uint32(c.Completed), uint32(c.Failed)
	minutes[59].Cancelled, minutes[59].TimedOut = uint32(c.Cancelled), uint32(c.TimedOut)
	return minutes
}

func TestOutcomes(t *testing.T) {
	ms := func(n int) time.Duration { return time.Duration(n) * time.Millisecond }
	for _, c := range []struct {
		name   string
		change func(*fxtasks.History)
		found  string
	}{
		{"nothing", func(*fxtasks.History) {}, ""},
		{"a percentile nearby", func(h *fxtasks.History) {
			of := h.ByName["tick"]
			of.Run.P50 = 909 * time.Microsecond
			h.ByName["tick"] = of
		}, ""},
		{"an outcome is missed", func(h *fxtasks.History) { h.ByName["tick"].Minutes[59].Failed = 0 }, "History.ByName[tick] is"},
		{"a name is missed", func(h *fxtasks.History) { delete(h.ByName, "plain") }, "History.ByName[plain] is"},
		{"the sum misses one", func(h *fxtasks.History) { h.Minutes[59].Completed-- }, "the sum of History is"},
		{"another name", func(h *fxtasks.History) { h.ByName["nobody"] = fxtasks.NameHistory{} }, `tells of "nobody"`},
		{"less than an hour", func(h *fxtasks.History) {
			of := h.ByName["tick"]
			of.Minutes = of.Minutes[1:]
			h.ByName["tick"] = of
		}, "has 59 minutes"},
		{"a minute twice", func(h *fxtasks.History) { h.ByName["tick"].Minutes[7].Start = at(0) }, "at 7"},
		{"another percentile", func(h *fxtasks.History) {
			of := h.ByName["tick"]
			of.Run.P95 = 800 * time.Microsecond
			h.ByName["tick"] = of
		}, "tick ran"},
		{"another maximum", func(h *fxtasks.History) {
			of := h.ByName["tick"]
			of.Wait.Max = ms(1)
			h.ByName["tick"] = of
		}, "tick waited"},
		{"what was cancelled between attempts ran", func(h *fxtasks.History) {
			of := h.ByName["between"]
			of.Run = fxtasks.Quantiles{Count: 1, P50: ms(1), P95: ms(1), Max: ms(1)}
			h.ByName["between"] = of
		}, ""},
		{"what was cancelled between attempts ran twice", func(h *fxtasks.History) {
			of := h.ByName["between"]
			of.Run.Count = 2
			h.ByName["between"] = of
		}, "between ran"},
		{"what never ran has run", func(h *fxtasks.History) {
			of := h.ByName["undue"]
			of.Run.Count = 1
			h.ByName["undue"] = of
		}, "undue ran"},
	} {
		t.Run(c.name, func(t *testing.T) {
			h := good()
			h.Accounts = []Account{h.Accounts[plain], h.Accounts[undue], h.Accounts[between], h.Accounts[ticked], h.Accounts[tickedAgain]}
			h.Shutdowns = nil
			h.Check(new(Findings))
			got := fxtasks.History{
				Minutes: hour(fxtasks.Counts{Completed: 2, Failed: 1, Cancelled: 2}),
				ByName: map[string]fxtasks.NameHistory{
					"plain": {
						Minutes: hour(fxtasks.Counts{Completed: 1}),
						Wait:    fxtasks.Quantiles{Count: 1, P50: ms(1), P95: ms(1), Max: ms(1)},
						Run:     fxtasks.Quantiles{Count: 1, P50: ms(1), P95: ms(1), Max: ms(1)},
					},
					"undue":   {Minutes: hour(fxtasks.Counts{Cancelled: 1})},
					"between": {Minutes: hour(fxtasks.Counts{Cancelled: 1})},
					"tick": {
						Minutes: hour(fxtasks.Counts{Completed: 1, Failed: 1}),
						Wait:    fxtasks.Quantiles{Count: 2},
						Run:     fxtasks.Quantiles{Count: 2, P50: ms(1), P95: ms(1), Max: ms(1)},
					},
				},
			}
			c.change(&got)
			f := new(Findings)
			h.Outcomes(f, got, fxtasks.Stats{})
			expect(t, f, c.found)
		})
	}
}
