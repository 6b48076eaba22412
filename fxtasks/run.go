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
		if t.opts.timeout > 0 {
			t.ctx.startTimer()
		}
		returned = false
		crashed, err := call(t)
		returned = true
		t = m.finish(t, err, crashed)
	}
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
	for i := len(t.group.m.middleware) - 1; i >= 0; i-- {
		fn = t.group.m.middleware[i](fn)
	}
	err = fn(t.ctx)
	crashed = false
	runtime.KeepAlive(t)
	return crashed, err
}

// finish sees to it that the record of t becomes final, and gives the next task for this goroutine to
// run, if any.
func (m *Manager) finish(t *Task, returned error, crashed bool) (next *Task) {
	if t.ctx.timer != nil {
		t.ctx.timer.Stop()
	}
	end := t.ctx.claim(endReturned) // from here on nothing can be requested
	t.ctx.release()
	t.outcome, t.err = outcome(returned, crashed, end)

	// Logged before the record is final: whoever has seen the task return may close the logger.
	t.logEnd(crashed)

	r := m.reg
	if first, _ := r.returned.push(t, nil); !first {
		return nil // the first one is about to enter a critical section, and takes care of all
	}
	var then aftermath
	r.mu.Lock()
	batch := r.returned.takeLocked()
	now := time.Now() // here, though in the critical section: none of the batch ended later
	r.takeInLocked()  // after the batch was taken: what has returned was submitted before
	now = r.tickLocked(now)
	for t := r.returned.pop(&batch); t != nil; t = r.returned.pop(&batch) {
		r.endLocked(t, t.outcome, now)
	}
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
