package fxtasks

import (
	"runtime"
	"runtime/debug"
	"runtime/pprof"
	"time"
)

// work runs t, and then what the queue has for the slot that became free: on the same goroutine,
// which is hot. At a limit of two, no-ops from one submitter took 0.82 of the time that a goroutine
// per task takes. The price is told at stacksOf.
func (m *Manager) work(t *Task) {
	returned := false
	defer func() {
		if !returned { // by runtime.Goexit: this goroutine ends, whatever we do
			if next := m.finish(t, ErrGoexit, true); next != nil {
				go m.work(next)
			}
		}
	}()
	for t != nil {
		pprof.SetGoroutineLabels(t.label.labels)
		if t.timeout > 0 {
			t.startTimer()
		}
		returned = false
		crashed, err := call(t)
		returned = true
		t = m.finish(t, err, crashed)
	}
}

// startTimer is a function of its own so that the timer keeps this task, not whatever work runs then.
func (t *Task) startTimer() {
	t.ctx.deadline = time.Now().Add(t.timeout)
	t.timer = time.AfterFunc(t.timeout, func() { t.m.request(endTimeout, t) })
}

// call runs the task's function inside its middleware. A panic is an error with crashed set. If
// the function ends by runtime.Goexit, call does not return.
//
// It must not be inlined, and t must stay its first argument: stacksOf finds the goroutine of a task
// by the address that a traceback shows in this frame.
//
//go:noinline
func call(t *Task) (crashed bool, err error) {
	crashed = true
	defer func() {
		if !crashed {
			return
		}
		v := recover()
		if v == nil { // Goexit, and then this does not matter; or panic(nil) with GODEBUG=panicnil=1
			v = new(runtime.PanicNilError)
		}
		err = &PanicError{Value: v, Stack: debug.Stack()}
	}()
	fn := t.fn
	for i := len(t.m.middleware) - 1; i >= 0; i-- {
		fn = t.m.middleware[i](fn)
	}
	err = fn(t.ctx)
	crashed = false
	runtime.KeepAlive(t)
	return crashed, err
}

// finish makes the record of t final and gives the next task for this goroutine to run, if any.
func (m *Manager) finish(t *Task, returned error, crashed bool) (next *Task) {
	if t.timer != nil {
		t.timer.Stop()
		t.timer = nil
	}
	end := t.ctx.claim(endReturned) // from here on nothing can be requested
	t.ctx.release()
	status, err := outcome(returned, crashed, end)

	// Logged before the record is final: whoever has seen the task return may close the logger.
	now := time.Now()
	t.logEnd(status, err, crashed, now.Sub(t.started))

	var then aftermath
	r := m.reg
	r.mu.Lock()
	now = r.tickLocked(now)
	r.endLocked(t, status, err, now)
	r.settleLocked(now, &then)
	if len(then.dropped) == 0 { // else there is something to log first, which can be slow
		next = then.starts.popFront()
	}
	r.mu.Unlock()
	then.do(m)
	return next
}

// outcome tells how a task has ended from what its function did and what was requested before.
func outcome(returned error, crashed bool, end *ending) (Status, error) {
	switch {
	case returned == nil:
		return Completed, nil
	case crashed, end == endReturned:
		return Failed, returned
	default:
		return end.status, &endError{cause: end.cause, returned: returned, also: end.also}
	}
}
