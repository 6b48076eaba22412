package fxtasks_test

import (
	"slices"
	"time"

	"pgregory.net/rapid"

	"github.com/fxtasks/background/fxtasks"
)

// pick draws one of the tasks for which is holds, or gives nil if there is none.
func (md *model) pick(rt *rapid.T, label string, is func(*modelTask) bool) *modelTask {
	tasks := md.of(md.all, is)
	if len(tasks) == 0 {
		return nil
	}
	return rapid.SampledFrom(tasks).Draw(rt, label)
}

// requestAll asks the tasks to end, a successor before the task that it waits for. The order in which pending tasks
// end is not promised, and so neither is which of their records are kept: whoever calls requestAll forgets all of
// them when everything is settled.
func (md *model) requestAll(tasks []*modelTask, cause error) {
	for _, t := range slices.Backward(tasks) {
		md.request(t, cause)
	}
}

func (md *model) stepCleanup(rt *rapid.T) {
	want := len(md.ended)
	if got := md.forgetAll(); got != want {
		rt.Errorf("Cleanup gave %d, want %d", got, want)
	}
}

func (md *model) forgetAll() int {
	for len(md.ended) > 0 {
		md.forgetFinished(md.ended[0])
	}
	return md.m.Cleanup()
}

func (md *model) stepTime(rt *rapid.T) {
	seconds := rapid.IntRange(1, 7).Draw(rt, "seconds")
	for end := time.Now().Add(time.Duration(seconds) * time.Second); time.Now().Before(end); {
		time.Sleep(time.Until(md.nextDue()))
		md.runDue(rt)
	}
}

// nextDue gives when something is due next: a task, a timeout, a run of a schedule, or the next tick.
func (md *model) nextDue() time.Time {
	next := time.Now().Truncate(modelTick).Add(modelTick)
	sooner := func(at time.Time) {
		if at.After(time.Now()) && at.Before(next) {
			next = at
		}
	}
	for _, t := range md.tasks {
		switch {
		case t.isDelayed():
			sooner(t.notBefore)
		case t.isRunning() && t.timeout > 0:
			sooner(t.started.Add(t.timeout))
		}
	}
	for _, s := range md.schedules {
		sooner(s.next)
	}
	return next
}

// runDue does what is due now.
func (md *model) runDue(rt *rapid.T) {
	md.prune()
	md.becomeDue()
	md.fire(rt)
	for _, t := range md.tasks {
		if t.isRunning() && t.timeout > 0 && time.Since(t.started) >= t.timeout {
			md.request(t, fxtasks.ErrTimeout)
		}
	}
	md.settle(rt)
}
