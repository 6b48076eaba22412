package fxtasks_test

import (
	"context"
	"errors"
	"math"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fxtasks/background/fxtasks"
)

func TestADelayedTaskStartsWhenItIsDue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newManager(t, fxtasks.Config{})
		start := time.Now()
		late := submit(t, m, "late", nothing, fxtasks.WithDelay(2*time.Minute))
		early := submit(t, m, "early", nothing, fxtasks.WithDelay(time.Minute))
		if info := late.Info(); info.Status != fxtasks.Pending || info.Attempt != 0 || !info.NotBefore.Equal(start.Add(2*time.Minute)) {
			t.Errorf("%+v", info)
		}
		if s := m.Stats(); s.Pending != 2 || s.OldestPending != 0 {
			t.Errorf("%+v", s)
		}
		for task, want := range map[*fxtasks.Task]time.Duration{early: time.Minute, late: 2 * time.Minute} {
			task.Wait(t.Context())
			if got := task.Info().StartedAt.Sub(start); got != want {
				t.Errorf("%s started after %v, want %v", task.Name(), got, want)
			}
		}
	})
}

func TestADelayedTaskTakesRoomOfMaxPending(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newManager(t, fxtasks.Config{MaxPending: 1})
		submit(t, m, "first", nothing, fxtasks.WithDelay(time.Minute))
		if _, err := m.Submit(t.Context(), "second", nothing, fxtasks.WithDelay(time.Minute)); !errors.Is(err, fxtasks.ErrQueueFull) {
			t.Error(err)
		}
		none := newManager(t, fxtasks.Config{MaxPending: -1})
		if _, err := none.Submit(t.Context(), "n", nothing, fxtasks.WithDelay(time.Minute), fxtasks.WithBlocking()); !errors.Is(err, fxtasks.ErrQueueFull) {
			t.Errorf("where nothing may pend: %v", err)
		}
	})
}

func TestATurnComesWhenATaskIsDue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newManager(t, fxtasks.Config{MaxRunning: 1})
		release := make(chan struct{})
		submit(t, m, "blocks", until(release))
		delayed := submit(t, m, "delayed", nothing, fxtasks.WithDelay(time.Minute))
		inTime := submit(t, m, "in time", nothing)
		time.Sleep(2 * time.Minute)
		last := submit(t, m, "last", nothing)
		close(release)
		m.Wait(t.Context())
		// All start in the same instant: their ends are in the order of their turns.
		page := m.List(fxtasks.Filter{Order: fxtasks.LatestEndedFirst})
		want := []*fxtasks.Task{last, delayed, inTime}
		for i, task := range want {
			if page.Tasks[i].ID != task.ID() {
				t.Errorf("place %d is %q, want %q", i, page.Tasks[i].Name, task.Name())
			}
		}
	})
}

func TestTasksThatAreDueAtOnceStartInTheOrderOfTheirSubmission(t *testing.T) {
	for what, opt := range map[string]fxtasks.TaskOption{
		"delayed": fxtasks.WithDelay(time.Minute),
		"retried": fxtasks.WithRetry(after(time.Minute)),
	} {
		t.Run(what, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				m := newManager(t, fxtasks.Config{MaxRunning: 1})
				var started []int // one at a time
				for i := range 10 {
					submit(t, m, "work", func(ctx context.Context) error {
						started = append(started, i)
						if what == "retried" {
							return errAttempt
						}
						return nil
					}, opt)
				}
				if err := m.Wait(t.Context()); err != nil {
					t.Fatal(err)
				}
				for n, i := range started {
					if i != n%10 {
						t.Fatalf("they started in the order %v", started)
					}
				}
			})
		})
	}
}

func TestTheLongestDurationsDoNotOverflow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const longest = time.Duration(math.MaxInt64)
		m := newManager(t, fxtasks.Config{CancelTimeout: longest, TaskTimeout: longest, RetainFor: longest})
		far := time.Now().AddDate(200, 0, 0)
		delayed := submit(t, m, "delayed", nothing, fxtasks.WithDelay(longest))
		retried := submit(t, m, "retried", func(context.Context) error { return errAttempt },
			fxtasks.WithRetry(fxtasks.Retry{MaxAttempts: math.MaxInt, Delay: func(int) time.Duration { return longest }}))
		time.Sleep(24 * time.Hour)
		for _, task := range []*fxtasks.Task{delayed, retried} {
			if info := task.Info(); info.Status != fxtasks.Pending || info.NotBefore.Before(far) {
				t.Errorf("%s is %v, due at %v", info.Name, info.Status, info.NotBefore)
			}
		}
		atOnce := submit(t, m, "at once", func(context.Context) error { return errAttempt },
			fxtasks.WithRetry(fxtasks.Retry{MaxAttempts: 3, Delay: func(int) time.Duration { return math.MinInt64 }}))
		start := time.Now()
		if err := atOnce.Wait(t.Context()); err != errAttempt || time.Since(start) != 0 || atOnce.Info().ExpiresAt.Before(far) {
			t.Errorf("%v after %v, expires at %v", err, time.Since(start), atOnce.Info().ExpiresAt)
		}
		if err := m.CancelAll(t.Context(), nil); err != nil {
			t.Error(err)
		}
	})
}
