package checks

import (
	"time"

	"github.com/fxtasks/background/fxtasks"
)

// Schedule is one that was made in a round, and what came of it.
type Schedule struct {
	Name, Group  string
	Every        time.Duration
	Began, Ended time.Time // around all of its life
	Stopped      time.Time // when Stop had returned; zero: the shutdown ended it
	Triggers     uint64    // that gave a task
	Refused      uint64    // Triggers that Submit refused
	Info         fxtasks.PeriodicInfo
	started      uint64 // of the runs, those that called the function: Check counts them
}

// unstarted counts the runs that were cancelled before they started: nothing else is known of them.
func (s *Schedule) unstarted() uint64 { return s.Info.Runs - min(s.started, s.Info.Runs) }

func (s *Schedule) complain(f *Findings, text string) {
	f.Addf("schedule %q, every %v for %v: %s; %d of the runs started, %d were triggered, %d refused then; stopped at %v: %+v", s.Name, s.Every,
		s.Ended.Sub(s.Began), text, s.started, s.Triggers, s.Refused, s.Stopped, s.Info)
}

// checkSchedules wants each schedule to have had as many runs as were due or triggered, never two at a time, and none
// after it was stopped.
func (h *History) checkSchedules(f *Findings) {
	runs := make(map[string][]*Account)
	for _, a := range h.accepted() {
		if a.Scheduled {
			runs[a.Name] = append(runs[a.Name], a)
		}
	}
	for i := range h.Schedules {
		s := &h.Schedules[i]
		list := runs[s.Name]
		s.started = uint64(len(list))
		if s.started > s.Info.Runs || s.Triggers > s.Info.Runs {
			s.complain(f, "there were more runs than it has counted")
		}
		if due := uint64(s.Ended.Sub(s.Began)/s.Every) + 1; s.Info.Runs-s.Triggers+s.Info.Skipped > due {
			s.complain(f, "there were more runs than were due")
		}
		if !s.Info.Next.IsZero() {
			s.complain(f, "it has ended, and another run is due")
		}
		s.checkRuns(f, list)
	}
}

// checkRuns holds the runs that started, in order, to the contract.
func (s *Schedule) checkRuns(f *Findings, list []*Account) {
	var completed time.Time
	for n, a := range list {
		i := &a.Info
		if n > 0 && i.CreatedAt.Before(list[n-1].Info.FinishedAt) {
			a.complain(f, "it was submitted while the run before was active, %s", brief(list[n-1].Info))
		}
		if !s.Stopped.IsZero() && i.CreatedAt.After(s.Stopped) {
			a.complain(f, "it was submitted %v after its schedule was stopped", i.CreatedAt.Sub(s.Stopped))
		}
		if i.Status == fxtasks.Completed {
			completed = i.FinishedAt
		}
	}
	if !s.Info.LastCompleted.Equal(completed) {
		s.complain(f, "LastCompleted is wrong")
	}
	if len(list) > 0 && s.Info.Last.Seq < list[len(list)-1].Info.Seq {
		s.complain(f, "there was a run after Last")
	}
}

// Due wants what is known of a schedule to go on from what was known before, and its next run to be due at a multiple of
// its period.
func (f *Findings) Due(every time.Duration, before, now fxtasks.PeriodicInfo) {
	onTime := now.Next.UnixNano()%int64(every) == 0 || now.Next.IsZero()
	if !onTime || now.Runs < before.Runs || now.Skipped < before.Skipped || now.Last.Seq < before.Last.Seq || now.LastCompleted.Before(before.LastCompleted) {
		f.Addf("schedule every %v: %+v came after %+v", every, now, before)
	}
}

// unstarted counts the runs of schedules that were cancelled before they started, of a group, or of all for "".
func (h *History) unstarted(group string) (n int) {
	for i := range h.Schedules {
		if s := &h.Schedules[i]; group == "" || s.Group == group {
			n += int(s.unstarted())
		}
	}
	return n
}

// counts gives what s adds to the counters beyond what its runs that started do. How many were rejected is got's.
func (s *Schedule) counts(got fxtasks.Counts) fxtasks.Counts {
	return fxtasks.Counts{Submitted: s.unstarted(), Cancelled: s.unstarted(), Rejected: got.Rejected}
}

// checkRejected wants what the timer submitted in vain to be among what was skipped, unless that was just when the
// schedule ended.
func (s *Schedule) checkRejected(f *Findings, got fxtasks.Counts) {
	if got.Rejected > s.Info.Skipped+s.Refused+1 {
		f.Addf("in the end Stats.ByName[%s] is %+v, want no more rejected than were skipped, %d, and refused, %d", s.Name, got, s.Info.Skipped, s.Refused)
	}
}
