package fxtasks_test

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"github.com/fxtasks/background/fxtasks"
)

// These tests are about loggers that are slow, or hang.

func TestLoggerThatBlocksHoldsUpItsOwnTaskAlone(t *testing.T) {
	for _, words := range []string{"task completed", "task failed", "task panicked", "task cancelled before"} {
		t.Run(words, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				unblock := make(chan struct{})
				var blocked atomic.Bool
				m := newManager(t, fxtasks.Config{}, fxtasks.WithLogger(onLine(words, func() {
					if blocked.CompareAndSwap(false, true) {
						<-unblock
					}
				})))
				g, err := m.Group("one", fxtasks.GroupConfig{MaxRunning: 1})
				if err != nil {
					t.Fatal(err)
				}
				var first *fxtasks.Task
				switch words {
				case "task completed":
					first = submit(t, m, "work", nothing)
				case "task failed":
					first = submit(t, m, "work", func(context.Context) error { return errWork })
				case "task panicked":
					first = submit(t, m, "work", func(context.Context) error { panic("boom") })
				default:
					submit(t, g, "busy", untilCancelled)
					first = submit(t, g, "queued", nothing)
					first.Cancel(nil)
				}
				synctest.Wait()
				other := submit(t, m, "other", nothing)
				synctest.Wait()
				if !blocked.Load() || !other.Status().Finished() {
					t.Errorf("blocked is %v, the other task %v", blocked.Load(), other.Status())
				}
				select {
				case <-first.Done():
					t.Error("Done is closed before the line is written")
				default:
				}
				close(unblock)
				<-first.Done()
			})
		})
	}
}

func TestDrainNeverWaitsForALog(t *testing.T) {
	const pending = 20_000
	synctest.Test(t, func(t *testing.T) {
		m, err := fxtasks.New(fxtasks.Config{MaxRunning: 1}, fxtasks.WithLogger(zap.New(lineFunc(func(zapcore.Entry, []zapcore.Field) {
			time.Sleep(time.Millisecond)
		}))))
		if err != nil {
			t.Fatal(err)
		}
		submit(t, m, "busy", untilCancelled)
		for range pending {
			submit(t, m, "queued", nothing)
		}
		began := time.Now()
		report, err := m.Shutdown(t.Context())
		if took := time.Since(began); err != nil || took > 250*time.Millisecond {
			t.Errorf("Shutdown took %v, %v", took, err)
		}
		if report.Cancelled != pending+1 {
			t.Errorf("%d cancelled", report.Cancelled)
		}
	})
}

func TestShutdownWaitsForALogThatHangsHalfOfTheReserve(t *testing.T) {
	for _, words := range []string{"shutdown begins", "pending tasks", "shutdown over"} {
		t.Run(words, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				unblock := make(chan struct{})
				m, err := fxtasks.New(fxtasks.Config{MaxRunning: 1, StopReserve: 4 * time.Second},
					fxtasks.WithLogger(onLine(words, func() { <-unblock })))
				if err != nil {
					t.Fatal(err)
				}
				submit(t, m, "busy", untilCancelled)
				submit(t, m, "queued", nothing)
				began := time.Now()
				if _, err := m.Shutdown(t.Context()); err != nil {
					t.Error(err)
				}
				if took := time.Since(began); took != 2*time.Second {
					t.Errorf("Shutdown took %v, want half of StopReserve", took)
				}
				close(unblock)
				synctest.Wait()
			})
		})
	}
}

func TestSlowLoggerDoesNotCostTasksTheBudgetOfTheShutdown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const budget = 100 * time.Millisecond
		m, err := fxtasks.New(fxtasks.Config{ShutdownTimeout: budget},
			fxtasks.WithLogger(onLine("shutdown begins", func() { time.Sleep(2 * budget) })))
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
		m := newManager(t, fxtasks.Config{}, fxtasks.WithLogger(onLine("task submitted", func() { time.Sleep(2 * timeout) })))
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
		m := newManager(t, fxtasks.Config{}, fxtasks.WithLogger(onLine("task cancelled before it started", func() { <-release })))
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
			fxtasks.WithLogger(onLine("shutdown begins", func() { <-release })))
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
