package fxtasks

import (
	"context"
	"runtime/debug"
	"time"
)

// Retry says when a task whose attempt failed or timed out gets another one; see WithRetry.
type Retry struct {
	// MaxAttempts bounds the attempts, the first included. 0 and 1 mean no retry.
	MaxAttempts int

	// Delay returns how long to wait after the attempt with that number, 1 being the first. Negative means 0. A panic or
	// runtime.Goexit in it, or in If, ends the task as failed, with both errors.
	//
	// Defaults to Backoff(time.Second, time.Minute).
	Delay func(attempt int) time.Duration

	// If reports whether an error is worth another attempt: after a timeout one that matches ErrTimeout and what
	// the task's function returned. It is not asked about a Permanent error, after which there is none.
	//
	// Defaults to retrying after every error.
	If func(err error) bool
}

// attempts is the state that only a task with WithRetry or WithDelay has.
type attempts struct {
	// These never change until the task has finished. Then the functions and the values are nil, so that a retained
	// record keeps nothing that they hold.
	retry  Retry
	values context.Context // the submitter's

	// Written by the goroutine that runs an attempt before it pushes the task to the inbox, read in sections after.
	delay time.Duration // before the next one
	ended Status        // how the task ends if no other attempt follows after all

	// Protected by the registry's mutex.
	number      int           // of the attempt that runs or ran last
	waited, ran time.Duration // of the latest attempt that another was to follow, for the history
	notBefore   time.Time     // when the latest attempt was or is due; zero: when the task was submitted
	last        *failure      // of the latest attempt that another followed, or is to follow
	lateRequest *ending       // a request that came when the attempt had ended and was not in the inbox yet
	index       int           // in registry.delayed; -1: not there
}

func newAttempts(o *taskOptions, c *taskContext) *attempts {
	if o.retry.MaxAttempts <= 1 && o.delay <= 0 {
		return nil
	}
	a := &attempts{retry: o.retry, values: c.values, index: -1}
	if a.retry.Delay == nil {
		a.retry.Delay = Backoff(time.Second, time.Minute)
	}
	return a
}

// retries reports whether another attempt follows, and notes after which delay. It calls the user's code: a
// panic there fails the task.
func (a *attempt) retries(e *ending) (again bool) {
	t := a.task
	number := int(t.ctx.number) // attempts.number may not have been set yet: the task ran before it was on record
	if a.goexit || e != endReturned && e != endTimeout || number >= t.attempts.retry.MaxAttempts || t.isAtItsLastAttempt(e) {
		return false
	}
	defer func() {
		if v := recover(); v != nil {
			again = false
			a.panicked = &PanicError{Value: v, Stack: debug.Stack(), text: panicText(v)}
			t.failure = bothFailures(t.failure, a.panicked)
			t.outcome = Failed
		}
	}()
	r := &t.attempts.retry
	if isPermanent(a.returned) || r.If != nil && !r.If(t.failure.err) {
		return false
	}
	t.attempts.delay = max(0, r.Delay(number))
	return true
}

// bothFailures joins the failure of an attempt and that of Retry.If or Retry.Delay after it.
func bothFailures(first *failure, second error) *failure {
	text := first.text + "; then Retry: " + second.Error()
	return &failure{err: &twoErrors{[]error{first.err, second}, text}, text: text}
}

type twoErrors struct {
	errs []error
	text string
}

func (e *twoErrors) Error() string   { return e.text }
func (e *twoErrors) Unwrap() []error { return e.errs }

// isAtItsLastAttempt is endsForGood in a section of its own, for an attempt that has ended: the line of its
// end must not announce another one.
//
// It enters none while the group is open, unless the attempt has timed out: most attempts do without the mutex.
func (t *Task) isAtItsLastAttempt(e *ending) bool {
	if e != endTimeout && t.group.open.Load() {
		return false
	}
	cs := t.group.m.reg.enter()
	defer cs.leave()
	return cs.endsForGood(t)
}

// endsForGood reports whether no attempt follows, whatever Retry says: the shutdown has begun, or a cancel came
// after a timeout.
func (cs *section) endsForGood(t *Task) bool {
	return cs.r.clock != nil || t.group.clock != nil || t.attempts.lateRequest != nil && t.request != nil
}

// requeue makes a task pending again, for another attempt. Meanwhile it has no slot, goroutine or context.
func (cs *section) requeue(t *Task) {
	r, a := cs.r, t.attempts
	late, forGood := a.lateRequest, cs.endsForGood(t)
	a.lateRequest = nil
	if forGood { // this was decided after the line that announced another attempt
		if t.group.m.log != nil {
			cs.writeAfterUnlock(t)
		}
		cs.end(t, a.ended)
		return
	}
	if t.request != nil {
		r.asked.remove(t.askedAt())
	}
	t.ctx, t.request, t.requestedAt, t.reported = nil, nil, 0, nil
	a.last, t.failure = t.failure, nil
	a.waited, a.ran = t.waited(), cs.now().Sub(t.at(t.startedAt))
	a.notBefore = cs.now().Add(a.delay)
	cs.move(t, Pending, cs.now())
	r.all.betweenAttempts++
	t.group.betweenAttempts++
	cs.freeSlot(t)
	if t.waits != nil {
		cs.updateWaitersOf(t, -1)
		for len(t.waits.calls) > 0 { // those on goroutines that the attempt left behind
			cs.endWait(t.waits.calls[0])
		}
		cs.reclassify(t)
	}
	r.placeGroup(t.group)
	cs.enqueueWhenDue(t)
	if late != nil {
		cs.endPending(t, late)
	}
}

// isBetweenAttempts reports whether a pending task has had an attempt.
func (t *Task) isBetweenAttempts() bool { return t.attempts != nil && t.attempts.number > 0 }

// leaveBetweenAttempts is called for a task that runs or ends: it no longer counts as between two attempts.
func (cs *section) leaveBetweenAttempts(t *Task) {
	if t.isBetweenAttempts() {
		cs.r.all.betweenAttempts--
		t.group.betweenAttempts--
	}
}

// check checks what WithRetry was given.
func (r Retry) check() error {
	if r.MaxAttempts < 0 {
		return invalid("WithRetry: MaxAttempts is %d: must not be negative", r.MaxAttempts)
	}
	return nil
}

// failedByGoexit adds ErrGoexit to the failure of an attempt after which Retry.If or Retry.Delay ended the goroutine.
func (t *Task) failedByGoexit() {
	t.outcome = Failed
	t.failure = bothFailures(t.failure, ErrGoexit)
}
