package fxtasks_test

import (
	"context"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fxtasks/background/fxtasks"
)

func TestALockHeldDuringAWaitForARetriedOrDelayedTaskIsNoDeadlock_dask4104(t *testing.T) {
	for what, opt := range map[string]fxtasks.TaskOption{
		"retried": fxtasks.WithRetry(after(time.Second)),
		"delayed": fxtasks.WithDelay(time.Second),
	} {
		for limited, limits := range map[string]struct{ manager, group int }{"manager": {1, 0}, "group": {0, 1}} {
			t.Run(what+" with a limit of the "+limited, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					m := newManager(t, fxtasks.Config{MaxRunning: limits.manager})
					g := newGroup(t, m, "g", fxtasks.GroupConfig{MaxRunning: limits.group})
					var lock sync.Mutex
					for range 3 {
						submit(t, g, "parent", func(ctx context.Context) error {
							for !lock.TryLock() { // a bubble takes a goroutine in Lock for one that runs
								time.Sleep(time.Millisecond)
							}
							defer lock.Unlock()
							for _, s := range []fxtasks.Submitter{m, g} {
								attempts := 0
								child := submit(t, s, "child", func(context.Context) error {
									if attempts++; what == "retried" && attempts < 3 {
										return errAttempt
									}
									return nil
								}, opt)
								if err := child.Wait(ctx); err != nil {
									return err
								}
							}
							return nil
						})
					}
					ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
					defer cancel()
					if err := m.Wait(ctx); err != nil || m.Stats().Completed != 9 {
						t.Errorf("%v, %+v", err, m.Stats().Counts)
					}
				})
			})
		}
	}
}

func TestAWaitThatAnAttemptLeftBehindNoLongerCounts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newManager(t, fxtasks.Config{MaxRunning: 2})
		release := make(chan struct{})
		var retried *fxtasks.Task
		child := submit(t, m, "child", func(ctx context.Context) error {
			<-release
			return retried.Wait(ctx) // no cycle: only the first attempt waited for this one
		})
		attempts := 0
		retried = submit(t, m, "retried", func(ctx context.Context) error {
			if attempts++; attempts == 1 {
				go func() { _ = child.Wait(context.WithoutCancel(ctx)) }() // it waits for longer than the attempt
				time.Sleep(time.Second)
				return errAttempt
			}
			time.Sleep(time.Minute)
			return nil
		}, fxtasks.WithRetry(after(time.Second)))
		time.Sleep(500 * time.Millisecond)
		if s := m.Stats(); s.Waiting != 1 {
			t.Errorf("in the first attempt %d wait", s.Waiting)
		}
		time.Sleep(10 * time.Second)
		queued := submit(t, m, "queued", nothing)
		synctest.Wait()
		if s := m.Stats(); s.Waiting != 0 || s.Running != 2 || queued.Status() != fxtasks.Pending {
			t.Errorf("in the second attempt %d wait and %d run, the queued one is %v", s.Waiting, s.Running, queued.Status())
		}
		close(release)
		if err := child.Wait(t.Context()); err != nil {
			t.Errorf("a task that waits for the second attempt: %v", err)
		}
	})
}
