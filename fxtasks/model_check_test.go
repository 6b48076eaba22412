package fxtasks_test

import (
	"errors"
	"maps"
	"slices"
	"testing/synctest"

	"pgregory.net/rapid"

	"github.com/fxtasks/background/fxtasks"
)

// check compares the manager with the model, once all that can happen has.
func (md *model) check(rt *rapid.T) {
	synctest.Wait()
	for _, t := range md.tasks {
		md.checkTask(rt, t)
	}
	for _, id := range []string{"x", "y"} {
		want := md.holder(id)
		got, ok := md.m.Task(id)
		if ok != (want != nil) || ok && got != want.task {
			rt.Errorf("Task(%q) gave %v, %v, want %v", id, got, ok, want)
		}
	}
	md.checkCounts(rt)
	md.checkOrder(rt)
	state := fxtasks.Open
	if md.closed {
		state = fxtasks.Draining
		if md.count(0, fxtasks.Pending)+md.count(0, fxtasks.Running) == 0 {
			state = fxtasks.Stopped
		}
	}
	if got := md.m.State(); got != state {
		rt.Errorf("the manager is %v, want %v", got, state)
	}
	if rt.Failed() {
		rt.FailNow()
	}
}

func (md *model) checkTask(rt *rapid.T, t *modelTask) {
	info := t.task.Info()
	if info.Status != t.status || info.Group != md.names[t.group] || info.Timeout != t.timeout {
		rt.Errorf("%v is %+v, want %v", t, info, t.status)
	}
	if info.CancelCause != t.cause || info.CancelRequestedAt.IsZero() != (t.cause == nil) {
		rt.Errorf("%v was asked to end at %v for %v, want %v", t, info.CancelRequestedAt, info.CancelCause, t.cause)
	}
	if !info.StartedAt.Equal(t.started) || !info.FinishedAt.Equal(t.finished) {
		rt.Errorf("%v started at %v and finished at %v, want %v and %v", t, info.StartedAt, info.FinishedAt, t.started, t.finished)
	}
	want := t.err()
	if (info.Err == nil) != (want == nil) {
		rt.Errorf("the Err of %v is %v, want %v", t, info.Err, want)
	}
	for _, err := range want {
		if !errors.Is(info.Err, err) {
			rt.Errorf("the Err of %v is %v, want %v", t, info.Err, err)
		}
	}
	if t.ran.Load() == t.started.IsZero() {
		rt.Errorf("the function of %v was called: %v", t, t.ran.Load())
	}
	if t.woken.Load() != t.status.Finished() {
		rt.Errorf("%v is %v, and who waits for it was woken: %v", t, t.status, t.woken.Load())
	}
	if t.known && t.id != "x" && t.id != "y" {
		if got, ok := md.m.Task(t.id); !ok || got != t.task {
			rt.Errorf("Task(%q) gave %v, %v", t.id, got, ok)
		}
	}
}

// checkCounts compares the counters with the model, with each other and with the limits.
func (md *model) checkCounts(rt *rapid.T) {
	stats := md.m.Stats()
	var sum fxtasks.Counts
	for g := range md.into {
		got := fxtasks.Counts{
			Pending: stats.Pending, Running: stats.Running, Submitted: stats.Submitted, Rejected: stats.Rejected,
			Completed: stats.Completed, Failed: stats.Failed, Cancelled: stats.Cancelled, TimedOut: stats.TimedOut,
		}
		if group, ok := md.into[g].(*fxtasks.Group); ok {
			got = group.Stats()
			if byGroup := stats.ByGroup[md.names[g]]; byGroup != got {
				rt.Errorf("group %q counts %+v, and ByGroup %+v", md.names[g], got, byGroup)
			}
		} else {
			sum = got
		}
		want := fxtasks.Counts{
			Pending: md.count(g, fxtasks.Pending), Running: md.count(g, fxtasks.Running),
			Completed: uint64(md.count(g, fxtasks.Completed)), Failed: uint64(md.count(g, fxtasks.Failed)),
			Cancelled: uint64(md.count(g, fxtasks.Cancelled)), TimedOut: uint64(md.count(g, fxtasks.TimedOut)),
			Submitted: got.Submitted, Rejected: got.Rejected,
		}
		if ended := got.Completed + got.Failed + got.Cancelled + got.TimedOut; got != want || got.Submitted != ended+uint64(got.Pending+got.Running) {
			rt.Errorf("group %q counts %+v, want %+v", md.names[g], got, want)
		}
		l := md.limits[g]
		if l.MaxRunning > 0 && got.Running > l.MaxRunning || l.MaxPending > 0 && got.Pending > l.MaxPending || l.MaxPending < 0 && got.Pending > 0 {
			rt.Errorf("group %q has %d running and %d pending, over the limits %+v", md.names[g], got.Running, got.Pending, l)
		}
	}
	if sum.Submitted != uint64(len(md.tasks)) || sum.Rejected != md.refused || stats.ByName["work"] != sum {
		rt.Errorf("%d submitted, %d refused, but the stats are %+v", len(md.tasks), md.refused, stats)
	}
	listed := make(map[fxtasks.Status]int)
	for _, info := range md.m.List(fxtasks.Filter{Limit: 1000}).Tasks {
		listed[info.Status]++
	}
	maps.DeleteFunc(listed, func(s fxtasks.Status, n int) bool { return s.Finished() })
	if listed[fxtasks.Pending] != stats.Pending || listed[fxtasks.Running] != stats.Running {
		rt.Errorf("List shows %v, but the stats are %+v", listed, stats)
	}
}

// checkOrder sees to it that no task of a group was started before another that was submitted
// earlier and could have started, which is one that never had to wait for the task it replaced.
func (md *model) checkOrder(rt *rapid.T) {
	for g := range md.into {
		var later *modelTask // of those submitted later, the one that started first
		for _, t := range slices.Backward(md.tasks) {
			switch {
			case t.group != g || t.replaces || t.started.IsZero() && t.status != fxtasks.Pending:
			case later != nil && (t.started.IsZero() || t.started.After(later.started)):
				rt.Errorf("%v was started before %v", later, t)
			case !t.started.IsZero() && (later == nil || t.started.Before(later.started)):
				later = t
			}
		}
	}
}
