package fxtasks

// ending says why a task's context ended. It never changes and serves any number of tasks.
type ending struct {
	cause  error        // of the context; nil: context.Canceled
	status Status       // of a task whose fn returns an error after it
	also   error        // what the task's Err matches besides cause and what fn returned; nil: nothing
	text   string       // of cause
	ended  *liveContext // an ended context, installed if the task never needed a live one
}

var (
	endReturned  = newEnding(nil, Failed, nil) // fn returned before anything was requested
	endCancelled = newEnding(ErrCancelled, Cancelled, nil)
	endReplaced  = newEnding(ErrReplaced, Cancelled, nil)
	endShutdown  = newEnding(ErrShutdown, Cancelled, nil)
	endTimeout   = &ending{cause: ErrTimeout, status: TimedOut, text: ErrTimeout.Error(), ended: &liveContext{Context: timedOut}}
)

func newEnding(cause error, status Status, also error) *ending {
	ended := newLiveContext(false)
	ended.cancel(cause)
	e := &ending{cause: cause, status: status, also: also, ended: ended}
	if cause != nil {
		e.text = errorText(cause)
	}
	return e
}

// endByCaller is the ending for a cancel that may give a cause of its own.
func endByCaller(cause error) *ending {
	if cause == nil {
		return endCancelled
	}
	return newEnding(cause, Cancelled, ErrCancelled)
}
