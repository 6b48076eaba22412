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

var outcomeStatus = [outcomes]fxtasks.Status{
	completed: fxtasks.Completed, failed: fxtasks.Failed, panicked: fxtasks.Failed, exited: fxtasks.Failed,
	timedOut: fxtasks.TimedOut, cancelled: fxtasks.Cancelled, shutDown: fxtasks.Cancelled,
}

var outcomeError = [outcomes]string{
	failed: "error", panicked: "panic", exited: "goexit", timedOut: "timeout", cancelled: "cancelled", shutDown: "shutdown",
}

// outcomeOf decides as the manager does: by what the function returned, and then by what had ended
// the task's context. No error is asked for its text or its type: that is the user's code.
func outcomeOf(ctx context.Context, err error) outcome {
	if err == nil {
		return completed
	}
	switch cause := context.Cause(ctx); {
	case cause == nil:
		return failed
	case cause == fxtasks.ErrTimeout: // not errors.Is: a caller's own cause may wrap it
		return timedOut
	case cause == fxtasks.ErrShutdown:
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
