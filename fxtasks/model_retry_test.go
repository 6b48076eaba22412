package fxtasks_test

import (
	"errors"
	"runtime"
	"time"

	"pgregory.net/rapid"

	"github.com/fxtasks/background/fxtasks"
)

// modelRetry is the Retry of a task.
type modelRetry struct {
	attempts int // how many there may be
	hasIf    bool

	// What its functions do when they are called next.
	then string
	wait time.Duration

	// The arguments with which they were called since the last check.
	ifs    []error
	delays []int
}

var errModelRetry = errors.New("a Retry's own panic")

func (t *modelTask) drawRetry(rt *rapid.T) []fxtasks.TaskOption {
	r := new(modelRetry)
	t.retry = r
	attempts := rapid.SampledFrom([]int{3, -1, 2, 3, 0}).Draw(rt, "attempts")
	r.attempts = max(1, attempts)
	if attempts < 0 {
		return nil
	}
	given := fxtasks.Retry{MaxAttempts: attempts, Delay: r.delay}
	if r.hasIf = rapid.Bool().Draw(rt, "has an If"); r.hasIf {
		given.If = r.allows
	}
	return []fxtasks.TaskOption{fxtasks.WithRetry(given)}
}

// allows is the Retry's If.
func (r *modelRetry) allows(err error) bool {
	r.ifs = append(r.ifs, err)
	if r.then == "If panics" {
		panic(errModelRetry)
	}
	return r.then != "If says no"
}

// delay is the Retry's Delay.
func (r *modelRetry) delay(attempt int) time.Duration {
	r.delays = append(r.delays, attempt)
	switch r.then {
	case "Delay panics":
		panic(errModelRetry)
	case "Delay ends its goroutine":
		runtime.Goexit()
	}
	if r.wait == 0 {
		return fxtasks.Backoff(0, time.Minute)(attempt)
	}
	return r.wait
}

// mayRetry says whether another attempt may follow the one whose function ends now, if its Retry says so.
func (md *model) mayRetry(t *modelTask) bool {
	fails := (t.how == "error" || t.how == "panic") && (t.cause == nil || t.cause == fxtasks.ErrTimeout && !t.late) && t.attempt < t.retry.attempts
	if fails && !md.isOpen(t.group) {
		md.met["a failure while draining is the last"]++
	}
	return fails && md.isOpen(t.group)
}

func (md *model) drawRetrying(rt *rapid.T, t *modelTask) {
	then := []string{"again", "again", "again", "again", "again", "Delay panics", "Delay ends its goroutine"}
	if t.retry.hasIf {
		then = append(then, "If says no", "If panics")
	}
	t.retry.then = rapid.SampledFrom(then).Draw(rt, "then")
	t.retry.wait = md.drawDelay(rt, 0, -time.Second, modelDelay, modelLongDelay)
}

// drawDelay draws one of the delays and makes it unique, so that no two tasks are due at the same moment.
func (md *model) drawDelay(rt *rapid.T, of ...time.Duration) time.Duration {
	d := rapid.SampledFrom(of).Draw(rt, "delay")
	if d > 0 {
		md.delays++
		d += time.Duration(md.delays)
	}
	return d
}

// checkRetrying checks how the functions of the Retry were called, if another attempt was possible, or that they were not.
func (t *modelTask) checkRetrying(rt *rapid.T, asked bool) {
	r := t.retry
	ifs, delays := 0, 0
	if asked {
		if r.hasIf {
			ifs = 1
		}
		if r.then != "If says no" && r.then != "If panics" {
			delays = 1
		}
	}
	if len(r.ifs) != ifs || len(r.delays) != delays || delays > 0 && r.delays[0] != t.attempt {
		rt.Errorf("after attempt %d of %v, If was called with %v and Delay with %v; want %d and %d calls", t.attempt, t, r.ifs, r.delays, ifs, delays)
	}
	for _, err := range r.ifs {
		t.failure().check(rt, t, err)
	}
	r.ifs, r.delays = nil, nil
}

// requeue makes t pending again. Requests and progress belong to an attempt, and go with it.
func (md *model) requeue(t *modelTask) {
	md.met["a task is tried again"]++
	if t.attempt > 1 {
		md.met["a task is tried a third time"]++
	}
	t.last = t.failure()
	t.leave(fxtasks.Pending)
	t.how, t.cause, t.requested, t.progress = "", nil, time.Time{}, fxtasks.Progress{}
	t.retried++
	md.publish(t, fxtasks.EventRetrying)
	md.delay(t, t.retry.wait)
}

// delay makes t due after d.
func (md *model) delay(t *modelTask, d time.Duration) {
	t.notBefore = time.Now().Add(max(0, d))
	if t.delayed = d > 0; !t.delayed {
		md.takeTurn(t)
	}
}

// takeTurn puts t behind all tasks that wait to be started.
func (md *model) takeTurn(t *modelTask) {
	md.turns++
	t.turn = md.turns
}

// becomeDue gives the tasks that are due now their turns.
func (md *model) becomeDue() {
	for _, t := range md.of(md.all, (*modelTask).isDelayed) {
		if !time.Now().Before(t.notBefore) {
			t.delayed = false
			md.takeTurn(t)
			if t.after != nil {
				md.met["a task is due before it may replace another"]++
			}
		}
	}
}
