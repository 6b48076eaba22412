package fxtasks_test

import (
	"context"
	"errors"
	"runtime"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fxtasks/background/fxtasks"
)

func TestAGoexitOfRunGoesOnAndIsRecorded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newManager(t, fxtasks.Config{})
		inGoroutine(func() { m.Run(t.Context(), "here", func(context.Context) error { runtime.Goexit(); return nil }) })
		if s := m.Stats(); s.Running != 0 || s.Failed != 1 {
			t.Errorf("%+v", s)
		}
	})
}

func TestRunIsReplacedByASubmit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newManager(t, fxtasks.Config{MaxRunning: 1})
		var next *fxtasks.Task
		err := m.Run(t.Context(), "here", func(ctx context.Context) error {
			next = submit(t, m, "next", nothing, fxtasks.WithID("a"), fxtasks.WithDuplicate(fxtasks.Replace))
			<-ctx.Done()
			if next.Status() != fxtasks.Pending {
				t.Error("both run")
			}
			return context.Cause(ctx)
		}, fxtasks.WithID("a"))
		if err != fxtasks.ErrReplaced {
			t.Error(err)
		}
		if err := next.Wait(t.Context()); err != nil {
			t.Error(err)
		}
	})
}

func TestWhatReplacesRunStartsAfterItsGoexit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newManager(t, fxtasks.Config{MaxRunning: 1})
		var next *fxtasks.Task
		inGoroutine(func() {
			m.Run(t.Context(), "here", func(ctx context.Context) error {
				next = submit(t, m, "next", nothing, fxtasks.WithID("a"), fxtasks.WithDuplicate(fxtasks.Replace))
				runtime.Goexit()
				return nil
			}, fxtasks.WithID("a"))
		})
		if err := next.Wait(t.Context()); err != nil {
			t.Error(err)
		}
	})
}

func TestRunIsDrained(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newManager(t, fxtasks.Config{})
		g, err := m.Group("g", fxtasks.GroupConfig{})
		if err != nil {
			t.Fatal(err)
		}
		var errs [2]error
		go func() { errs[0] = m.Run(t.Context(), "polite", untilCancelled) }()
		go func() {
			errs[1] = g.Run(t.Context(), "grace", func(ctx context.Context) error { time.Sleep(time.Second); return ctx.Err() }, fxtasks.WithDrainGrace(2*time.Second))
		}()
		synctest.Wait()
		if r, err := g.Shutdown(t.Context()); err != nil || r.Initial != 1 || r.Returned != 1 {
			t.Errorf("%+v %v", r, err)
		}
		if err := g.Run(t.Context(), "x", nothing); !errors.Is(err, fxtasks.ErrShuttingDown) {
			t.Error(err)
		}
		r, err := m.Shutdown(t.Context())
		if err != nil || r.Initial != 1 || r.Cancelled != 1 {
			t.Errorf("%+v %v", r, err)
		}
		synctest.Wait()
		if errs[0] != fxtasks.ErrShutdown || errs[1] != nil {
			t.Error(errs)
		}
	})
}

func TestWhatRunWaitsForStartsBesideIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newManager(t, fxtasks.Config{MaxRunning: 1})
		err := m.Run(t.Context(), "here", func(ctx context.Context) error {
			return submit(t, m, "child", func(ctx context.Context) error {
				return submit(t, m, "grandchild", nothing).Wait(ctx)
			}).Wait(ctx)
		})
		if err != nil {
			t.Error(err)
		}
		if s := m.Stats(); s.Completed != 3 || s.Running+s.Waiting != 0 {
			t.Errorf("%+v", s)
		}
	})
}

func TestRunAfterStartDrainEndsWithItsGrace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newManager(t, fxtasks.Config{})
		m.StartDrain(t.Context())
		start := time.Now()
		err := m.Run(t.Context(), "here", untilCancelled, fxtasks.WithDrainGrace(2*time.Second))
		if err != fxtasks.ErrShutdown || time.Since(start) != 2*time.Second {
			t.Errorf("%v after %v", err, time.Since(start))
		}
	})
}
