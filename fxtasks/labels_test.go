package fxtasks_test

import (
	"bytes"
	"context"
	"runtime/pprof"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fxtasks/background/fxtasks"
)

// labelledHere says whether the profile shows a goroutine in this function with the label.
//
//go:noinline
func labelledHere(t *testing.T, label string) bool {
	t.Helper()
	var b bytes.Buffer
	if err := pprof.Lookup("goroutine").WriteTo(&b, 1); err != nil {
		t.Error(err)
	}
	for record := range strings.SplitSeq(b.String(), "\n\n") {
		if strings.Contains(record, "labelledHere") {
			return strings.Contains(record, label)
		}
	}
	return false
}

func TestLabelsOfATaskStayOverPprofDo(t *testing.T) {
	const name, page = `"task_name":"labelled"`, `"page":"7"`
	m := newManager(t, fxtasks.Config{})
	err := submit(t, m, "labelled", func(ctx context.Context) error {
		if !labelledHere(t, name) {
			t.Error("before pprof.Do the goroutine has no task_name")
		}
		pprof.Do(ctx, pprof.Labels("page", "7"), func(context.Context) {
			if !labelledHere(t, name) || !labelledHere(t, page) {
				t.Error("in pprof.Do the goroutine has not both labels")
			}
		})
		if !labelledHere(t, name) || labelledHere(t, page) {
			t.Error("after pprof.Do the goroutine has not the task's label alone")
		}
		return nil
	}).Wait(context.Background())
	if err != nil {
		t.Error(err)
	}
}

func TestEachAttemptHasTheLabelOfItsTask(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newManager(t, fxtasks.Config{MaxRunning: 1})
		labelled := 0
		retried := submit(t, m, "retried", func(context.Context) error {
			if labelledHere(t, `"task_name":"retried"`) {
				labelled++
			}
			return errAttempt
		}, fxtasks.WithRetry(fxtasks.Retry{MaxAttempts: 3}))
		for !retried.Status().Finished() { // other tasks share the goroutines of the attempts
			submit(t, m, "other", nothing)
			time.Sleep(time.Second)
		}
		if labelled != 3 {
			t.Errorf("%d of 3 attempts had the label", labelled)
		}
	})
}

func TestRunGivesTheCallerItsLabelsBack(t *testing.T) {
	const callers, name, inner = `"caller":"scheduler"`, `"task_name":"run"`, `"task_name":"inner"`
	m := newManager(t, fxtasks.Config{})
	pprof.Do(t.Context(), pprof.Labels("caller", "scheduler"), func(ctx context.Context) {
		for what, fn := range map[string]fxtasks.Func{
			"returns": nothing,
			"panics":  func(context.Context) error { panic("run") },
		} {
			func() {
				defer func() { _ = recover() }()
				_ = m.Run(ctx, "run", func(ctx context.Context) error {
					if !labelledHere(t, callers) || !labelledHere(t, name) {
						t.Error("in Run the goroutine has not both labels")
					}
					_ = m.Run(ctx, "inner", func(context.Context) error {
						if !labelledHere(t, inner) {
							t.Error("in a Run within it the goroutine has not the name of that")
						}
						return nil
					})
					if !labelledHere(t, name) {
						t.Error("after a Run within it the name is gone")
					}
					return fn(ctx)
				})
			}()
			if !labelledHere(t, callers) || labelledHere(t, name) {
				t.Errorf("after a Run that %s the goroutine has not its own label alone", what)
			}
		}
	})
}
