package fxtasks_test

import (
	"context"
	"errors"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"

	"github.com/fxtasks/background/fxtasks"
)

// taskLines gives, for each line about a task, a submit that makes the manager write it.
var taskLines = []struct {
	words string
	fn    fxtasks.Func
	opts  []fxtasks.TaskOption
	want  fxtasks.Status
}{
	{"task submitted", nothing, nil, fxtasks.Completed},
	{"task completed", nothing, nil, fxtasks.Completed},
	{"task failed", func(context.Context) error { return errWork }, nil, fxtasks.Failed},
	{"task panicked", func(context.Context) error { panic("boom") }, nil, fxtasks.Failed},
	{"task timed out", untilCancelled, []fxtasks.TaskOption{fxtasks.WithTimeout(time.Second)}, fxtasks.TimedOut},
}

// misbehaviours are what a logger may do on a line.
var misbehaviours = map[string]func(){
	"panics": func() { panic("logger") },
	"Goexit": runtime.Goexit,
}

// onLine is a logger that calls do for each line that begins with words.
func onLine(words string, do func()) *zap.Logger {
	return zap.New(lineFunc(func(e zapcore.Entry, _ []zapcore.Field) {
		if strings.HasPrefix(e.Message, words) {
			do()
		}
	}))
}

func TestLoggerThatMisbehavesLosesNoTask_zap1415(t *testing.T) {
	for _, l := range taskLines {
		for what, do := range misbehaviours {
			t.Run(l.words+" "+what, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					m := newManager(t, fxtasks.Config{MaxRunning: 1, MaxPending: 1}, fxtasks.WithLogger(onLine(l.words, do)))
					handler := make(chan struct{})
					go func() { // as net/http recovers what a handler panics with
						defer close(handler)
						defer func() { _ = recover() }()
						_, _ = m.Submit(context.Background(), "work", l.fn, append(l.opts, fxtasks.WithID("id"))...)
					}()
					<-handler
					task, ok := m.Task("id")
					if !ok {
						t.Fatal("the task is not on record")
					}
					_ = task.Wait(t.Context())
					if s := task.Status(); s != l.want {
						t.Errorf("status is %v, want %v", s, l.want)
					}
					if s := m.Stats(); s.Running != 0 || s.Pending != 0 {
						t.Errorf("%d running, %d pending", s.Running, s.Pending)
					}
					for range 2 { // the slot is free again
						go func() { _, _ = m.Submit(context.Background(), "next", nothing) }()
						synctest.Wait()
					}
					if n := m.Stats().Submitted; n != 3 {
						t.Errorf("%d submitted", n)
					}
					if err := m.Wait(t.Context()); err != nil {
						t.Error(err)
					}
				})
			})
		}
	}
}

func TestLoggerThatMisbehavesOnPendingOnesLosesNone_zap1415(t *testing.T) {
	for what, do := range misbehaviours {
		t.Run(what, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				m := newManager(t, fxtasks.Config{MaxRunning: 1}, fxtasks.WithLogger(onLine("task cancelled", do)))
				busy := submit(t, m, "busy", untilCancelled)
				queued := submit(t, m, "queued", nothing)
				queued.Cancel(nil)
				busy.Cancel(nil)
				for _, task := range []*fxtasks.Task{queued, busy} {
					if err := task.Wait(t.Context()); !errors.Is(err, fxtasks.ErrCancelled) {
						t.Error(err)
					}
				}
			})
		})
	}
}

func TestLoggerThatMisbehavesOnARejectGivesTheError_zap1415(t *testing.T) {
	m := newManager(t, fxtasks.Config{MaxRunning: 1, MaxPending: -1},
		fxtasks.WithLogger(onLine("tasks rejected", func() { panic("logger") })))
	submit(t, m, "busy", untilCancelled)
	if _, err := m.Submit(context.Background(), "refused", nothing); !errors.Is(err, fxtasks.ErrQueueFull) {
		t.Error(err)
	}
	if n := m.Stats().Rejected; n != 1 {
		t.Errorf("%d rejected, want 1", n)
	}
}

func TestLoggerThatMisbehavesInTheShutdownLetsItEnd_zap1415(t *testing.T) {
	for _, words := range []string{"shutdown begins", "pending tasks", "task cut off", "task still running", "shutdown over"} {
		for what, do := range misbehaviours {
			t.Run(words+" "+what, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					m, err := fxtasks.New(fxtasks.Config{MaxRunning: 2}, fxtasks.WithLogger(onLine(words, do)))
					if err != nil {
						t.Fatal(err)
					}
					release := make(chan struct{})
					submit(t, m, "stuck", until(release))
					submit(t, m, "polite", untilCancelled)
					submit(t, m, "queued", nothing)
					report, err := m.Shutdown(t.Context())
					if e := (*fxtasks.ShutdownError)(nil); !errors.As(err, &e) || report.Remaining != 1 || report.Cancelled != 2 {
						t.Errorf("report is %+v, %v", report, err)
					}
					if m.State() != fxtasks.Stopped {
						t.Errorf("state is %v", m.State())
					}
					close(release)
					synctest.Wait()
				})
			})
		}
	}
}

func TestLoggerMayCallBackOnEveryLine(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var m *fxtasks.Manager
		var depth atomic.Int32
		log := zap.New(lineFunc(func(zapcore.Entry, []zapcore.Field) {
			_, _, _ = m.Stats(), m.List(fxtasks.Filter{}), m.Groups()
			m.Cleanup()
			if depth.Add(1) < 50 {
				_, _ = m.Submit(context.Background(), "from the log", nothing)
			}
		}))
		m = newManager(t, fxtasks.Config{MaxRunning: 1, MaxPending: 1}, fxtasks.WithLogger(log))
		for range 20 {
			_, _ = m.Submit(t.Context(), "work", nothing)
		}
		if _, err := m.Shutdown(t.Context()); err != nil {
			t.Error(err)
		}
	})
}

func TestWhatTheShutdownCutOffHasALineAtInfo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, logs := observed(t, fxtasks.Config{MaxRunning: 2})
		tasks := []*fxtasks.Task{submit(t, m, "a", untilCancelled), submit(t, m, "b", untilCancelled)}
		for range 3 {
			submit(t, m, "mail", nothing)
		}
		submit(t, m, "report", nothing)
		if _, err := m.Shutdown(t.Context()); err != nil {
			t.Fatal(err)
		}
		lines := linesWith(logs, "cut off")
		if len(lines) != 2 {
			t.Fatalf("%d lines, want 2: %v", len(lines), logs.All())
		}
		for _, line := range lines {
			fields := line.ContextMap()
			if line.Level != zap.InfoLevel || fields["duration"] == nil {
				t.Errorf("line is %v", line)
			}
			if id := fields["task_id"]; id != tasks[0].ID() && id != tasks[1].ID() {
				t.Errorf("task_id is %v", id)
			}
		}
		counts, _ := wantLine(t, logs, "pending tasks", zap.InfoLevel)["by_name"].(map[string]any)
		if len(counts) != 2 || counts["mail"] != 3 || counts["report"] != 1 {
			t.Errorf("counts by name are %v", counts)
		}
		if lines := linesWith(logs, "before it started"); len(lines) != 0 {
			t.Errorf("pending ones have lines of their own: %v", lines)
		}
	})
}

func TestNoLineHasAStackOfTheEngine(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		core, logs := observer.New(zap.DebugLevel)
		m, err := fxtasks.New(fxtasks.Config{}, fxtasks.WithLogger(zap.New(core, zap.AddStacktrace(zap.DebugLevel))))
		if err != nil {
			t.Fatal(err)
		}
		release := make(chan struct{})
		_ = submit(t, m, "fails", func(context.Context) error { return errWork }).Wait(t.Context())
		_ = submit(t, m, "panics", func(context.Context) error { panic("boom") }).Wait(t.Context())
		submit(t, m, "stuck", until(release))
		_, _ = m.Shutdown(t.Context())
		close(release)
		for _, line := range logs.All() {
			if line.Stack != "" {
				t.Errorf("%q has the stack\n%s", line.Message, line.Stack)
			}
		}
	})
}
