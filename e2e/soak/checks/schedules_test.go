package checks

import (
	"testing"
	"time"

	"github.com/fxtasks/background/fxtasks"
)

// goodSchedule gives the two runs of a schedule that was stopped, one due and one triggered.
func goodSchedule() (first, second Account, s Schedule) {
	order := Order{Name: "tick", Scheduled: true, Bare: true}
	order.N = 23
	first = task(order, 97, 97, 98, fxtasks.Completed, nil)
	first.Called = at(98) // it is known since its function was called
	first.Answered = at(98)
	order.N = 24
	second = task(order, 98, 98, 99, fxtasks.Failed, errBoom)
	second.Returned = errBoom
	first.Info.ID, second.Info.ID = "tick 1", "tick 2"
	s = Schedule{Name: "tick", Every: 2 * time.Millisecond, Began: at(96), Stopped: at(98), Ended: at(99), Triggers: 1}
	s.Info = fxtasks.PeriodicInfo{Name: "tick", Runs: 2, Last: second.Info, LastCompleted: at(98)}
	return first, second, s
}

func TestCheckSchedules(t *testing.T) {
	tell(t, []lie{
		{"runs at once", func(h *History) { h.Accounts[ticked].Info.FinishedAt = at(99) }, "while the run before was active"},
		{"runs on", func(h *History) { h.Schedules[0].Stopped = at(97) }, "after its schedule was stopped"},
		{"forgets a run", func(h *History) { h.Schedules[0].Info.Runs = 1 }, "more runs than it has counted"},
		{"runs too often", func(h *History) { h.Schedules[0].Info.Runs, h.Schedules[0].Info.Skipped = 3, 2 }, "more runs than were due"},
		{"goes on", func(h *History) { h.Schedules[0].Info.Next = at(200) }, "another run is due"},
		{"completed at another time", func(h *History) { h.Schedules[0].Info.LastCompleted = at(99) }, "LastCompleted is wrong"},
		{"another was the last", func(h *History) { h.Schedules[0].Info.Last.Seq = 23 }, "there was a run after Last"},
	})
}

func TestDue(t *testing.T) {
	before := fxtasks.PeriodicInfo{Next: at(4), Runs: 1, Skipped: 1, LastCompleted: at(2)}
	now := fxtasks.PeriodicInfo{Next: at(6), Runs: 2, Skipped: 1, LastCompleted: at(4)}
	f := new(Findings)
	f.Due(2*time.Millisecond, before, now)
	expect(t, f, "")
	f.Due(2*time.Millisecond, now, before)
	expect(t, f, "came after")
	f = new(Findings)
	f.Due(4*time.Millisecond, before, now)
	expect(t, f, "came after")
}

// A run that never started is among the figures, the events and the records, and nothing else is known of it.
func TestUnstartedRuns(t *testing.T) {
	s := Schedule{Name: "tick", Group: "mail", Info: fxtasks.PeriodicInfo{Runs: 3, Skipped: 2}, Refused: 1, started: 1}
	f := new(Findings)
	s.checkRejected(f, fxtasks.Counts{Rejected: 4})
	if c := s.counts(fxtasks.Counts{Rejected: 4}); c != (fxtasks.Counts{Submitted: 2, Cancelled: 2, Rejected: 4}) {
		t.Errorf("counts are %+v", c)
	}
	expect(t, f, "")
	s.checkRejected(f, fxtasks.Counts{Rejected: 5})
	expect(t, f, "want no more rejected")
	h := &History{Schedules: []Schedule{s}}
	if all, mail, images := h.unstarted(""), h.unstarted("mail"), h.unstarted("images"); all != 2 || mail != 2 || images != 0 {
		t.Errorf("unstarted are %d, %d of the group and %d of another", all, mail, images)
	}
}
