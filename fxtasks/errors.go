package fxtasks

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"
)

// Errors of calls. Match them with errors.Is: what a call returns says more than the sentinel,
// for example which field of a Config is wrong and what it holds.
var (
	// ErrInvalid reports bad input. The message names the argument and its value.
	ErrInvalid = errors.New("fxtasks: invalid")
	// ErrDuplicateID reports a chosen ID that belongs to an active task.
	ErrDuplicateID = errors.New("fxtasks: ID belongs to an active task")
	// ErrQueueFull reports that neither a slot nor room to wait for one is left.
	ErrQueueFull = errors.New("fxtasks: queue is full")
	// ErrShuttingDown reports that the manager or the group takes no more tasks.
	ErrShuttingDown = errors.New("fxtasks: shutting down")
	// ErrNotFound reports an ID that no task has, or whose record has been forgotten.
	ErrNotFound = errors.New("fxtasks: no such task")
	// ErrFinished reports that a task has ended already.
	ErrFinished = errors.New("fxtasks: task has finished already")
	// ErrStillRunning reports that a task was asked to stop and has not returned in time.
	ErrStillRunning = errors.New("fxtasks: task is still running")
)

// Causes: why a task's context ended, as context.Cause tells it.
var (
	// ErrCancelled is the cause of a cancel that gives none of its own. It matches context.Canceled.
	ErrCancelled error = &cause{"fxtasks: task cancelled", context.Canceled}
	// ErrTimeout is the cause when a task's timeout passes. It matches context.DeadlineExceeded.
	ErrTimeout error = &cause{"fxtasks: task timed out", context.DeadlineExceeded}
	// ErrReplaced is the cause when a task with the same ID is submitted under Replace. It
	// matches context.Canceled.
	ErrReplaced error = &cause{"fxtasks: task replaced", context.Canceled}
	// ErrShutdown is the cause when the manager, or the task's group, shuts down. It matches
	// context.Canceled.
	ErrShutdown error = &cause{"fxtasks: manager shut down", context.Canceled}
)

// ErrGoexit is the Err of a task whose function called runtime.Goexit, for example through
// t.FailNow, instead of returning.
var ErrGoexit = errors.New("fxtasks: task called runtime.Goexit")

// cause is a sentinel that also matches the error which the context package uses for its kind.
type cause struct {
	message string
	is      error
}

func (c *cause) Error() string { return c.message }
func (c *cause) Unwrap() error { return c.is }

// PanicError is the Err of a task whose function panicked.
type PanicError struct {
	Value any    // what was given to panic
	Stack []byte // of the goroutine that panicked, as runtime/debug.Stack formats it

	text string // made when the task ended; "": not made by this package
}

// Error returns a text that was made once, when the task ended: later calls do not look at Value.
func (e *PanicError) Error() string {
	if e.text == "" {
		return panicText(e.Value)
	}
	return e.text
}

// Unwrap returns Value when it is an error, else nil.
func (e *PanicError) Unwrap() error {
	err, _ := e.Value.(error)
	return err
}

// ShutdownError is what Shutdown returns when tasks were still running at the end of its budget.
type ShutdownError struct{ Report ShutdownReport }

func (e *ShutdownError) Error() string {
	const most = 5 // the report has them all; a message stays readable
	var b strings.Builder
	if e.Report.Status == shutdownAlready {
		fmt.Fprintf(&b, "fxtasks: shut down already: %d tasks still running", e.Report.Remaining)
	} else {
		fmt.Fprintf(&b, "fxtasks: shutdown timed out after %v: %d of %d tasks still running",
			e.Report.Duration.Round(time.Millisecond), e.Report.Remaining, e.Report.Initial)
	}
	for i, s := range e.Report.Stuck {
		if i == most {
			fmt.Fprintf(&b, ", and %d more", len(e.Report.Stuck)-most)
			break
		}
		sep := ", "
		if i == 0 {
			sep = ": "
		}
		fmt.Fprintf(&b, "%s%s (%s, for %v)", sep, s.Info.Name, s.Info.ID, s.Age.Round(time.Millisecond))
	}
	return b.String()
}

// endError is the Err of a task that ended after it was asked to: it matches why it was asked,
// what its function returned, and for a caller's own cause ErrCancelled.
type endError struct {
	cause    error
	returned error // nil when the function never ran
	also     error // ErrCancelled or nil
	text     string
}

func (e *endError) Error() string { return e.text }

func (e *endError) Unwrap() []error {
	errs := []error{e.cause}
	if e.returned != nil {
		errs = append(errs, e.returned)
	}
	if e.also != nil {
		errs = append(errs, e.also)
	}
	return errs
}

// invalid makes an error that matches ErrInvalid.
func invalid(format string, args ...any) error {
	return fmt.Errorf("%w: %s", ErrInvalid, fmt.Sprintf(format, args...))
}
