package fxtasks_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fxtasks/background/fxtasks"
)

func TestHistoryCountsEndsAndMeasuresTheLastAttempt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newManager(t, fxtasks.Config{})
		attempt := 0
		submit(t, m, "retried", func(context.Context) error {
			time.Sleep(10 * time.Second)
			if attempt++; attempt == 1 {
				return errAttempt
			}
			return nil
		}, fxtasks.WithRetry(after(10*time.Minute))).Wait(t.Context())
		never := submit(t, m, "never ran", nothing, fxtasks.WithDelay(time.Hour))
		never.Cancel(nil)
		never.Wait(t.Context())

		h := m.History()
		if len(h.Minutes) != 60 || !h.Minutes[59].Start.Equal(time.Now().Truncate(time.Minute)) {
			t.Fatalf("%d minutes, the last of %v", len(h.Minutes), h.Minutes[len(h.Minutes)-1].Start)
		}
		var completed, failed, cancelled uint32
		for _, minute := range h.Minutes {
			completed, failed, cancelled = completed+minute.Completed, failed+minute.Failed, cancelled+minute.Cancelled
		}
		if completed != 1 || failed != 0 || cancelled != 1 {
			t.Errorf("%d completed, %d failed, %d cancelled", completed, failed, cancelled)
		}
		retried := h.ByName["retried"]
		if retried.Run.Count != 1 || retried.Run.Max < 9*time.Second || retried.Run.Max > 11*time.Second || retried.Wait.Max > time.Second {
			t.Errorf("Run %+v, Wait %+v", retried.Run, retried.Wait)
		}
		if h.ByName["never ran"].Run.Count != 0 || h.ByName["never ran"].Wait.Count != 0 {
			t.Errorf("%+v", h.ByName["never ran"].Run)
		}
		time.Sleep(time.Hour)
		for _, minute := range m.History().Minutes {
			if minute.Completed+minute.Cancelled != 0 {
				t.Errorf("an hour later: %+v", minute)
			}
		}
	})
}

func TestHistoryMeasuresTheLastAttemptOfATaskThatIsCancelledBeforeAnother(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newManager(t, fxtasks.Config{MaxRunning: 1})
		submit(t, m, "first", func(context.Context) error { time.Sleep(5 * time.Second); return nil })
		retried := submit(t, m, "retried", func(context.Context) error {
			time.Sleep(10 * time.Second)
			return errAttempt
		}, fxtasks.WithRetry(after(time.Hour)))
		time.Sleep(time.Minute)
		retried.Cancel(nil)
		got := m.History().ByName["retried"]
		if got.Run.Count != 1 || got.Run.Max != 10*time.Second || got.Wait.Count != 1 || got.Wait.Max != 5*time.Second {
			t.Errorf("Run %+v, Wait %+v", got.Run, got.Wait)
		}
	})
}
