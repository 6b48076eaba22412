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
	endReturned  = newEnding(nil, "", Failed) // fn returned before anything was requested
	endCancelled = newEnding(ErrCancelled, ErrCancelled.Error(), Cancelled)
	endReplaced  = newEnding(ErrReplaced, ErrReplaced.Error(), Cancelled)
	endShutdown  = newEnding(ErrShutdown, ErrShutdown.Error(), Cancelled)
	endTimeout   = &ending{cause: ErrTimeout, status: TimedOut, text: ErrTimeout.Error(), ended: &liveContext{Context: timedOut}}
)

func newEnding(cause error, text string, status Status) *ending {
	ended := newLiveContext(false)
	ended.cancel(cause)
	return &ending{cause: cause, text: text, status: status, ended: ended}
}

// endByCaller is the ending for a cancel that may give a cause of its own.
func endByCaller(cause error) *ending {
	if cause == nil {
		return endCancelled
	}
	e := newEnding(cause, isolatedErrorText(cause), Cancelled) // errorText could end the goroutine, and the cancel with it
	e.also = ErrCancelled
	return e
}
