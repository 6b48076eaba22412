package fxtasks_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/zap"

	"github.com/fxtasks/background/fxtasks"
)

// A panic that is retried has not ended the task: its line says so, and has the stack besides.
func TestAPanicThatIsRetriedIsLoggedAsARetryWithItsStack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, logs := observed(t, fxtasks.Config{})
		task := submit(t, m, "work", func(context.Context) error { panicHere(); return nil },
			fxtasks.WithRetry(fxtasks.Retry{MaxAttempts: 2, Delay: func(int) time.Duration { return time.Minute }}))
		<-task.Done()
		fields := wantLine(t, logs, "attempt failed and is retried", zap.WarnLevel)
		wantFields(t, fields, task.Info())
		if fields["attempt"] != int64(1) || fields["delay"] != time.Minute || fields["stack"] == nil {
			t.Errorf("fields are %v, want attempt 1, a delay of a minute, and a stack", fields)
		}
		if fields := wantLine(t, logs, "task panicked", zap.ErrorLevel); fields["attempt"] != int64(2) || fields["stack"] == nil {
			t.Errorf("fields are %v, want attempt 2 and a stack", fields)
		}
	})
}

func TestTheLineOfAStuckTaskHasItsAttempt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, logs := observed(t, fxtasks.Config{})
		release := make(chan struct{})
		defer close(release)
		first := true
		task := submit(t, m, "work", func(context.Context) error {
			if first {
				first = false
				return errWork
			}
			<-release
			return nil
		}, fxtasks.WithRetry(fxtasks.Retry{MaxAttempts: 3, Delay: func(int) time.Duration { return 0 }}))
		synctest.Wait()
		if _, err := m.Shutdown(t.Context()); err == nil {
			t.Fatal("the task was to be stuck")
		}
		fields := wantLine(t, logs, "task still running", zap.WarnLevel)
		wantFields(t, fields, task.Info())
		if fields["attempt"] != int64(2) {
			t.Errorf("fields are %v, want attempt 2", fields)
		}
	})
}
