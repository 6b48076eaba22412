package oteladapter

import (
	"context"
	"runtime"

	"github.com/fxtasks/background/fxtasks"
)

// outcome is how an attempt ended: what background.task.status and error.type say.
type outcome uint8

const (
	completed outcome = iota
	failed
	panicked
	exited
	timedOut
	cancelled
	shutDown
	outcomes
)

func (o outcome) status() fxtasks.Status {
	return [outcomes]fxtasks.Status{
		completed: fxtasks.Completed, failed: fxtasks.Failed, panicked: fxtasks.Failed, exited: fxtasks.Failed,
		timedOut: fxtasks.TimedOut, cancelled: fxtasks.Cancelled, shutDown: fxtasks.Cancelled,
	}[o]
}

// errorType gives "" for a completed one.
func (o outcome) errorType() string {
	return [outcomes]string{
		failed: "error", panicked: "panic", exited: "goexit", timedOut: "timeout", cancelled: "cancelled", shutDown: "shutdown",
	}[o]
}

// outcomeOf gives that of an attempt whose function has just returned an error, by what had been
// asked of it: so does the manager decide. The record says what was asked, and not ctx, which a
// middleware can have derived. No error is asked for its text or its type: that is the user's code.
func outcomeOf(ctx context.Context) outcome {
	t, ok := fxtasks.FromContext(ctx)
	if !ok {
		return failed
	}
	switch info := t.Info(); {
	case info.CancelRequestedAt.IsZero():
		return failed
	case info.CancelCause == fxtasks.ErrTimeout && ctx.Err() != context.Canceled: // which it is if that is a caller's cause
		return timedOut
	case info.CancelCause == fxtasks.ErrShutdown:
		return shutDown
	default:
		return cancelled
	}
}

// unwinding tells a panic from runtime.Goexit in a deferred function, by who called it. To recover
// and panic again would lose the stack of the panic.
func unwinding() outcome {
	var pcs [1]uintptr
	runtime.Callers(3, pcs[:]) // past Callers, unwinding and the deferred function
	if f, _ := runtime.CallersFrames(pcs[:]).Next(); f.Function == "runtime.Goexit" {
		return exited
	}
	return panicked
}
