package fxtasks_test

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/fxtasks/background/fxtasks"
)

// modelTask is what the contract says of a task, next to the task itself.
type modelTask struct {
	// The handles that were given out: nil until a submit has returned one.
	task  *fxtasks.Task
	value func(ctx context.Context) (any, error) // of a Result

	// How it was submitted.
	serial   int
	id, name string // id is "" until known
	group    *modelScope
	kind     string // of value: "", "int" or "string"
	timeout  time.Duration
	grace    time.Duration
	delay    time.Duration
	retry    *modelRetry
	metadata map[string]string
	carries  any            // the value of its context
	schedule *modelSchedule // the schedule that it is a run of
	external bool           // it was submitted by Run
	runBy    *modelTask     // the task on whose goroutine Run runs it

	// What the contract says of it now.
	status    fxtasks.Status
	created   time.Time
	started   time.Time
	finished  time.Time
	after     *modelTask // the task that it is to replace, until that has returned
	turn      int        // the task with the lowest starts first, of those that may
	delayed   bool       // it is pending, and not due yet
	notBefore time.Time
	slot      bool
	cause     error // why it was asked to end
	byContext bool  // the cause is that of the context that Run was given
	requested time.Time
	late      bool   // it was asked to end after it had timed out
	how       string // how the function of the latest attempt ended; "": it runs, or there was none since it became pending
	broken    error  // what Retry failed with
	attempt   int
	waited    time.Duration // until the latest attempt started, from when that was due
	worked    time.Duration // how long the latest attempt ran, once it is over
	retried   int
	last      modelFailure // of the latest attempt that another follows
	ctxEnd    error        // the cause with which ctx has ended
	progress  fxtasks.Progress
	events    []modelEvent
	known     bool // it has a record

	// What its function uses.
	ctx    context.Context   // of the latest attempt
	orders chan func() error // what it is to do next; an error ends it
	runs   int               // how often it was called
	woken  bool              // the goroutine that has waited for it since it was submitted has gone on
	seen   int               // how many of events were checked
}

type carriedKey struct{}

var (
	errModel      = errors.New("on purpose")
	errModelCause = errors.New("a caller's own cause")
	errReturns    = errors.New("return nil") // an order
)

// run is the function of every task: it does as it is told.
func (t *modelTask) run(over <-chan struct{}) fxtasks.Func {
	return func(ctx context.Context) error {
		t.ctx = ctx
		t.runs++
		for {
			select {
			case order := <-t.orders:
				switch err := order(); err {
				case nil:
				case errReturns:
					return nil
				default:
					return err
				}
			case <-over:
				return nil
			}
		}
	}
}

func (t *modelTask) hasHandle() bool { return t.task != nil }

func (t *modelTask) String() string {
	if t == nil {
		return "nobody"
	}
	return fmt.Sprintf("task %d", t.serial)
}

func (t *modelTask) GoString() string { return t.String() } // for rapid

func (t *modelTask) isPending() bool { return t.status == fxtasks.Pending }
func (t *modelTask) isRunning() bool { return t.status == fxtasks.Running }
func (t *modelTask) isActive() bool  { return !t.status.Finished() }
func (t *modelTask) holdsSlot() bool { return t.slot }
func (t *modelTask) isDelayed() bool { return t.isPending() && t.delayed }
func (t *modelTask) isQueued() bool  { return t.isPending() && !t.delayed && t.after == nil }

// due gives when t, or its latest attempt, was or is due.
func (t *modelTask) due() time.Time {
	if t.notBefore.IsZero() {
		return t.created
	}
	return t.notBefore
}

// isBetweenAttempts holds also for a task whose next attempt is due and has not started.
func (t *modelTask) isBetweenAttempts() bool { return t.isPending() && t.attempt > 0 }
