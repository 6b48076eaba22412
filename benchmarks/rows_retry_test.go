package main

import (
	"context"
	"sync/atomic"
	"testing"
)

func TestEveryWayToRetryRunsAFlakyTaskUntilItCompletes(t *testing.T) {
	const n = 100
	for name, start := range map[string]func(o ours, w work){
		"ours": ours.retry, "loop in a task": ours.loop, "failsafe-go in a task": ours.failsafe,
	} {
		t.Run(name, func(t *testing.T) {
			o := open(defaults)
			defer o.close()
			var ran atomic.Int64
			for range n {
				w := flaky()
				start(o, work{run: func(ctx context.Context) error { ran.Add(1); return w.run(ctx) }})
			}
			o.wait()
			if got := o.m.Stats().Completed; got != n || ran.Load() != n*attempts {
				t.Errorf("%d tasks have completed after %d attempts, want %d after %d", got, ran.Load(), n, n*attempts)
			}
		})
	}
}

func TestDelayedTasksAllWait(t *testing.T) {
	const n = 100
	o := openDelayed(n)
	for range n {
		o.delay(nothing.run)
	}
	if got := o.(ours).m.Stats().Pending; got != n {
		t.Errorf("%d tasks are pending, want %d", got, n)
	}
	o.close()
	timers := openTimers(n).(*timers)
	for range n {
		timers.delay(nothing.run)
	}
	timers.close()
	for _, timer := range timers.all {
		if timer.Stop() {
			t.Error("a timer is still active after close")
		}
	}
}
