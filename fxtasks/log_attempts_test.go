package fxtasks_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"github.com/fxtasks/background/fxtasks"
)

// A panic that is retried has not ended the task. Its line says so, and has the stack of the panic.
func TestAPanicThatIsRetriedIsLoggedAsARetryWithItsStack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, logs := observed(t, fxtasks.Config{})
		task := submit(t, m, "work", func(context.Context) error { panicHere(); return nil },
			fxtasks.WithRetry(fxtasks.Retry{MaxAttempts: 2, Delay: func(int) time.Duration { return time.Minute }}))
		<-task.Done()
		fields := wantLine(t, logs, "attempt failed and is retried", zap.WarnLevel)
		wantFields(t, fields, task.Info())
		if stack, _ := fields["stack"].(string); fields["attempt"] != int64(1) || fields["delay"] != time.Minute || !strings.Contains(stack, "panicHere") {
			t.Errorf("fields are %v, want attempt 1, a delay of a minute, and the stack of the panic", fields)
		}
		fields = wantLine(t, logs, "task panicked", zap.ErrorLevel)
		if stack, _ := fields["stack"].(string); fields["attempt"] != int64(2) || !strings.Contains(stack, "panicHere") {
			t.Errorf("fields are %v, want attempt 2 and the stack of the panic", fields)
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
		}, fxtasks.WithRetry(after(0)))
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

// The line of the last attempt is about the end of the task, also where Retry would have allowed another attempt.
func TestAnAttemptThatNoOtherFollowsIsNotLoggedAsRetried(t *testing.T) {
	for name, c := range map[string]struct {
		end   func(m *fxtasks.Manager, task *fxtasks.Task)
		words string
		level zapcore.Level
	}{
		"in a shutdown":               {func(m *fxtasks.Manager, _ *fxtasks.Task) { go m.Shutdown(context.Background()) }, "task failed", zap.ErrorLevel},
		"cancelled after its timeout": {func(_ *fxtasks.Manager, task *fxtasks.Task) { time.Sleep(time.Minute); task.Cancel(nil) }, "task timed out", zap.WarnLevel},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				m, logs := observed(t, fxtasks.Config{DrainGrace: time.Minute, ShutdownTimeout: time.Hour})
				release := make(chan struct{})
				task := submit(t, m, "work", func(context.Context) error { <-release; return errors.New("no") },
					fxtasks.WithRetry(fxtasks.Retry{MaxAttempts: 3}), fxtasks.WithTimeout(30*time.Second))
				synctest.Wait()
				c.end(m, task)
				synctest.Wait()
				close(release)
				<-task.Done()
				wantLine(t, logs, c.words, c.level)
				if lines := linesWith(logs, "is retried"); len(lines) != 0 {
					t.Errorf("there is also a line %v", lines)
				}
			})
		})
	}
}
