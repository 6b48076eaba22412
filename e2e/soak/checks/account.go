package checks

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/fxtasks/background/fxtasks"
)

// Order is what one Submit asks for.
type Order struct {
	N          int    // which one: its task carries the number in its metadata
	Act        string // what its function is to do
	Name       string // "": a bad one, that no counter has
	Group      string // "": none
	ID         string // "": none was chosen
	Policy     fxtasks.DuplicatePolicy
	Blocking   bool
	Run        bool          // by Run, on the goroutine of its caller
	Ends       error         // the cause that the caller's ctx ends with; nil: it does not
	Typed      bool          // by SubmitResult
	Invalid    bool          // must be refused
	Scheduled  bool          // by a schedule: it is known when its function is called
	Bare       bool          // without options, and therefore without metadata
	MaxPending int           // as it applies: the group's or the manager's
	Delay      time.Duration // 0: none
	Timeout    time.Duration // as it applies: its own, the group's or the manager's
	Grace      time.Duration // likewise
	Retry      Retry
}

const (
	numberKey = "soak.number"
	runKey    = "soak.run"
)

// Metadata is what a task carries of its order.
func (o Order) Metadata() map[string]string {
	m := map[string]string{numberKey: strconv.Itoa(o.N)}
	if o.Run {
		m[runKey] = "yes"
	}
	return m
}

// isRun says whether a task was submitted by Run.
func isRun(info *fxtasks.Info) bool { return info.Metadata[runKey] != "" }

// OrderOf gives the number of the order that a task was submitted by, or -1 for a bare one.
func OrderOf(info fxtasks.Info) int {
	n, err := strconv.Atoi(info.Metadata[numberKey])
	if err != nil {
		return -1
	}
	return n
}

// How says how a function has ended.
type How string

// The ways for a function to end.
const (
	Unended  How = "has not ended"
	Returned How = "returned"
	Panicked How = "panicked"
	Exited   How = "called Goexit"
)

// Deed is what the function of a task did in one attempt.
type Deed struct {
	Attempt      int             // from 1; 0: it never ran
	Ctx          context.Context // nil: it never ran
	Began, Ended time.Time
	How          How
	Returned     error
	Panicked     any
	Saw          error // the cause of its context's end; nil: that had not ended by then

	Hung, LetGo time.Time // since and until when it heeded nothing
	Shows       []string  // what its stack shows meanwhile
}

// Account is all that is known of one Submit in the end.
type Account struct {
	Order
	Deed             // of the latest attempt
	Earlier          []Deed
	Called, Answered time.Time
	Refusal          error // that Submit gave
	CtxErr           error // of its ctx when it did
	Joined           bool  // Submit gave the task of another
	Back             Back  // how Run came back
	Info             fxtasks.Info
}

// Accepted says whether the submit made a task.
func (a *Account) Accepted() bool { return a.Refusal == nil && !a.Joined }

// complain notes what is wrong with a.
func (a *Account) complain(f *Findings, format string, args ...any) {
	f.Addf("submit %d (%q of group %q, ID %q %v, to %s): %s; task: %s", a.N, a.Name, a.Group, a.ID, a.Policy, a.Act,
		fmt.Sprintf(format, args...), brief(a.Info))
}

// brief says of a task what helps to find a fault.
func brief(i fxtasks.Info) string {
	if i.Seq == 0 {
		return "none"
	}
	since := func(t time.Time) string {
		if t.IsZero() {
			return "never"
		}
		return t.Sub(i.CreatedAt).String()
	}
	return fmt.Sprintf("seq %d, ID %s, %v, due after %s, attempt %d of %d started after %s, asked after %s for %v, finished after %s with %s",
		i.Seq, i.ID, i.Status, since(i.NotBefore), i.Attempt, i.MaxAttempts, since(i.StartedAt), since(i.CancelRequestedAt),
		i.CancelCause, since(i.FinishedAt), show(i.Err))
}

// show formats an error whose methods may panic.
func show(err error) string {
	return fmt.Sprintf("%T(%v)", err, err) // fmt recovers
}
