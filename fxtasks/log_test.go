package fxtasks_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"

	"github.com/fxtasks/background/fxtasks"
)

// observed makes a manager whose log the test can read.
func observed(t *testing.T, cfg fxtasks.Config) (*fxtasks.Manager, *observer.ObservedLogs) {
	t.Helper()
	core, logs := observer.New(zap.DebugLevel)
	return newManager(t, cfg, fxtasks.WithLogger(zap.New(core))), logs
}

// linesWith gives the lines whose message has the words.
func linesWith(logs *observer.ObservedLogs, words string) []observer.LoggedEntry {
	return logs.Filter(func(line observer.LoggedEntry) bool { return strings.Contains(line.Message, words) }).All()
}

// wantLine checks that exactly one line has the words, and its level, and gives its fields.
func wantLine(t *testing.T, logs *observer.ObservedLogs, words string, level zapcore.Level) map[string]any {
	t.Helper()
	lines := linesWith(logs, words)
	if len(lines) != 1 {
		t.Fatalf("%d lines say %q, want 1; all lines are %v", len(lines), words, logs.All())
	}
	if lines[0].Level != level {
		t.Errorf("%q is logged at %v, want %v", words, lines[0].Level, level)
	}
	return lines[0].ContextMap()
}

// wantFields checks the fields that every line about a task has.
func wantFields(t *testing.T, fields map[string]any, info fxtasks.Info) {
	t.Helper()
	if fields["task_id"] != info.ID || fields["task_name"] != info.Name {
		t.Errorf("fields are %v, want task_id %q and task_name %q", fields, info.ID, info.Name)
	}
	if group, ok := fields["group"]; ok != (info.Group != "") || ok && group != info.Group {
		t.Errorf("fields are %v, want group %q, or none for none", fields, info.Group)
	}
}

// runs is how long tasks whose lines are checked run.
const runs = 3 * time.Second

func TestEveryEndIsLoggedOnceAtItsLevel(t *testing.T) {
	asked := func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() }
	after := func(end func() error) fxtasks.Func {
		return func(context.Context) error { time.Sleep(runs); return end() }
	}
	for _, c := range []struct {
		words string
		level zapcore.Level
		fn    fxtasks.Func
		opts  []fxtasks.TaskOption
		ask   func(task *fxtasks.Task)
	}{
		{words: "completed", level: zap.DebugLevel, fn: after(func() error { return nil })},
		{words: "failed", level: zap.ErrorLevel, fn: after(func() error { return errWork })},
		{words: "panicked", level: zap.ErrorLevel, fn: after(func() error { panicHere(); return nil })},
		{words: "panicked", level: zap.ErrorLevel, fn: after(func() error { panic(nil) })},
		{words: "failed", level: zap.ErrorLevel, fn: after(func() error { runtime.Goexit(); return nil })},
		{words: "timed out", level: zap.WarnLevel, fn: asked, opts: []fxtasks.TaskOption{fxtasks.WithTimeout(runs)}},
		{words: "cancelled", level: zap.DebugLevel, fn: asked, ask: func(task *fxtasks.Task) { time.Sleep(runs); task.Cancel(nil) }},
	} {
		for _, group := range []string{"", "reports"} {
			t.Run(fmt.Sprintf("%s in group %q", c.words, group), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					m, logs := observed(t, fxtasks.Config{})
					var s fxtasks.Submitter = m
					if group != "" {
						g, err := m.Group(group, fxtasks.GroupConfig{})
						if err != nil {
							t.Fatal(err)
						}
						s = g
					}
					task := submit(t, s, "work", c.fn, c.opts...)
					if c.ask != nil {
						c.ask(task)
					}
					_ = task.Wait(t.Context())

					wantFields(t, wantLine(t, logs, "submitted", zap.DebugLevel), task.Info())
					fields := wantLine(t, logs, c.words, c.level)
					wantFields(t, fields, task.Info())
					if fields["duration"] != runs {
						t.Errorf("duration is %v, want %v", fields["duration"], runs)
					}
					if err := task.Err(); err != nil && fields["error"] != err.Error() {
						t.Errorf("error is %v, want %v", fields["error"], err)
					}
					if stack, ok := fields["stack"]; ok != (c.words == "panicked") {
						t.Errorf("stack is %v", stack)
					}
					if n := logs.Len(); n != 2 {
						t.Errorf("%d lines, want 2: %v", n, logs.All())
					}
				})
			})
		}
	}
}

func TestPanicIsLoggedWithItsStack(t *testing.T) {
	m, logs := observed(t, fxtasks.Config{})
	_ = submit(t, m, "work", func(context.Context) error { panicHere(); return nil }).Wait(context.Background())
	stack := wantLine(t, logs, "panicked", zap.ErrorLevel)["stack"]
	if s, _ := stack.(string); !strings.Contains(s, "panicHere") {
		t.Errorf("stack is %v, want that of the panic", stack)
	}
}

func TestCancelBeforeTheStartIsLogged(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, logs := observed(t, fxtasks.Config{MaxRunning: 1})
		submit(t, m, "busy", untilCancelled)
		task := submit(t, m, "work", nothing)
		task.Cancel(nil)
		<-task.Done() // closed after the line
		fields := wantLine(t, logs, "cancelled", zap.DebugLevel)
		wantFields(t, fields, task.Info())
		if _, ok := fields["duration"]; !ok {
			t.Errorf("fields are %v, want a duration", fields)
		}
	})
}

func TestFullIsLoggedAtMostOnceInFiveSecondsWithTheCount(t *testing.T) {
	const every = 5 * time.Second
	const rejects, pause = 120, every / 10
	synctest.Test(t, func(t *testing.T) {
		m, logs := observed(t, fxtasks.Config{MaxRunning: 1, MaxPending: -1})
		g, err := m.Group("reports", fxtasks.GroupConfig{})
		if err != nil {
			t.Fatal(err)
		}
		submit(t, m, "busy", untilCancelled)
		began := time.Now()
		var told uint64 // rejects that a line has told of
		for range rejects {
			if _, err := g.Submit(t.Context(), "refused", nothing, fxtasks.WithID("chosen")); !errors.Is(err, fxtasks.ErrQueueFull) {
				t.Fatal(err)
			}
			time.Sleep(pause)
		}
		if _, err := m.Shutdown(t.Context()); err != nil {
			t.Fatal(err)
		}

		lines := linesWith(logs, "rejected")
		for i, line := range lines {
			if line.Level != zap.WarnLevel {
				t.Errorf("logged at %v", line.Level)
			}
			fields := line.ContextMap()
			wantFields(t, fields, fxtasks.Info{ID: "chosen", Name: "refused", Group: "reports"})
			if i > 0 && line.Time.Sub(lines[i-1].Time) < every {
				t.Errorf("lines at %v and %v", lines[i-1].Time, line.Time)
			}
			// The first reject was at once, and then one after every pause.
			untilNow := uint64(line.Time.Sub(began)/pause) + 1
			if count, _ := fields["count"].(uint64); count != untilNow-told {
				t.Errorf("count after %v is %v, want %d", line.Time.Sub(began), fields["count"], untilNow-told)
			}
			told = untilNow
		}
		if want := int(rejects * pause / every); len(lines) != want {
			t.Errorf("%d lines, want %d", len(lines), want)
		}
	})
}

func TestOtherRefusalsAreNotLoggedAsFull(t *testing.T) {
	m, logs := observed(t, fxtasks.Config{})
	submit(t, m, "busy", untilCancelled, fxtasks.WithID("id"))
	for _, opt := range []fxtasks.TaskOption{fxtasks.WithID("id"), fxtasks.WithID("")} {
		if _, err := m.Submit(context.Background(), "refused", nothing, opt); err == nil {
			t.Fatal("a bad submit was taken")
		}
	}
	if lines := linesWith(logs, "rejected"); len(lines) != 0 {
		t.Errorf("logged are %v", lines)
	}
}

func TestLoggerInATaskCarriesItsFields(t *testing.T) {
	m, logs := observed(t, fxtasks.Config{})
	g, err := m.Group("reports", fxtasks.GroupConfig{})
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range []fxtasks.Submitter{m, g} {
		task := submit(t, s, "work", func(ctx context.Context) error {
			fxtasks.Logger(context.WithValue(ctx, valueKey{}, 1)).Info("hello", zap.Int("page", 7))
			return nil
		})
		if err := task.Wait(context.Background()); err != nil {
			t.Fatal(err)
		}
		fields := linesWith(logs, "hello")[0].ContextMap()
		wantFields(t, fields, task.Info())
		if fields["page"] != int64(7) {
			t.Errorf("fields are %v", fields)
		}
		logs.TakeAll()
	}
}
