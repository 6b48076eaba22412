package fxtasks_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fxtasks/background/fxtasks"
)

func TestJoinReplaceAndCancelOfADelayedTask(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newManager(t, fxtasks.Config{})
		delayed := fxtasks.WithDelay(time.Minute)
		first := submit(t, m, "first", nothing, delayed, fxtasks.WithID("a"))
		if got := submit(t, m, "joins", nothing, fxtasks.WithID("a"), fxtasks.WithDuplicate(fxtasks.Join)); got != first {
			t.Errorf("Join gave %s", got.Name())
		}
		second := submit(t, m, "second", nothing, delayed, fxtasks.WithID("a"), fxtasks.WithDuplicate(fxtasks.Replace))
		if first.Status() != fxtasks.Cancelled || !errors.Is(first.Err(), fxtasks.ErrReplaced) {
			t.Errorf("replaced: %v, %v", first.Status(), first.Err())
		}
		if info, err := m.Cancel(t.Context(), "a", nil); err != nil || info.Status != fxtasks.Cancelled || second.Status() != fxtasks.Cancelled {
			t.Errorf("cancelled: %+v, %v", info, err)
		}
	})
}

func TestADelayedReplacementWaitsForItsTimeAndForTheOldTask(t *testing.T) {
	for _, oldRuns := range []time.Duration{30 * time.Second, 90 * time.Second} {
		synctest.Test(t, func(t *testing.T) {
			m := newManager(t, fxtasks.Config{MaxRunning: 1})
			start := time.Now()
			submit(t, m, "old", func(context.Context) error { time.Sleep(oldRuns); return nil }, fxtasks.WithID("a"))
			synctest.Wait()
			next := submit(t, m, "new", nothing, fxtasks.WithDelay(time.Minute), fxtasks.WithID("a"), fxtasks.WithDuplicate(fxtasks.Replace))
			if err := next.Wait(t.Context()); err != nil {
				t.Error(err)
			}
			if got, want := next.Info().StartedAt.Sub(start), max(oldRuns, time.Minute); got != want {
				t.Errorf("started after %v, want %v", got, want)
			}
		})
	}
}

func TestWaitsAndDrainsOfDelayedTasks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newManager(t, fxtasks.Config{MaxRunning: 1})
		delayed := fxtasks.WithDelay(time.Minute)
		start := time.Now()
		submit(t, m, "waits", func(ctx context.Context) error { return submit(t, m, "child", nothing, delayed).Wait(ctx) })
		if err := m.Wait(t.Context()); err != nil || time.Since(start) != time.Minute {
			t.Errorf("idle after %v, %v", time.Since(start), err)
		}
		last := submit(t, m, "last", nothing, delayed, fxtasks.WithDrainGrace(5*time.Second))
		start = time.Now()
		report, err := m.Shutdown(t.Context())
		if err != nil || report.Cancelled != 1 || time.Since(start) != 0 || !errors.Is(last.Err(), fxtasks.ErrShutdown) {
			t.Errorf("%+v, %v, after %v: %v", report, err, time.Since(start), last.Err())
		}
	})
}

func TestABlockedDelayedSubmitCountsItsDelayFromItsSubmission(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newManager(t, fxtasks.Config{MaxPending: 1})
		start := time.Now()
		submit(t, m, "first", nothing, fxtasks.WithDelay(time.Minute))
		second := submit(t, m, "second", nothing, fxtasks.WithDelay(time.Minute), fxtasks.WithBlocking())
		if got := time.Since(start); got != time.Minute {
			t.Errorf("blocked for %v", got)
		}
		if got := second.Info().NotBefore.Sub(start); got != 2*time.Minute {
			t.Errorf("NotBefore is %v after the start", got)
		}
	})
}

func TestADelayedReplacementHasItsTurnWhenItIsDue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newManager(t, fxtasks.Config{MaxRunning: 1})
		submit(t, m, "old", sleeps(3*time.Minute), fxtasks.WithID("a"))
		synctest.Wait()
		replacement := submit(t, m, "new", sleeps(time.Second), fxtasks.WithDelay(time.Minute), fxtasks.WithID("a"), fxtasks.WithDuplicate(fxtasks.Replace))
		before := submit(t, m, "before", sleeps(time.Second))
		time.Sleep(2 * time.Minute)
		after := submit(t, m, "after", sleeps(time.Second))
		if err := m.Wait(t.Context()); err != nil {
			t.Error(err)
		}
		for i, task := range []*fxtasks.Task{before, replacement, after} {
			if got, want := task.Info().StartedAt.Sub(before.Info().StartedAt), time.Duration(i)*time.Second; got != want {
				t.Errorf("%q started %v after the first, want %v", task.Name(), got, want)
			}
		}
	})
}

func TestAShutdownCancelsADelayedReplacementAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newManager(t, fxtasks.Config{DrainGrace: 5 * time.Second})
		submit(t, m, "old", sleeps(2*time.Second), fxtasks.WithID("a"))
		synctest.Wait()
		replacement := submit(t, m, "new", nothing, fxtasks.WithDelay(time.Minute), fxtasks.WithID("a"), fxtasks.WithDuplicate(fxtasks.Replace))
		start := time.Now()
		if _, err := m.Shutdown(t.Context()); err != nil {
			t.Error(err)
		}
		if info := replacement.Info(); info.FinishedAt.Sub(start) != 0 || !errors.Is(info.Err, fxtasks.ErrShutdown) {
			t.Errorf("it ended after %v with %v", info.FinishedAt.Sub(start), info.Err)
		}
	})
}

// The delayed task would be cancelled at once. The submits that wait behind it still have their grace.
func TestABlockedDelayedSubmitIsRefusedWhenTheDrainBegins(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newManager(t, fxtasks.Config{MaxRunning: 1, MaxPending: 1, DrainGrace: 4 * time.Second})
		submit(t, m, "busy", func(context.Context) error { time.Sleep(time.Second); return nil })
		submit(t, m, "queued", nothing)
		delayed := submitBlocking(t.Context(), m, "delayed", nothing, fxtasks.WithDelay(time.Minute))
		next := submitBlocking(t.Context(), m, "next", nothing)
		m.StartDrain(t.Context())
		delayed.mustBeOver(t, fxtasks.ErrShuttingDown)
		time.Sleep(time.Second)
		next.mustBeOver(t, nil)
		if err := next.task.Wait(t.Context()); err != nil {
			t.Error(err)
		}
	})
}
