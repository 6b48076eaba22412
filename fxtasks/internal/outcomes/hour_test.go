package outcomes

import (
	"testing"
	"time"

	"pgregory.net/rapid"
)

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// nonEmpty returns the minutes in which something was counted, by their start.
func nonEmpty(h *Hour, now time.Time) map[time.Time][4]uint32 {
	counts := make(map[time.Time][4]uint32)
	for _, m := range h.Minutes(now) {
		if m.Counts != [4]uint32{} {
			counts[m.Start] = m.Counts
		}
	}
	return counts
}

func wantCounts(t *testing.T, h *Hour, now time.Time, want map[time.Time][4]uint32) {
	t.Helper()
	got := nonEmpty(h, now)
	if len(got) != len(want) {
		t.Fatalf("at %v: got %v, want %v", now, got, want)
	}
	for start, counts := range want {
		if got[start] != counts {
			t.Fatalf("at %v: got %v, want %v", now, got, want)
		}
	}
}

func TestMinutesAreTheLastSixtyOldestFirst(t *testing.T) {
	var h Hour
	now := noon.Add(59*time.Second + 999*time.Millisecond)
	for name, h := range map[string]*Hour{"empty": {}, "counted": &h} {
		minutes := h.Minutes(now)
		for i, m := range minutes {
			if want := noon.Add(time.Duration(i-59) * time.Minute); !m.Start.Equal(want) {
				t.Errorf("%s: minute %d starts at %v, want %v", name, i, m.Start, want)
			}
			if m.Counts != [4]uint32{} {
				t.Errorf("%s: minute %d has %v", name, i, m.Counts)
			}
		}
	}
	for outcome, n := range []int{Completed: 1, Failed: 2, Cancelled: 3, TimedOut: 4} {
		for range n {
			h.Add(MinuteOf(now), outcome)
		}
	}
	if last := h.Minutes(now)[59]; last.Counts != [4]uint32{1, 2, 3, 4} || !last.Start.Equal(noon) {
		t.Errorf("the current minute is %+v", last)
	}
}

func TestStartOfMinuteIsInTheTimeZoneOfTheClock(t *testing.T) {
	kathmandu := time.FixedZone("", 5*3600+45*60)
	var h Hour
	if got := h.Minutes(noon.Add(time.Second).In(kathmandu))[59].Start.Format(time.RFC3339); got != "2026-03-01T17:45:00+05:45" {
		t.Errorf("got %s", got)
	}
}

func TestMinutesChangeAtTheirEdge(t *testing.T) {
	var h Hour
	h.Add(MinuteOf(noon.Add(-1)), Failed)
	h.Add(MinuteOf(noon), Completed)
	want := map[time.Time][4]uint32{noon.Add(-time.Minute): {0, 1}, noon: {1}}
	wantCounts(t, &h, noon, want)
	wantCounts(t, &h, noon.Add(59*time.Minute-1), want)
	wantCounts(t, &h, noon.Add(59*time.Minute), map[time.Time][4]uint32{noon: {1}})
	wantCounts(t, &h, noon.Add(time.Hour-1), map[time.Time][4]uint32{noon: {1}})
	wantCounts(t, &h, noon.Add(time.Hour), nil)
}

func TestMinutesAfterTheCurrentOneAreShownWhenTheClockGetsThere(t *testing.T) {
	var h Hour
	h.Add(MinuteOf(noon), Failed)
	h.Add(MinuteOf(noon.Add(-30*time.Minute)), Completed) // the clock was set back
	early, late := noon.Add(-30*time.Minute), map[time.Time][4]uint32{noon.Add(-30 * time.Minute): {1}, noon: {0, 1}}
	wantCounts(t, &h, early, map[time.Time][4]uint32{early: {1}})
	wantCounts(t, &h, noon.Add(-1), map[time.Time][4]uint32{early: {1}})
	wantCounts(t, &h, noon, late)
}

func TestNothingOfADayThatTheClockWasSetBackComesAgain(t *testing.T) {
	var h Hour
	for i := range 60 {
		h.Add(MinuteOf(noon.Add(time.Duration(i)*time.Minute)), Failed)
	}
	yesterday := noon.Add(-24 * time.Hour)
	wantCounts(t, &h, yesterday, nil)
	h.Add(MinuteOf(yesterday), Completed)
	wantCounts(t, &h, yesterday, map[time.Time][4]uint32{yesterday: {1}})
	wantCounts(t, &h, noon.Add(time.Hour-1), nil)
}

func TestHourAgreesWithAList(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		type end struct {
			minute  time.Time
			outcome int
		}
		var (
			h      Hour
			ends   []end // those that are not forgotten
			newest time.Time
			now    = noon
		)
		forget := func(minute time.Time) {
			switch {
			case minute.After(newest):
				newest = minute
			case newest.Sub(minute) >= time.Hour:
				ends, newest = nil, minute
			}
			var kept []end
			for _, e := range ends {
				if newest.Sub(e.minute) < time.Hour {
					kept = append(kept, e)
				}
			}
			ends = kept
		}
		t.Repeat(map[string]func(*rapid.T){
			"add": func(t *rapid.T) {
				e := end{now.Truncate(time.Minute), rapid.IntRange(0, 3).Draw(t, "outcome")}
				h.Add(MinuteOf(now), e.outcome)
				forget(e.minute)
				ends = append(ends, e)
			},
			"wait": func(t *rapid.T) {
				now = now.Add(time.Duration(rapid.IntRange(0, 200).Draw(t, "seconds")) * time.Second)
			},
			"set the clock": func(t *rapid.T) {
				now = now.Add(time.Duration(rapid.IntRange(-200, 200).Draw(t, "minutes")) * time.Minute)
			},
			"": func(t *rapid.T) {
				var want [60][4]uint32
				for _, e := range ends {
					if age := now.Truncate(time.Minute).Sub(e.minute); age >= 0 && age < time.Hour {
						want[59-int(age/time.Minute)][e.outcome]++
					}
				}
				for i, m := range h.Minutes(now) {
					if m.Counts != want[i] {
						t.Fatalf("at %v: minute %d has %v, want %v", now, i, m.Counts, want[i])
					}
				}
			},
		})
	})
}
