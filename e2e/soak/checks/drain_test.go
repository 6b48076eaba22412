package checks

import (
	"testing"
	"time"

	"github.com/fxtasks/background/fxtasks"
)

// drained gives a history in which every promise was kept: the drain begins at 100, and Shutdown at 105.
func drained() *History {
	h := good()
	h.Drain = &Drain{Called: at(100), Returned: at(101), Budget: 50 * time.Millisecond, End: at(150)}
	s := &h.Shutdowns[0]
	s.Called, s.Budget, s.Report.Duration = at(105), 45*time.Millisecond, 45*time.Millisecond
	h.Shutdowns[1].Called = at(106)
	return h
}

func TestCheckDrain(t *testing.T) {
	long := func(a *Account) *Account { a.Grace = time.Hour; return a }
	for _, l := range []lie{
		{"nothing", func(*History) {}, ""},
		{"a budget of more", func(h *History) { h.Drain.End = at(152) }, "gave an end"},
		{"a budget of less", func(h *History) { h.Drain.End = at(149) }, "gave an end"},
		{"refused in its grace", func(h *History) { long(&h.Accounts[tooLate]) }, "refused without reason"},
		{"refused after its grace", func(h *History) { h.Accounts[tooLate].Grace = 2 * time.Millisecond }, ""},
		{"refused since it is delayed", func(h *History) { long(&h.Accounts[tooLate]).Delay = 1 }, ""},
		{"taken in its grace", func(h *History) { h.Accounts[stuck].Called = at(102) }, "it was accepted 1ms after its grace"},
		{"taken while it is delayed", func(h *History) {
			h.Accounts[undue].Called, h.Accounts[undue].Answered, h.Accounts[undue].Info.CreatedAt = at(102), at(102), at(102)
		}, "it was accepted 1ms after its grace"},
		{"a schedule goes on", func(h *History) {
			a := &h.Accounts[tickedAgain]
			a.Grace, a.Info.CreatedAt = time.Hour, at(103)
		}, "it was accepted 2ms after its grace"},
		{"a grace of Shutdown's", func(h *History) { h.Accounts[graced].Grace = 12 * time.Millisecond }, "nobody asked"},
		{"a grace that is over before Shutdown", func(h *History) {
			h.Accounts[graced].Grace, h.Accounts[graced].Info.CancelRequestedAt = 3*time.Millisecond, at(103)
		}, ""},
		{"an attempt follows", func(h *History) {
			h.Accounts[retried].Info.StartedAt = at(102)
		}, "another attempt started 1ms after StartDrain"},
		{"starts without grace", func(h *History) { h.Accounts[stuck].Info.StartedAt = at(102) }, "and started 1ms after StartDrain"},
		{"has no grace, and is left to Shutdown", func(h *History) {
			h.Accounts[stuck].Info.CancelRequestedAt = at(105)
		}, "asked to end 4ms after StartDrain"},
		{"not due, and left to Shutdown", func(h *History) {
			h.Accounts[undue].Info.CancelRequestedAt = at(105)
		}, "asked to end 4ms after StartDrain"},
		{"a failure is the last", func(h *History) {
			a := &h.Accounts[stuck]
			*a = task(Order{N: 16, Name: "stuck", Retry: Retry{MaxAttempts: 2}}, 95, 96, 103, fxtasks.Failed, errBoom)
			a.Returned = errBoom
			r := &h.Shutdowns[0].Report
			r.Returned, r.Remaining, r.Stuck, r.Status, h.Shutdowns[0].Err = 3, 0, nil, completed, nil
		}, ""},
		{"what ended before Shutdown is left out", func(h *History) {
			h.Shutdowns[0].Report.Initial, h.Shutdowns[0].Report.Returned, h.Shutdowns[0].Report.Cancelled = 2, 1, 1
			h.Accounts[undue].Info.FinishedAt = at(102)
		}, "want initial from 3 to 3 and cancelled from 2 to 2"},
	} {
		t.Run(l.name, func(t *testing.T) {
			f, h := new(Findings), drained()
			l.change(h)
			h.Check(f)
			expect(t, f, l.found)
		})
	}
}
