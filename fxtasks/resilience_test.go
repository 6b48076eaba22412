package fxtasks_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
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

// slowOn is a logger that needs a while for lines with the message.
func slowOn(message string, while func()) *zap.Logger {
	return zap.New(lineFunc(func(e zapcore.Entry, _ []zapcore.Field) {
		if e.Message == message {
			while()
		}
	}))
}

func TestSlowLoggerDoesNotCostTasksTheBudgetOfTheShutdown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const budget = 100 * time.Millisecond
		m, err := fxtasks.New(fxtasks.Config{ShutdownTimeout: budget},
			fxtasks.WithLogger(slowOn("shutdown begins", func() { time.Sleep(2 * budget) })))
		if err != nil {
			t.Fatal(err)
		}
		task := submit(t, m, "work", untilCancelled)
		if _, err := m.Shutdown(t.Context()); err != nil || !errors.Is(task.Err(), fxtasks.ErrShutdown) {
			t.Errorf("Shutdown gave %v, the task %v", err, task.Err())
		}
	})
}

func TestSlowLoggerDoesNotCostTasksTheirTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const timeout = 100 * time.Millisecond
		m := newManager(t, fxtasks.Config{}, fxtasks.WithLogger(slowOn("task submitted", func() { time.Sleep(2 * timeout) })))
		task := submit(t, m, "work", func(ctx context.Context) error {
			if end, _ := ctx.Deadline(); ctx.Err() != nil || time.Until(end) != timeout {
				t.Errorf("%v is left when it starts, want %v", time.Until(end), timeout)
			}
			return nil
		}, fxtasks.WithTimeout(timeout))
		if err := task.Wait(t.Context()); err != nil {
			t.Error(err)
		}
	})
}

func TestLoggerThatHangsHoldsUpNoOtherTask(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		m := newManager(t, fxtasks.Config{}, fxtasks.WithLogger(slowOn("task cancelled before it started", func() { <-release })))
		busy := newGroup(t, m, "busy", fxtasks.GroupConfig{MaxRunning: 1, MaxPending: 1})
		other := newGroup(t, m, "other", fxtasks.GroupConfig{MaxRunning: 1})
		submit(t, other, "runs", untilCancelled)
		submit(t, other, "waits", nothing, fxtasks.WithID("x"))
		gate := make(chan struct{})
		submit(t, busy, "ends", until(gate))
		next := submit(t, busy, "next", nothing)
		blocked := submitBlocking(t.Context(), busy, "replaces", nothing, fxtasks.WithID("x"), fxtasks.WithDuplicate(fxtasks.Replace))
		close(gate) // makes room for the one that replaces, on the goroutine that is to run the next
		synctest.Wait()
		tasksAre(t, fxtasks.Completed, next)
		close(release)
		blocked.mustBeOver(t, nil)
	})
}

func TestSlowLoggerLeavesLaterStopHooksHalfOfTheirReserve(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const reserve, line, stuck = time.Second, 10 * time.Millisecond, 200
		named, notLogged := 0, int64(-1)
		log := zap.New(lineFunc(func(e zapcore.Entry, fields []zapcore.Field) {
			switch e.Message {
			case "task still running":
				time.Sleep(line)
				named++
			case "shutdown over: tasks still running":
				for _, f := range fields {
					if f.Key == "not_logged" {
						notLogged = f.Integer
					}
				}
			}
		}))
		m, err := fxtasks.New(fxtasks.Config{ShutdownTimeout: time.Second, StopReserve: reserve}, fxtasks.WithLogger(log))
		if err != nil {
			t.Fatal(err)
		}
		release := make(chan struct{})
		defer close(release)
		for range stuck {
			submit(t, m, "ignores its ctx", func(context.Context) error { <-release; return nil })
		}
		began := time.Now()
		report, _ := m.Shutdown(t.Context())
		if took := time.Since(began) - time.Second; took > reserve/2+line {
			t.Errorf("the log took %v of a reserve of %v", took, reserve)
		}
		if named == 0 || int64(named)+notLogged != stuck || len(report.Stuck) != stuck {
			t.Errorf("%d tasks are named in the log, %d are said to be left out, %d are in the report; want %d in all",
				named, notLogged, len(report.Stuck), stuck)
		}
	})
}

// All drains by one clock wait for their lines no longer than one does: stop hooks after them need the rest of
// the reserve, however many groups there are.
func TestDrainsByOneClockWaitForALogThatHangsAsLongAsOne_zap1415(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		defer close(release)
		m, err := fxtasks.New(fxtasks.Config{StopReserve: 4 * time.Second},
			fxtasks.WithLogger(slowOn("shutdown begins", func() { <-release })))
		if err != nil {
			t.Fatal(err)
		}
		var groups []*fxtasks.Group
		for i := range 10 {
			groups = append(groups, newGroup(t, m, fmt.Sprint("g", i), fxtasks.GroupConfig{}))
		}
		began := time.Now()
		m.StartDrain(t.Context())
		for _, g := range groups {
			if _, err := g.Shutdown(t.Context()); err != nil {
				t.Error(err)
			}
		}
		if _, err := m.Shutdown(t.Context()); err != nil {
			t.Error(err)
		}
		if took := time.Since(began); took != 2*time.Second {
			t.Errorf("they took %v, want half of StopReserve", took)
		}
	})
}
