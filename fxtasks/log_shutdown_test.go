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

func TestShutdownIsLoggedAsItBeginsAndWhenItIsOver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, logs := observed(t, fxtasks.Config{MaxRunning: 2})
		submit(t, m, "work", slow(time.Second))
		submit(t, m, "work", slow(time.Second))
		submit(t, m, "waits", nothing)
		synctest.Wait()
		if _, err := m.Shutdown(t.Context()); err != nil {
			t.Fatal(err)
		}
		fields := wantLine(t, logs, "shutdown begins", zap.InfoLevel)
		if fields["running"] != int64(2) || fields["pending"] != int64(1) {
			t.Errorf("as it begins the fields are %v, want 2 running and 1 pending", fields)
		}
		wantLine(t, logs, "shutdown over", zap.InfoLevel)
		lines := logs.All()
		if last := lines[len(lines)-1]; !strings.Contains(last.Message, "shutdown over") {
			t.Errorf("the last line is %v", last)
		}
	})
}

//go:noinline
func hangsHere(release <-chan struct{}) { <-release }

func TestStuckTasksAreLoggedWithTheirStacks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, logs := observed(t, fxtasks.Config{ShutdownTimeout: time.Second})
		g, err := m.Group("reports", fxtasks.GroupConfig{})
		if err != nil {
			t.Fatal(err)
		}
		release := make(chan struct{})
		stuck := make(map[string]*fxtasks.Task)
		for _, s := range []fxtasks.Submitter{m, g} {
			task := submit(t, s, "stuck", func(context.Context) error { hangsHere(release); return nil })
			stuck[task.ID()] = task
		}
		submit(t, m, "polite", untilCancelled)
		_, err = m.Shutdown(t.Context())
		if want := (*fxtasks.ShutdownError)(nil); !errors.As(err, &want) {
			t.Fatalf("Shutdown gave %v", err)
		}
		var warned int
		for _, line := range logs.FilterLevelExact(zap.WarnLevel).All() {
			fields := line.ContextMap()
			id, _ := fields["task_id"].(string)
			if stuck[id] == nil {
				t.Errorf("a line about no stuck task: %v", line)
				continue
			}
			warned++
			wantFields(t, fields, stuck[id].Info())
			if stack, _ := fields["stack"].(string); !strings.Contains(stack, "hangsHere") {
				t.Errorf("stack is %q, want that on which the task hangs", stack)
			}
		}
		if warned != len(stuck) {
			t.Errorf("%d lines about stuck tasks, want %d", warned, len(stuck))
		}
		wantLine(t, logs, "shutdown over", zap.ErrorLevel)
		close(release)
		synctest.Wait()
	})
}

// lineFunc is a logger's core that only calls a function.
type lineFunc func(zapcore.Entry, []zapcore.Field)

func (lineFunc) Enabled(zapcore.Level) bool          { return true }
func (f lineFunc) With([]zapcore.Field) zapcore.Core { return f }
func (lineFunc) Sync() error                         { return nil }
func (f lineFunc) Check(e zapcore.Entry, ce *zapcore.CheckedEntry) *zapcore.CheckedEntry {
	return ce.AddCore(e, f)
}

func (f lineFunc) Write(e zapcore.Entry, fields []zapcore.Field) error {
	f(e, fields)
	return nil
}

// Whoever has seen a task return may close what its end is logged to.
func TestEndIsLoggedBeforeDoneIsClosed(t *testing.T) {
	for _, w := range ways {
		t.Run(w.what, func(t *testing.T) {
			testEndIsLogged(t, func(context.Context) error { return w.end() })
		})
	}
}

func testEndIsLogged(t *testing.T, fn fxtasks.Func) {
	synctest.Test(t, func(t *testing.T) {
		var task *fxtasks.Task
		lines := 0
		log := zap.New(lineFunc(func(e zapcore.Entry, fields []zapcore.Field) {
			about := make(map[string]string)
			for _, f := range fields {
				about[f.Key] = f.String
			}
			if _, ends := about["duration"]; !ends || about["task_name"] != "work" {
				return
			}
			lines++
			select {
			case <-task.Done():
				t.Errorf("Done is closed before %q is logged", e.Message)
			default:
			}
		}))
		m := newManager(t, fxtasks.Config{MaxRunning: 1}, fxtasks.WithLogger(log))
		release := make(chan struct{})
		submit(t, m, "busy", until(release)) // the task starts when the variable is set
		task = submit(t, m, "work", fn)
		close(release)
		synctest.Wait()
		if lines != 1 {
			t.Errorf("%d lines about the end of the task, want 1", lines)
		}
	})
}

func TestLoggerMayCallTheManager(t *testing.T) {
	var m *fxtasks.Manager
	m = newManager(t, fxtasks.Config{MaxRunning: 1, MaxPending: -1}, fxtasks.WithLogger(zap.New(
		lineFunc(func(zapcore.Entry, []zapcore.Field) { _ = m.Stats() })))) // hangs if it is called under a lock
	task := submit(t, m, "work", untilCancelled)
	_, _ = m.Submit(context.Background(), "refused", nothing)
	task.Cancel(nil)
	if _, err := m.Shutdown(context.Background()); err != nil {
		t.Error(err)
	}
}

func TestNoLoggerLogsNothing(t *testing.T) {
	for what, opts := range map[string][]fxtasks.Option{"absent": nil, "nil": {fxtasks.WithLogger(nil)}} {
		t.Run(what, func(t *testing.T) {
			m := newManager(t, fxtasks.Config{}, opts...)
			err := submit(t, m, "work", func(ctx context.Context) error {
				if fxtasks.Logger(ctx).Core().Enabled(zap.FatalLevel) {
					t.Error("the task's logger logs")
				}
				panic("not logged")
			}).Wait(context.Background())
			if p := (*fxtasks.PanicError)(nil); !errors.As(err, &p) {
				t.Errorf("task gave %v", err)
			}
		})
	}
}
