package fxtasks

import (
	"runtime"
	"runtime/debug"
	"runtime/pprof"
)

// work runs t, and then what the queue has for the slot that became free: on the same goroutine,
// which is hot. At a limit of two, no-ops from one submitter took 0.82 of the time that a goroutine
// per task takes. The price is told at stacksOf.
func (m *Manager) work(t *Task) {
	var a attempt
	defer func() {
		if a.stage != pushed { // by runtime.Goexit: this goroutine ends, whatever we do
			a.endByGoexit()
		}
	}()
	for t != nil {
		a = attempt{task: t}
		pprof.SetGoroutineLabels(t.stats.labels)
		if t.opts.timeout > 0 {
			t.ctx.startTimer()
		}
		a.crashed, a.returned = call(t)
		t = endAttempt(t, &a)
	}
}

// attempt is a run of a task's function, as the goroutine that runs it sees it.
type attempt struct {
	task     *Task
	stage    stage
	returned error
	crashed  bool
	goexit   bool // returned is that of runtime.Goexit
}

// stage is how far an attempt is. In each stage the user's code can run and end the goroutine.
type stage uint8

const (
	inFunction stage = iota
	inText           // of the error
	inRetry          // Retry.If and Retry.Delay
	inLog
	pushed
)

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
	err = t.wrapped()(t.ctx)
	crashed = false
	runtime.KeepAlive(t)
	return crashed, err
}

// wrapped gives the task's function inside its middleware.
func (t *Task) wrapped() Func {
	if t.opts.result != nil {
		t.opts.result.open(t.ctx)
	}
	fn := t.fn
	for i := len(t.group.m.middleware) - 1; i >= 0; i-- {
		fn = t.group.m.middleware[i](fn)
	}
	return fn
}

// endAttempt sees to it that the record of t becomes final, and gives the next task for this goroutine
// to run, if any. Like call it is a frame by which stacksOf finds the goroutine of a task: user code
// that it calls may hang.
//
//go:noinline
func endAttempt(t *Task, a *attempt) (next *Task) {
	if t.ctx.timer != nil {
		t.ctx.timer.Stop()
	}
	e := t.ctx.decideEnd(endReturned) // from here on nothing can be asked
	t.ctx.applyEnd()
	if t.opts.result != nil {
		t.opts.result.close(a.returned == nil)
	}
	if a.returned == nil {
		t.outcome = Completed
	} else {
		a.fail(e)
	}
	// The line is written before the record is final: whoever has seen the task return may close the logger.
	a.stage = inLog
	if t.logsEnd() {
		t.writeEnd(a.crashed)
	}
	a.stage = pushed
	next = pushReturned(t)
	runtime.KeepAlive(t)
	return next
}

// endByGoexit goes on where runtime.Goexit has ended the goroutine: in the task's function, or in
// other user code, which is left out then.
func (a *attempt) endByGoexit() {
	t := a.task
	defer func() {
		if a.stage != pushed {
			a.endByGoexit()
		}
	}()
	var next *Task
	switch a.stage {
	case inFunction:
		a.returned, a.crashed, a.goexit = ErrGoexit, true, true
		next = endAttempt(t, a)
	case inText, inRetry:
		if a.stage == inText {
			t.failure.text = unprintable(t.failure.err)
		} else {
			t.failedByGoexit()
		}
		a.stage = inLog
		if t.logsEnd() {
			t.writeEnd(a.crashed)
		}
		a.stage = pushed
		next = pushReturned(t)
	case inLog:
		a.stage = pushed
		next = pushReturned(t)
	}
	if next != nil {
		go t.group.m.work(next)
	}
}

// fail notes how the attempt failed, of which e is what its context ended with.
//
//go:noinline
func (a *attempt) fail(e *ending) {
	t := a.task
	switch {
	case a.crashed, e == endReturned:
		t.outcome = Failed
		t.failure = &failure{err: a.returned}
	default:
		t.outcome = e.status
		t.failure = &failure{err: &endError{cause: e.cause, returned: a.returned, also: e.also}}
	}
	a.stage = inText
	if p, ok := a.returned.(*PanicError); ok && a.crashed {
		p.text = panicTypeText(p.Value) // if printing ends the goroutine
		p.text = panicText(p.Value)
	}
	t.failure.text = textOf(t.failure.err)
	if t.attempts == nil {
		return
	}
	a.stage = inRetry
	if a.retries(e) {
		t.attempts.ended, t.outcome = t.outcome, Pending
	}
}

// pushReturned leaves t in the inbox of those that have returned. The first to come ends all that are in it.
func pushReturned(t *Task) (next *Task) {
	r := t.group.m.reg
	if first, _ := r.returned.push(t, nil); !first {
		return nil // the first is about to enter a section
	}
	cs := r.enter()
	return cs.leaveWith()
}
