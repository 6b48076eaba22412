package checks

import (
	"errors"
	"testing"
	"time"

	"github.com/fxtasks/background/fxtasks"
)

func TestCheckShutdown(t *testing.T) {
	report := func(h *History) *fxtasks.ShutdownReport { return &h.Shutdowns[0].Report }
	tell(t, []lie{
		{"initial is not returned and remaining", func(h *History) { report(h).Initial++ }, "do not add up"},
		{"stuck is not remaining", func(h *History) { report(h).Stuck = nil }, "do not add up"},
		{"more cancelled than returned", func(h *History) { report(h).Cancelled = 3 }, "do not add up"},
		{"completed, and something is left", func(h *History) { report(h).Status = completed }, "something was left"},
		{"no ShutdownError", func(h *History) { h.Shutdowns[0].Err = errors.New("other") }, "something was left"},
		{"another ShutdownError", func(h *History) { h.Shutdowns[0].Err = new(fxtasks.ShutdownError) }, "something was left"},
		{"timeout, and nothing is left", func(h *History) {
			r := report(h)
			r.Initial, r.Remaining, r.Stuck = 1, 0, nil
		}, "nothing was left"},
		{"took too long", func(h *History) { h.Shutdowns[0].Budget = -time.Minute }, "keep to its budget"},
		{"gave up too early", func(h *History) { h.Shutdowns[0].Budget = time.Second }, "keep to its budget"},
		{"took longer than it took", func(h *History) { report(h).Duration = time.Minute }, "keep to its budget"},
		{"too many active", func(h *History) { report(h).Initial, report(h).Returned = 9, 8 }, "want initial from 3 to 3"},
		{"too few cancelled", func(h *History) { report(h).Cancelled = 0 }, "cancelled from 2 to 2"},
		{"both were first", func(h *History) { h.Shutdowns[1] = h.Shutdowns[0] }, "and another one too"},
		{"second gives an error", func(h *History) { h.Shutdowns[1].Err = fxtasks.ErrShuttingDown }, "want no error"},
		{"second of a group does not wait", func(h *History) {
			h.Shutdowns[1].Group, h.Shutdowns[1].Returned = "mail", at(102)
		}, "did not wait"},
		{"second does not wait", func(h *History) { h.Shutdowns[1].Returned = at(102) }, "did not wait"},
		{"stuck is not reported", func(h *History) {
			r := report(h)
			r.Initial, r.Remaining, r.Stuck = 1, 0, nil
		}, "is not reported"},
		{"reported and back in time", func(h *History) { h.Accounts[stuck].Info.FinishedAt = at(149) }, "finished 1ms before that"},
		{"reported and not asked", func(h *History) { report(h).Stuck[0].Info.CancelCause = nil }, "it is reported as stuck and"},
		{"reported and finished", func(h *History) {
			report(h).Stuck[0].Info.Status = fxtasks.Completed
		}, "it is reported as stuck and"},
		{"reported and unknown", func(h *History) { report(h).Stuck[0].Info.Seq = 99 }, "never submitted"},
		{"another stack", func(h *History) { report(h).Stuck[0].Stack = "goroutine 1\nmain.main()" }, "it hangs in hang("},
		{"another age", func(h *History) { report(h).Stuck[0].Age = time.Second }, "at the age of"},
	})
}

// The manager's Shutdown goes on, and a group has nothing active.
func TestCheckShutdownOfAnIdleGroup(t *testing.T) {
	f, h := new(Findings), good()
	h.Shutdowns[1].Group, h.Shutdowns[1].Returned = "images", at(102)
	h.Check(f)
	expect(t, f, "")
}

// What a group's Shutdown does to the manager's tasks is none.
func TestCheckShutdownOfAGroup(t *testing.T) {
	h := good()
	h.Schedules = nil
	h.Shutdowns = []Shutdown{{
		Group: "mail", Called: at(100), Returned: at(180), Budget: 50 * time.Millisecond,
		Report: fxtasks.ShutdownReport{Status: completed, Initial: 1, Returned: 1, Duration: 80 * time.Millisecond},
	}}
	h.Accounts = h.Accounts[stuck : stuck+1]
	f := new(Findings)
	h.Check(f)
	if list := f.List(); len(list) > 0 {
		t.Error(list)
	}
	h.Accounts[0].Order.Group, h.Accounts[0].Info.Group = "", ""
	h.Check(f)
	if len(f.List()) == 0 {
		t.Error("found nothing, want that a task of no group was not shut down")
	}
}

// A Shutdown whose ctx has ended gives no grace and keeps to no budget, and one that is not the first
// does not wait.
func TestCheckShutdownThatIsCutShort(t *testing.T) {
	h := good()
	s := &h.Shutdowns[0]
	s.Cut, s.Budget = true, time.Hour
	h.Accounts[graced].Info.CancelRequestedAt = at(101)
	h.Shutdowns[1].Returned, h.Shutdowns[1].CtxErr = at(102), errBoom
	f := new(Findings)
	h.Check(f)
	for _, found := range f.List() {
		t.Error(found)
	}
}
