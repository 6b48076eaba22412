package fxtasks_test

import (
	"context"
	"testing"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"github.com/fxtasks/background/fxtasks"
)

// What users hand in can panic, call back, hang or be slow. It must not take the manager with it.

// typedNil is an error whose methods panic on nil, as those of most error types do.
type typedNil struct{ cause error }

func (e *typedNil) Error() string { return e.cause.Error() }
func (e *typedNil) Unwrap() error { return e.cause }

func TestTypedNilErrorFailsTheTaskAndNotTheProcess(t *testing.T) {
	core, logs := observer.New(zap.DebugLevel)
	m := newManager(t, fxtasks.Config{}, fxtasks.WithLogger(zap.New(core)))
	task := submit(t, m, "work", func(context.Context) error {
		var err *typedNil
		return err
	})
	<-task.Done()
	if got := task.Status(); got != fxtasks.Failed {
		t.Errorf("task is %v, want failed", got)
	}
	if n := logs.FilterMessage("task failed").Len(); n != 1 {
		t.Errorf("%d lines about it, want 1", n)
	}
}

func TestPanicOfAnotherTaskPassedOnIsLoggedAsAFailure(t *testing.T) {
	core, logs := observer.New(zap.DebugLevel)
	m := newManager(t, fxtasks.Config{}, fxtasks.WithLogger(zap.New(core)))
	child := submit(t, m, "child", func(context.Context) error { panic("boom") })
	parent := submit(t, m, "parent", func(ctx context.Context) error { return child.Wait(ctx) })
	<-parent.Done()
	for message, task := range map[string]*fxtasks.Task{"task panicked": child, "task failed": parent} {
		if n := logs.FilterMessage(message).FilterField(zap.String("task_id", task.ID())).Len(); n != 1 {
			t.Errorf("%d lines %q about %v, want 1", n, message, task)
		}
	}
}

// callback is a context that asks the manager something whenever it is asked something itself.
type callback struct {
	context.Context
	m *fxtasks.Manager
}

func (c callback) Deadline() (time.Time, bool) { c.m.Stats(); return c.Context.Deadline() }
func (c callback) Done() <-chan struct{}       { c.m.Stats(); return c.Context.Done() }
func (c callback) Err() error                  { c.m.Stats(); return c.Context.Err() }
func (c callback) Value(key any) any           { c.m.Stats(); return c.Context.Value(key) }

// It hangs if one of them is asked under the mutex.
func TestContextsMayCallTheManager(t *testing.T) {
	m := newManager(t, fxtasks.Config{MaxRunning: 1, MaxPending: -1, CancelTimeout: time.Millisecond})
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	back := callback{ctx, m}
	task, err := m.Submit(back, "work", untilCancelled, fxtasks.WithID("id"))
	if err != nil {
		t.Fatal(err)
	}
	waits := make(chan error, 2)
	go func() {
		_, err := m.Submit(back, "blocked", nothing, fxtasks.WithBlocking())
		waits <- err
	}()
	go func() { waits <- m.Wait(back) }()
	_, _ = m.Cancel(back, "id", nil)
	_ = task.Wait(back)
	cancel()
	_, _ = <-waits, <-waits
	_, _ = m.Subscribe(0).Next(back)
	_ = m.CancelAll(back, nil)
	_ = m.Wait(context.Background()) // or Shutdown, whose ctx has ended, would not wait for the blocked one
	if _, err := m.Shutdown(back); err != nil {
		t.Error(err)
	}
}
