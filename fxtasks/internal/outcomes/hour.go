// Package outcomes remembers how the tasks of the last hour ended, and how long things took.
package outcomes

import "time"

// Indexes of Minute.Counts.
const (
	Completed = iota
	Failed
	Cancelled
	TimedOut
)

// Minute is how many tasks ended in one minute.
type Minute struct {
	Start  time.Time
	Counts [4]uint32 // Completed, Failed, Cancelled, TimedOut
}

const minutesInHour = 60

// Hour counts the outcomes of the last 60 minutes, the current one included. The zero value is ready; it
// takes 960 bytes more from the first Add on. Reads may be concurrent, an Add may not.
//
// Minutes are those of the wall clock. One that lies after the current minute, because the clock was set
// back, is shown when the clock gets there. If the clock was set back by an hour or more, the next Add
// forgets all that was counted before.
type Hour struct {
	newest uint32 // the latest minute that has counters
	counts *counters
}

// counters has the counts of minute m at m%minutesInHour, for the minutesInHour up to the newest.
type counters [minutesInHour][4]uint32

// Add counts a task that ended in the given minute; see MinuteOf. The outcome is Completed, Failed, Cancelled or
// TimedOut.
func (h *Hour) Add(minute uint32, outcome int) {
	if h.counts == nil {
		h.counts = new(counters)
	}
	if !h.covers(minute) {
		h.advance(minute)
	}
	h.counts[minute%minutesInHour][outcome]++
}

// Minutes returns the last 60 minutes, the oldest first, the current one last.
func (h *Hour) Minutes(now time.Time) (minutes [minutesInHour]Minute) {
	start := now.Truncate(time.Minute)
	minute := MinuteOf(now)
	for i := len(minutes) - 1; i >= 0; i-- {
		minutes[i].Start = start
		if h.counts != nil && h.covers(minute) {
			minutes[i].Counts = h.counts[minute%minutesInHour]
		}
		start = start.Add(-time.Minute)
		minute--
	}
	return minutes
}

// covers reports whether a minute is one of those up to the newest that have counters. For a later one the
// difference wraps around.
func (h *Hour) covers(minute uint32) bool { return h.newest-minute < minutesInHour }

// advance makes a minute that is not covered the newest. If the clock was set back, the difference wraps around,
// and all counts are cleared.
func (h *Hour) advance(minute uint32) {
	for range min(minute-h.newest, minutesInHour) {
		h.newest++
		h.counts[h.newest%minutesInHour] = [4]uint32{}
	}
	h.newest = minute
}

// MinuteOf returns the number of the minute since 1970.
func MinuteOf(t time.Time) uint32 { return uint32(t.Unix() / 60) }
