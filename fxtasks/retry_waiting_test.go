package fxtasks_test

import (
	"context"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fxtasks/background/fxtasks"
)

func TestALockHeldOverAWaitForWhatIsRetriedOrDelayed_dask4104(t *testing.T) {
	for what, opt := range map[string]fxtasks.TaskOption{
		"retried": fxtasks.WithRetry(fxtasks.Retry{MaxAttempts: 3, Delay: func(int) time.Duration { return time.Second }}),
		"delayed": fxtasks.WithDelay(time.Second),
	} {
		for limited, limits := range map[string]struct{ manager, group int }{"manager": {1, 0}, "group": {0, 1}} {
			t.Run(what+" with a limit of the "+limited, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					m := newManager(t, fxtasks.Config{MaxRunning: limits.manager})
					g, err := m.Group("g", fxtasks.GroupConfig{MaxRunning: limits.group})
					if err != nil {
						t.Fatal(err)
					}
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

func TestWhatAnAttemptLeftWaitingCountsNoMore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newManager(t, fxtasks.Config{MaxRunning: 1})
		release := make(chan struct{})
		attempts := 0
		submit(t, m, "leaves", func(ctx context.Context) error {
			child := submit(t, m, "child", until(release))
			go func() { _ = child.Wait(context.WithoutCancel(ctx)) }() // longer than the attempt
			time.Sleep(time.Second)
			if attempts++; attempts < 3 {
				return errAttempt
			}
			return nil
		}, fxtasks.WithRetry(fxtasks.Retry{MaxAttempts: 3, Delay: func(int) time.Duration { return time.Second }}))
		time.Sleep(time.Minute)
		if s := m.Stats(); s.Waiting != 0 {
			t.Errorf("%d wait, %d run", s.Waiting, s.Running)
		}
		close(release)
		if err := m.Wait(t.Context()); err != nil {
			t.Fatal(err)
		}
		running, most := 0, 0
		for range 5 {
			submit(t, m, "work", func(context.Context) error {
				running++
				most = max(most, running)
				time.Sleep(time.Second)
				running--
				return nil
			})
		}
		if err := m.Wait(t.Context()); err != nil || most != 1 {
			t.Errorf("%d ran at once, %v", most, err)
		}
	})
}
