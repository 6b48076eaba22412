package fxtasks_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/fxtasks/background/fxtasks"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// newManager makes a manager. The test ends all its tasks; those that run on make it fail.
func newManager(t testing.TB, cfg fxtasks.Config, opts ...fxtasks.Option) *fxtasks.Manager {
	t.Helper()
	m, err := fxtasks.New(cfg, opts...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if report, err := m.Shutdown(context.Background()); err != nil && report.Status != "already_shutdown" {
			t.Error(err)
		}
	})
	return m
}

// newGroup makes a group of a manager and fails the test if that fails.
func newGroup(t testing.TB, m *fxtasks.Manager, name string, cfg fxtasks.GroupConfig) *fxtasks.Group {
	t.Helper()
	g, err := m.Group(name, cfg)
	if err != nil {
		t.Fatalf("Group(%q): %v", name, err)
	}
	return g
}

// submit submits to a manager or a group and fails the test if that fails.
func submit(t testing.TB, s fxtasks.Submitter, name string, fn fxtasks.Func, opts ...fxtasks.TaskOption) *fxtasks.Task {
	t.Helper()
	task, err := s.Submit(context.Background(), name, fn, opts...)
	if err != nil {
		t.Fatalf("Submit(%q): %v", name, err)
	}
	return task
}

// nothing is a task that completes at once.
func nothing(context.Context) error { return nil }

// untilCancelled is a task that runs until it is asked to end, and then returns why.
func untilCancelled(ctx context.Context) error {
	<-ctx.Done()
	return context.Cause(ctx)
}

// until is a task that ignores its context and completes when release is closed.
func until(release <-chan struct{}) fxtasks.Func {
	return func(context.Context) error {
		<-release
		return nil
	}
}

// sleeps is a task that takes d, whatever is asked of it.
func sleeps(d time.Duration) fxtasks.Func {
	return func(context.Context) error { time.Sleep(d); return nil }
}

var errAttempt = errors.New("attempt failed")

// failing is a task whose first n attempts fail.
func failing(n int) fxtasks.Func {
	attempt := 0
	return func(context.Context) error {
		if attempt++; attempt <= n {
			return errAttempt
		}
		return nil
	}
}

// after is a Retry of three attempts, d apart.
func after(d time.Duration) fxtasks.Retry {
	return fxtasks.Retry{MaxAttempts: 3, Delay: func(int) time.Duration { return d }}
}
