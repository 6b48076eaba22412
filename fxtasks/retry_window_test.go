package fxtasks_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"

	"github.com/fxtasks/background/fxtasks"
)

// inWindow runs a task that fails, and calls do when the function has returned and the record is not final yet:
// where the line of the attempt is written.
func inWindow(t *testing.T, do func(m *fxtasks.Manager, task *fxtasks.Task)) (*fxtasks.Task, *observer.ObservedLogs) {
	t.Helper()
	core, logs := observer.New(zapcore.DebugLevel)
	var m *fxtasks.Manager
	hook := lineFunc(func(e zapcore.Entry, _ []zapcore.Field) {
		if e.Message == "attempt failed and is retried" {
			task, _ := m.Task("id")
			do(m, task)
		}
	})
	m = newManager(t, fxtasks.Config{ShutdownTimeout: time.Minute}, fxtasks.WithLogger(zap.New(zapcore.NewTee(core, hook))))
	task := submit(t, m, "work", failing(9), fxtasks.WithID("id"),
		fxtasks.WithRetry(fxtasks.Retry{MaxAttempts: 2, Delay: fxtasks.Backoff(time.Hour, time.Hour)}))
	synctest.Wait()
	return task, logs
}

func TestARequestBetweenTheReturnOfAnAttemptAndItsRecordStands(t *testing.T) {
	why := errors.New("why")
	for what, c := range map[string]struct {
		do   func(m *fxtasks.Manager, task *fxtasks.Task)
		want error
	}{
		"Cancel": {func(_ *fxtasks.Manager, task *fxtasks.Task) { task.Cancel(why) }, why},
		"Replace": {func(m *fxtasks.Manager, _ *fxtasks.Task) {
			_, _ = m.Submit(context.Background(), "work", nothing, fxtasks.WithID("id"), fxtasks.WithDuplicate(fxtasks.Replace))
		}, fxtasks.ErrReplaced},
	} {
		t.Run(what, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				task, _ := inWindow(t, c.do)
				if info := task.Info(); info.Status != fxtasks.Cancelled || !errors.Is(info.Err, c.want) || info.Attempt != 1 {
					t.Errorf("%+v", info)
				}
			})
		})
	}
}

func TestAShutdownInThatWindowWritesTheLineOfTheEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		task, logs := inWindow(t, func(m *fxtasks.Manager, _ *fxtasks.Task) { m.StartDrain(context.Background()) })
		if info := task.Info(); info.Status != fxtasks.Failed || info.Err != errAttempt {
			t.Errorf("%+v", info)
		}
		if line := wantLine(t, logs, "task failed", zap.ErrorLevel); line["attempt"] != int64(1) || line["error"] != errAttempt.Error() {
			t.Errorf("fields are %v", line)
		}
	})
}
