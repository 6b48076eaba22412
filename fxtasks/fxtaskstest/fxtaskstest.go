// Package fxtaskstest helps to test code that submits tasks. All of it works inside a
// testing/synctest bubble.
//
//	func TestReports(t *testing.T) {
//		tasks := fxtaskstest.New(t)
//		task := NewReports(tasks).Create(t.Context())
//		fxtaskstest.WaitForStatus(t, tasks, task, fxtasks.Completed)
//	}
package fxtaskstest

import (
	"context"
	"errors"
	"io"
	"testing"
	"time"

	"github.com/fxtasks/background/fxtasks"
)

// New returns a manager with the default configuration, which is shut down when the test and its
// subtests end. Tasks that do not return within its ShutdownTimeout, 10 seconds, fail the test:
// each is named, with the stack on which it hangs. Inside a synctest bubble that report is followed
// by the bubble's own panic, since the task's goroutine is still there.
func New(t testing.TB, opts ...fxtasks.Option) *fxtasks.Manager {
	t.Helper()
	return NewWithConfig(t, fxtasks.Config{}, opts...)
}

// NewWithConfig is New with a configuration. A bad one ends the test.
func NewWithConfig(t testing.TB, cfg fxtasks.Config, opts ...fxtasks.Option) *fxtasks.Manager {
	t.Helper()
	m, err := fxtasks.New(cfg, opts...)
	if err != nil {
		t.Fatalf("fxtaskstest: %v", err)
	}
	t.Cleanup(func() {
		report, _ := m.Shutdown(context.Background()) // t.Context() has ended by now
		for _, s := range report.Stuck {
			t.Errorf("fxtaskstest: task %q (%s) is still running after %v, on\n%s",
				s.Info.Name, s.Info.ID, s.Age, s.Stack)
		}
	})
	return m
}

// waitLimit bounds WaitForStatus: long enough for a busy machine.
const waitLimit = 30 * time.Second

// WaitForStatus blocks until the task of m has, or had, the status want. It ends the test when the
// task finishes with another one, or has not got there within 30 seconds.
func WaitForStatus(t testing.TB, m *fxtasks.Manager, task *fxtasks.Task, want fxtasks.Status) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), waitLimit)
	defer cancel()
	events := m.Subscribe(fxtasks.Latest) // before the first look: no change can be missed
	for {
		info := task.Info()
		if reached(info, want) {
			return
		}
		if info.Status.Finished() {
			t.Fatalf("fxtaskstest: task %q (%s) is %v, not %v: %v", info.Name, info.ID, info.Status, want, info.Err)
		}
		_, err := events.Next(ctx)
		if errors.Is(err, io.EOF) { // the manager has stopped: what the task can still do is end
			select {
			case <-task.Done():
				err = nil
			case <-ctx.Done():
				err = ctx.Err()
			}
		}
		if err != nil {
			t.Fatalf("fxtaskstest: task %q (%s) is still %v, not %v: %v", info.Name, info.ID, info.Status, want, err)
		}
	}
}

func reached(info fxtasks.Info, want fxtasks.Status) bool {
	switch want {
	case fxtasks.Pending:
		return true // every task began so
	case fxtasks.Running:
		return !info.StartedAt.IsZero()
	default:
		return info.Status == want
	}
}
