package fxtasks_test

import (
	"context"
	"runtime"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"github.com/fxtasks/background/fxtasks"
)

// levelFunc is a core whose decision on a level is the application's code.
type levelFunc struct {
	zapcore.Core
	enabled func()
}

func (c levelFunc) Enabled(zapcore.Level) bool {
	c.enabled()
	return true
}

func TestLevelOfALoggerMayCallTheManager(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var m *fxtasks.Manager
		log := zap.New(levelFunc{zapcore.NewNopCore(), func() {
			if m != nil {
				m.Stats()
			}
		}})
		m = newManager(t, fxtasks.Config{MaxRunning: 1}, fxtasks.WithLogger(log))
		running := submit(t, m, "running", untilCancelled)
		pending := submit(t, m, "pending", nothing)
		cancelled := make(chan struct{})
		go func() {
			defer close(cancelled)
			pending.Cancel(nil)
			<-pending.Done()
			running.Cancel(nil)
			<-running.Done()
		}()
		select {
		case <-cancelled:
		case <-time.After(time.Minute):
			t.Fatal("a cancel hangs: the level is asked under the mutex")
		}
	})
}

func TestLevelOfALoggerThatEndsTheGoroutineLosesNoTask(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var goexit atomic.Bool
		log := zap.New(levelFunc{zapcore.NewNopCore(), func() {
			if goexit.Load() {
				runtime.Goexit()
			}
		}})
		m := newManager(t, fxtasks.Config{MaxRunning: 1}, fxtasks.WithLogger(log))
		running := submit(t, m, "running", untilCancelled)
		pending := submit(t, m, "pending", nothing)
		goexit.Store(true)
		go pending.Cancel(nil)
		synctest.Wait()
		go func() { _, _ = m.Submit(context.Background(), "work", nothing) }()
		synctest.Wait()
		goexit.Store(false)
		running.Cancel(nil)
		synctest.Wait()
		if s := m.Stats(); s.Pending != 0 || s.Running != 0 {
			t.Errorf("%d pending, %d running", s.Pending, s.Running)
		}
		if s := pending.Status(); s != fxtasks.Cancelled {
			t.Errorf("the pending task is %v, want cancelled", s)
		}
	})
}

func TestScheduleGoesOnAfterALoggerThatEndsTheGoroutine(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newManager(t, fxtasks.Config{}, fxtasks.WithLogger(onLine("task submitted", runtime.Goexit)))
		p, err := m.Schedule("tick", fxtasks.Every(time.Hour), nothing)
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(3*time.Hour + time.Minute)
		synctest.Wait()
		if next := p.Info().Next; !next.After(time.Now()) {
			t.Errorf("the next run is due at %v, want a time to come", next)
		}
		if n := m.Stats().Completed; n != 3 {
			t.Errorf("%d runs have completed, want 3", n)
		}
	})
}
