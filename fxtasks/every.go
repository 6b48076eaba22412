package fxtasks

import "time"

// Schedule tells when the runs of a Periodic are due. Next returns the first time after the given one, or
// the zero time for never again. The schedules of robfig/cron and of River are such.
type Schedule interface {
	Next(after time.Time) time.Time
}

// Every returns a Schedule of the multiples of d on the clock, so that a restart does not shift it. It
// counts in UTC, from the beginning of 1970: Every(15*time.Minute) is each quarter of an hour,
// Every(24*time.Hour) is midnight UTC, and Every(7*24*time.Hour) is the beginning of each Thursday in UTC,
// since 1970 began on one. A d of zero or less is refused with ErrInvalid where the schedule is used, and its
// Next is never.
func Every(d time.Duration) Schedule { return every(d) }

// every is a type of its own, so that Manager.Schedule can refuse one of zero or less.
type every time.Duration

// Next works for all times, as time.Time.UnixNano would not.
func (e every) Next(after time.Time) time.Time {
	d := time.Duration(e)
	if d <= 0 {
		return time.Time{}
	}
	// Truncate counts from the beginning of year 1, of which 1970 need not be a multiple of d away.
	epoch := time.Unix(0, 0)
	offset := epoch.Sub(epoch.Truncate(d))
	return after.UTC().Add(-offset).Truncate(d).Add(offset).Add(d)
}
