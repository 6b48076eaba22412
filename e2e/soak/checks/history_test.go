package checks

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/fxtasks/background/fxtasks"
)

var errBoom = errors.New("boom")

// at gives a moment of the histories that tests make up, in milliseconds.
func at(ms int) time.Time {
	return time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC).Add(time.Duration(ms) * time.Millisecond)
}

// task makes the account of a task that was submitted at one moment, ran between two others, and ended
// as status with err. Its ID is what was chosen, or the name.
func task(o Order, created, began, ended int, status fxtasks.Status, err error) Account {
	a := Account{Order: o, Called: at(created), Answered: at(created)}
	a.Info = fxtasks.Info{
		Seq: uint64(o.N), ID: o.ID, Name: o.Name, Group: o.Group, Status: status, Err: err, Timeout: o.Timeout, MaxAttempts: o.maxAttempts(),
		CreatedAt: at(created), FinishedAt: at(ended), ExpiresAt: at(ended),
	}
	if o.ID == "" {
		a.Info.ID = o.Name
	}
	if began > 0 {
		a.Info.StartedAt, a.Info.Attempt = at(began), 1
		a.Deed = Deed{Attempt: 1, Began: at(began), Ended: at(ended), How: Returned}
	}
	return a
}

// asked adds to a that it was asked to end.
func asked(a Account, when int, cause error) Account {
	a.Info.CancelRequestedAt, a.Info.CancelCause = at(when), cause
	return a
}

// refused makes the account of a submit that gave an error.
func refused(o Order, called, answered int, err error) Account {
	return Account{Order: o, Called: at(called), Answered: at(answered), Refusal: err}
}

// The accounts of good, by what they are.
const (
	plain = iota
	failed
	panicked
	exited
	cancelled
	timedOut
	dropped
	old
	successor
	joined
	full
	duplicate
	malformed
	gaveUp
	graced
	stuck
	tooLate
	retried
	between
	delayed
	undue
	ran
	ticked
	tickedAgain
)

// good gives a history in which every promise was kept. The manager is shut down at 100, for 50.
func good() *History {
	own := &Cause{For: "cancelled"}
	h := &History{
		Requests: map[string]bool{"dropped": true},
		Accounts: []Account{
			plain:       task(Order{N: 1, Name: "plain"}, 1, 2, 3, fxtasks.Completed, nil),
			failed:      task(Order{N: 2, Name: "failed"}, 2, 3, 4, fxtasks.Failed, errBoom),
			panicked:    task(Order{N: 3, Name: "panicked"}, 3, 4, 5, fxtasks.Failed, &fxtasks.PanicError{Value: "boom", Stack: []byte("main")}),
			exited:      task(Order{N: 4, Name: "exited"}, 4, 5, 6, fxtasks.Failed, fxtasks.ErrGoexit),
			cancelled:   asked(task(Order{N: 5, Name: "cancelled"}, 5, 6, 8, fxtasks.Cancelled, errors.Join(own, fxtasks.ErrCancelled, errBoom)), 7, own),
			timedOut:    asked(task(Order{N: 6, Name: "timed out", Timeout: 2 * time.Millisecond}, 6, 7, 10, fxtasks.TimedOut, errors.Join(fxtasks.ErrTimeout, errBoom)), 9, fxtasks.ErrTimeout),
			dropped:     asked(task(Order{N: 7, Name: "dropped"}, 7, 0, 8, fxtasks.Cancelled, fxtasks.ErrCancelled), 8, fxtasks.ErrCancelled),
			old:         asked(task(Order{N: 8, Name: "old", ID: "x"}, 10, 11, 14, fxtasks.Completed, nil), 12, fxtasks.ErrReplaced),
			successor:   task(Order{N: 9, Name: "successor", ID: "x", Policy: fxtasks.Replace}, 12, 14, 20, fxtasks.Completed, nil),
			joined:      {Order: Order{N: 10, Name: "joined", ID: "x", Policy: fxtasks.Join}, Called: at(15), Answered: at(15), Joined: true},
			full:        refused(Order{N: 11, Name: "full", MaxPending: 1}, 16, 16, fxtasks.ErrQueueFull),
			duplicate:   refused(Order{N: 12, Name: "duplicate", ID: "x"}, 17, 17, fxtasks.ErrDuplicateID),
			malformed:   refused(Order{N: 13, Invalid: true}, 18, 18, fxtasks.ErrInvalid),
			gaveUp:      refused(Order{N: 14, Name: "gave up", Blocking: true}, 19, 25, context.DeadlineExceeded),
			graced:      asked(task(Order{N: 15, Name: "graced", Grace: 10 * time.Millisecond}, 90, 91, 112, fxtasks.Cancelled, errors.Join(fxtasks.ErrShutdown, errBoom)), 111, fxtasks.ErrShutdown),
			stuck:       asked(task(Order{N: 16, Name: "stuck", Group: "mail"}, 95, 96, 170, fxtasks.Completed, nil), 101, fxtasks.ErrShutdown),
			tooLate:     refused(Order{N: 17, Name: "too late"}, 101, 102, fxtasks.ErrShuttingDown),
			ran:         goodRun(),
			tickedAgain: {},
		},
	}
	h.Accounts[retried], h.Accounts[between] = goodAttempts()
	h.Schedules = make([]Schedule, 1)
	h.Accounts[ticked], h.Accounts[tickedAgain], h.Schedules[0] = goodSchedule()
	h.Accounts[delayed], h.Accounts[undue] = goodDelays()
	for _, n := range []int{failed, cancelled, timedOut, graced} {
		h.Accounts[n].Returned = errBoom
	}
	h.Accounts[panicked].How, h.Accounts[panicked].Panicked = Panicked, "boom"
	h.Accounts[exited].How = Exited
	h.Accounts[gaveUp].CtxErr = context.DeadlineExceeded
	h.Accounts[stuck].Hung, h.Accounts[stuck].LetGo, h.Accounts[stuck].Shows = at(97), at(169), []string{"hang("}
	info := h.Accounts[stuck].Info
	info.Status, info.FinishedAt, info.ExpiresAt = fxtasks.Running, time.Time{}, time.Time{}
	report := fxtasks.ShutdownReport{
		Status: timeout, Initial: 3, Returned: 2, Cancelled: 2, Remaining: 1, Duration: 50 * time.Millisecond,
		Stuck: []fxtasks.StuckTask{{Info: info, Age: 54 * time.Millisecond, Stack: "goroutine 7\nmain.hang(0x1)"}},
	}
	h.Shutdowns = []Shutdown{
		{Called: at(100), Returned: at(151), Budget: 50 * time.Millisecond, Report: report, Err: &fxtasks.ShutdownError{Report: report}},
		{Called: at(101), Returned: at(150), Budget: 50 * time.Millisecond, Report: fxtasks.ShutdownReport{Status: already}},
	}
	return h
}

func TestCheckFindsNothingWrongWithAGoodHistory(t *testing.T) {
	f := new(Findings)
	good().Check(f)
	for _, found := range f.List() {
		t.Error(found)
	}
}

// lie is something to change in a good history, and what is then to be found.
type lie struct {
	name   string
	change func(*History)
	found  string
}

func tell(t *testing.T, lies []lie) {
	for _, l := range lies {
		t.Run(l.name, func(t *testing.T) {
			f, h := new(Findings), good()
			l.change(h)
			h.Check(f)
			if list := strings.Join(f.List(), "\n"); !strings.Contains(list, l.found) {
				t.Errorf("found %q, want %q", list, l.found)
			}
		})
	}
}

func TestCheckSubmits(t *testing.T) {
	tell(t, []lie{
		{"submit hangs", func(h *History) { h.Accounts[plain].Answered = time.Time{} }, "has not returned"},
		{"refused and run", func(h *History) { h.Accounts[full].Attempt = 1 }, "it was refused with"},
		{"joined and run", func(h *History) { h.Accounts[joined].Attempt = 1 }, "it joined a task"},
		{"invalid is accepted", func(h *History) { h.Accounts[plain].Invalid = true }, "want ErrInvalid"},
		{"valid is invalid", func(h *History) { h.Accounts[malformed].Invalid = false }, "refused without reason"},
		{"unlimited is full", func(h *History) { h.Accounts[full].MaxPending = 0 }, "refused without reason"},
		{"blocking is full", func(h *History) { h.Accounts[full].Blocking = true }, "refused without reason"},
		{"ID is free", func(h *History) { h.Accounts[duplicate].ID = "y" }, "refused without reason"},
		{"ID is free again", func(h *History) { h.Accounts[duplicate].Called = at(21) }, "refused without reason"},
		{"replace is a duplicate", func(h *History) { h.Accounts[duplicate].Policy = fxtasks.Replace }, "refused without reason"},
		{"gives up with ctx alive", func(h *History) { h.Accounts[gaveUp].CtxErr = nil }, "refused without reason"},
		{"gives up without blocking", func(h *History) { h.Accounts[gaveUp].Blocking = false }, "refused without reason"},
		{"error of another kind", func(h *History) { h.Accounts[full].Refusal = errBoom }, "refused without reason"},
		{"closed before Shutdown", func(h *History) { h.Accounts[tooLate].Answered = at(99) }, "refused without reason"},
		{"accepted after Shutdown", func(h *History) { h.Accounts[plain].Called = at(160) }, "after Shutdown had returned"},
		{"created before it was submitted", func(h *History) { h.Accounts[failed].Called = at(3) }, "CreatedAt is"},
		{"Seq twice", func(h *History) { h.Accounts[failed].Info.Seq = 1 }, "it has Seq 1"},
		{"Seq against time", func(h *History) { h.Accounts[plain].Info.Seq = 3; h.Accounts[panicked].Info.Seq = 1 }, "was created at"},
		{"generated ID twice", func(h *History) { h.Accounts[failed].Info.ID = "plain" }, "same ID"},
		{"ID twice at once", func(h *History) { h.Accounts[successor].Policy = fxtasks.Reject }, "it was accepted before another"},
		{"replacement does not wait", func(h *History) { h.Accounts[successor].Info.StartedAt = at(13) }, "it started before another"},
	})
}

func TestCheckTasks(t *testing.T) {
	tell(t, []lie{
		{"lost", func(h *History) { h.Accounts[plain].Info.Status = fxtasks.Running }, "it is lost"},
		{"runs twice", func(h *History) { h.Accounts[plain].Attempt = 2 }, "run 2 times"},
		{"never runs", func(h *History) { h.Accounts[plain].Deed = Deed{} }, "never ran"},
		{"never runs and starts", func(h *History) { h.Accounts[dropped].Info.StartedAt = at(8) }, "never ran"},
		{"finishes before its function", func(h *History) { h.Accounts[plain].Ended = at(4) }, "after FinishedAt"},
		{"finishes while its function runs", func(h *History) { h.Accounts[plain].How = Unended }, "has not ended"},
		{"runs before it starts", func(h *History) { h.Accounts[plain].Began = at(1) }, "want it after StartedAt"},
		{"expires before it finishes", func(h *History) { h.Accounts[plain].Info.ExpiresAt = at(1) }, "expires at"},
		{"asked for no reason", func(h *History) { h.Accounts[plain].Info.CancelRequestedAt = at(2) }, "it was asked to end at"},
		{"another name", func(h *History) { h.Accounts[plain].Info.Name = "other" }, "its record has"},
		{"another group", func(h *History) { h.Accounts[stuck].Info.Group = "" }, "its record has"},
		{"another timeout", func(h *History) { h.Accounts[timedOut].Info.Timeout = 1 }, "its record has"},
		{"completed with an error", func(h *History) { h.Accounts[plain].Info.Err = errBoom }, "its Err is"},
		{"completed is cancelled", func(h *History) { h.Accounts[old].Info.Status = fxtasks.Cancelled }, "want completed"},
		{"failed is completed", func(h *History) { h.Accounts[failed].Info.Status = fxtasks.Completed }, "want failed"},
		{"failed loses its error", func(h *History) { h.Accounts[failed].Info.Err = errors.New("other") }, "its Err is"},
		{"panic loses its value", func(h *History) { h.Accounts[panicked].Panicked = "other" }, "its Err is"},
		{"Goexit is a failure like others", func(h *History) { h.Accounts[exited].Info.Err = errBoom }, "its Err is"},
		{"cancelled loses its cause", func(h *History) {
			h.Accounts[cancelled].Info.Err = errors.Join(fxtasks.ErrCancelled, errBoom)
		}, "its Err is"},
		{"cancelled loses what was returned", func(h *History) {
			h.Accounts[graced].Info.Err = fxtasks.ErrShutdown
		}, "its Err is"},
		{"own cause is not ErrCancelled", func(h *History) {
			h.Accounts[cancelled].Info.Err = errors.Join(h.Accounts[cancelled].Info.CancelCause, errBoom)
		}, "its Err is"},
		{"timed out is cancelled", func(h *History) { h.Accounts[timedOut].Info.Status = fxtasks.Cancelled }, "want timed_out"},
		{"saw another cause", func(h *History) { h.Accounts[cancelled].Saw = fxtasks.ErrShutdown }, "saw its context end"},
		{"context does not end", func(h *History) { h.Accounts[plain].Ctx = context.Background() }, "context's end is"},
	})
}

func TestCheckRequests(t *testing.T) {
	tell(t, []lie{
		{"nobody cancelled it", func(h *History) { h.Requests = nil }, "nobody asked"},
		{"another was cancelled", func(h *History) { h.Accounts[cancelled].Info.ID = "other" }, "nobody asked"},
		{"nobody replaced it", func(h *History) { h.Accounts[successor].Policy = fxtasks.Join }, "nobody asked"},
		{"timeout too early", func(h *History) { h.Accounts[timedOut].Info.CancelRequestedAt = at(8) }, "nobody asked"},
		{"timeout of none", func(h *History) { h.Accounts[timedOut].Timeout = 0 }, "nobody asked"},
		{"shut down before Shutdown", func(h *History) { h.Accounts[stuck].Info.CancelRequestedAt = at(99) }, "nobody asked"},
		{"grace cut short", func(h *History) { h.Accounts[graced].Grace = 20 * time.Millisecond }, "nobody asked"},
		{"grace of more than the budget", func(h *History) { h.Accounts[graced].Grace = time.Hour }, "nobody asked"},
		{"grace of none", func(h *History) {
			h.Accounts[graced].Grace = 0
			h.Accounts[graced].Info.CancelRequestedAt = h.Accounts[graced].Info.CancelRequestedAt.Add(2 * asking)
		}, "it has no grace, and was asked"},
		{"starts without grace", func(h *History) {
			h.Accounts[stuck].Info.StartedAt = at(103)
		}, "it has no grace, and started"},
	})
}
