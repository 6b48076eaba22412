package fxtasks_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"

	"go.uber.org/zap"

	"github.com/fxtasks/background/fxtasks"
)

// A goroutine that an attempt left behind belongs to that attempt.
func TestLoggerOfAnEarlierAttemptNamesThatAttempt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, logs := observed(t, fxtasks.Config{})
		first := make(chan context.Context, 1)
		task := submit(t, m, "work", func(ctx context.Context) error {
			select {
			case first <- ctx:
				return errors.New("not yet")
			default:
			}
			left := <-first
			fxtasks.Logger(left).Info("left behind")
			fxtasks.Logger(ctx).Info("current")
			fxtasks.ReportProgress(left, fxtasks.Progress{Current: 1})
			return nil
		}, fxtasks.WithRetry(fxtasks.Retry{MaxAttempts: 2, Delay: fxtasks.Backoff(0, 0)}))
		if err := task.Wait(t.Context()); err != nil {
			t.Fatal(err)
		}
		for message, want := range map[string]int64{"left behind": 1, "current": 2} {
			if got := wantLine(t, logs, message, zap.InfoLevel)["attempt"]; got != want {
				t.Errorf("%s: attempt is %v, want %d", message, got, want)
			}
		}
		if p := task.Info().Progress; p != (fxtasks.Progress{}) {
			t.Errorf("the first attempt reported %+v into the second", p)
		}
	})
}
