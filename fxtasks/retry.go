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

// attempts is what only a task with WithRetry or WithDelay has.
type attempts struct {
	// Never change, but that the functions and the values are nil once the task has finished: a retained record
	// keeps nothing that they hold.
	retry  Retry
	values context.Context // the submitter's

	// Written by the goroutine that runs an attempt before it pushes the task to the inbox, read in sections after.
	delay time.Duration // before the next one
	ended Status        // of the task, if no other attempt follows after all

	// Protected by the registry's mutex.
	number      int           // of the attempt that runs or ran last
	waited, ran time.Duration // of the latest attempt that another was to follow, for the history
	notBefore   time.Time
	last        *failure // of the latest attempt that another followed, or is to follow
	lateRequest *ending  // asked for when the attempt had ended and was not in the inbox yet
	index       int      // in registry.delayed; -1: not there
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
// It needs none while the group is open, unless the attempt has timed out: that is a mutex less for most attempts.
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
	if forGood { // by now, and its line has announced another attempt
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
		for len(t.waits.calls) > 0 { // on goroutines that the attempt left behind
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

// enqueueWhenDue puts a pending task in the queue when it is due, and until then with the delayed ones.
func (cs *section) enqueueWhenDue(t *Task) {
	a := t.attempts
	if a == nil || a.notBefore.IsZero() {
		cs.enqueue(t)
		return
	}
	if left := a.notBefore.Sub(cs.now()); left > 0 {
		cs.r.delayed.Push(t)
		if first, _ := cs.r.delayed.Top(); first == t {
			cs.setDueTimer(left)
		}
		return
	}
	cs.enqueueDue(t)
}

// enqueueDue gives t its turn, now that it is due.
func (cs *section) enqueueDue(t *Task) {
	cs.r.turns++
	t.order = cs.r.turns
	cs.enqueue(t)
}

func (cs *section) setDueTimer(d time.Duration) {
	r := cs.r
	if r.dueTimer == nil {
		r.dueTimer = time.AfterFunc(d, r.wakeDelayed)
	} else {
		r.dueTimer.Reset(d)
	}
}

// wakeDelayed queues the delayed tasks that are due. One timer serves all.
func (r *registry) wakeDelayed() {
	r.inSteps(func(cs *section) bool {
		for range batch {
			t, ok := r.delayed.Top()
			if !ok {
				return false
			}
			if left := t.attempts.notBefore.Sub(cs.now()); left > 0 {
				cs.setDueTimer(left)
				return false
			}
			r.delayed.Pop()
			cs.enqueueDue(t)
		}
		return true
	})
}

// isDueBefore is the order in which delayed tasks get their turns. Tasks that are due at the same moment keep the
// order of their turns before.
func (t *Task) isDueBefore(other *Task) bool {
	if c := t.attempts.notBefore.Compare(other.attempts.notBefore); c != 0 {
		return c < 0
	}
	return t.order < other.order
}

// isDelayed reports whether a pending task is not due yet.
func (t *Task) isDelayed() bool { return t.attempts != nil && t.attempts.index >= 0 }

// isBetweenAttempts reports whether a pending task has had an attempt.
func (t *Task) isBetweenAttempts() bool { return t.attempts != nil && t.attempts.number > 0 }

// isQueued reports whether t is in the queue of its group.
func (t *Task) isQueued() bool {
	return t.status == Pending && t.predecessor == nil && !t.isDelayed()
}

// dueAt returns the time from which on t may start, or might have.
func (t *Task) dueAt() time.Time {
	if t.attempts != nil && !t.attempts.notBefore.IsZero() {
		return t.attempts.notBefore
	}
	return t.created
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
