package fxtasks

import (
	"runtime"
	"runtime/debug"
	"runtime/pprof"
)

// work runs t, and then, on the same goroutine, the queued tasks that take over its slot. At a limit of
// two, no-ops from one submitter took 0.82 of the time that they take with a goroutine each. The
// drawback is described at stacksOf.
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

// attempt is the state of one run of a task's function. Only the goroutine that runs it uses it.
type attempt struct {
	task     *Task
	stage    stage
	returned error
	crashed  bool
	goexit   bool        // the function has called runtime.Goexit
	panicked *PanicError // the panic of the function, or of Retry.If or Retry.Delay after it; nil: none panicked
	end      *endError   // the task's failure, if it failed after it was asked to end
}

// stage is how far an attempt is. In each stage but the last, user code can end the goroutine.
type stage uint8

const (
	inFunction stage = iota
	inText           // making the text of the error
	inRetry          // calling Retry.If and Retry.Delay
	inLog            // writing the line of the end
	pushed           // the task is in the inbox of returned tasks, or about to be
)

// call runs the task's function inside its middleware. If it panics, crashed is true and err
// is a *PanicError. If it ends by runtime.Goexit, call does not return.
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

// wrapped returns the task's function inside its middleware.
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

// endAttempt ends the context of t, decides its outcome and pushes it to the inbox of returned tasks. It
// returns the next task for this goroutine to run, or nil. Like call it is a frame by which stacksOf finds
// the goroutine of a task: user code that it calls may hang.
//
//go:noinline
func endAttempt(t *Task, a *attempt) (next *Task) {
	if t.ctx.timer != nil {
		t.ctx.timer.Stop()
	}
	e := t.ctx.decideEnd(endReturned) // a later request has no effect on this attempt
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
		t.writeEnd(a.panicked)
	}
	a.stage = pushed
	next = pushReturned(t)
	runtime.KeepAlive(t)
	return next
}

// endByGoexit completes an attempt whose goroutine is being ended by a runtime.Goexit in user code. It
// skips the rest of that user code.
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
			a.setText(a.typeText())
		} else {
			t.failedByGoexit()
		}
		a.stage = inLog
		if t.logsEnd() {
			t.writeEnd(a.panicked)
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

// fail sets the outcome and the failure of the task, whose function did not return nil. e says why its context
// ended.
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
		a.end = &endError{cause: e.cause, returned: a.returned, also: e.also, text: e.text}
		t.failure = &failure{err: a.end}
	}
	a.stage = inText
	if p, ok := a.returned.(*PanicError); ok && a.crashed { // one that was returned is another task's
		a.panicked = p
		p.text = panicTypeText(p.Value) // stays if the next line ends the goroutine
		p.text = panicText(p.Value)
	}
	a.setText(errorText(a.returned))
	if t.attempts == nil {
		return
	}
	a.stage = inRetry
	if a.retries(e) {
		t.attempts.ended, t.outcome = t.outcome, Pending
	}
}

// setText sets the text of the failure. returned is the text of the error that the function returned.
func (a *attempt) setText(returned string) {
	f := a.task.failure
	if a.end == nil {
		f.text = returned
		return
	}
	if returned != a.end.text {
		a.end.text += ": " + returned
	}
	f.text = a.end.text
}

// typeText stands in for the text of an error whose Error method calls runtime.Goexit.
func (a *attempt) typeText() string {
	if p, ok := a.returned.(*PanicError); ok && a.crashed {
		return p.text
	}
	return typeText(a.returned)
}

// pushReturned pushes t to the inbox of returned tasks. Only the goroutine that found the inbox empty enters a
// section, and further ones until the backlog is empty. It returns the next task for this goroutine to run, or nil.
func pushReturned(t *Task) (next *Task) {
	r := t.group.m.reg
	if first, _ := r.returned.push(t, nil); !first {
		return nil // the first is about to enter a section
	}
	cs := r.enter()
	for r.backlog.first != nil {
		cs.leave()
		cs = r.enter()
	}
	return cs.leaveWith()
}
