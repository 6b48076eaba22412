package fxtasks_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fxtasks/background/fxtasks"
)

func TestState(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newManager(t, fxtasks.Config{DrainGrace: time.Second})
		g, err := m.Group("eu", fxtasks.GroupConfig{})
		if err != nil {
			t.Fatal(err)
		}
		check := func(when string, want fxtasks.State) {
			t.Helper()
			if got := m.State(); got != want {
				t.Errorf("%s: State is %v, want %v", when, got, want)
			}
		}
		check("new", fxtasks.Open)
		if _, err := g.Shutdown(t.Context()); err != nil {
			t.Fatal(err)
		}
		check("when a group has stopped", fxtasks.Open)
		submit(t, m, "task", untilCancelled)
		over := startShutdown(t.Context(), m)
		check("while the grace lasts", fxtasks.Draining)
		<-over
		check("afterwards", fxtasks.Stopped)
	})
}

// TestManagerAnswersAfterShutdown: Task, List and Stats, about what it knew, and retention goes on.
func TestManagerAnswersAfterShutdown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newManager(t, fxtasks.Config{RetainFor: time.Hour})
		completed := submit(t, m, "completed", nothing)
		pass(time.Minute)
		cancelled := submit(t, m, "cancelled", untilCancelled)
		synctest.Wait()
		if _, err := m.Shutdown(t.Context()); err != nil {
			t.Fatal(err)
		}
		if got := known(t, m, completed, cancelled); len(got) != 2 || got[0] != cancelled.ID() {
			t.Errorf("on record: %q", got)
		}
		s := m.Stats()
		if s.Completed != 1 || s.Cancelled != 1 || s.Pending+s.Running != 0 || s.ByName["completed"].Completed != 1 {
			t.Errorf("Stats are %+v", s)
		}
		if err := m.Wait(t.Context()); err != nil {
			t.Errorf("Wait gives %v", err)
		}
		if _, err := m.Cancel(t.Context(), completed.ID(), nil); !errors.Is(err, fxtasks.ErrFinished) {
			t.Errorf("Cancel gives %v", err)
		}
		pass(time.Hour - time.Minute)
		if got := known(t, m, completed, cancelled); len(got) != 1 {
			t.Errorf("when the first has expired, on record: %q", got)
		}
		pass(time.Minute)
		if got := known(t, m, completed, cancelled); len(got) != 0 {
			t.Errorf("when both have expired, on record: %q", got)
		}
		if s := m.Stats(); s.Submitted != 2 {
			t.Errorf("the figures are since New: %+v", s)
		}
	})
}

// TestShutdownFromInsideATask would wait for itself. It must refuse, and shut nothing down.
func TestShutdownFromInsideATask(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newManager(t, fxtasks.Config{})
		g, err := m.Group("eu", fxtasks.GroupConfig{})
		if err != nil {
			t.Fatal(err)
		}
		other, err := m.Group("us", fxtasks.GroupConfig{})
		if err != nil {
			t.Fatal(err)
		}
		type key struct{}
		bystander := submit(t, g, "task", untilCancelled)
		inside := submit(t, g, "task", func(ctx context.Context) error {
			derived, cancel := context.WithTimeout(context.WithValue(ctx, key{}, 1), time.Hour)
			defer cancel()
			for name, s := range map[string]shutdowner{"Manager": m, "Group": g} {
				for _, ctx := range []context.Context{ctx, derived} {
					if _, err := s.Shutdown(ctx); !errors.Is(err, fxtasks.ErrInvalid) {
						t.Errorf("%s.Shutdown gives %v, want ErrInvalid", name, err)
					}
				}
			}
			report, err := other.Shutdown(ctx) // it is no part of that
			if err != nil || report.Status != "completed" {
				t.Errorf("Shutdown of another group gives %+v, %v", report, err)
			}
			return nil
		})
		synctest.Wait()
		if inside.Status() != fxtasks.Completed || bystander.Status() != fxtasks.Running || m.State() != fxtasks.Open {
			t.Errorf("afterwards it is %v, another task is %v, and the manager %v", inside.Status(), bystander.Status(), m.State())
		}
		submit(t, g, "task", nothing) // and the group takes tasks
		var nilCtx context.Context
		if _, err := m.Shutdown(nilCtx); !errors.Is(err, fxtasks.ErrInvalid) || m.State() != fxtasks.Open {
			t.Errorf("Shutdown(nil) gives %v, and the state is %v", err, m.State())
		}
	})
}

// TestGroupShutdown drains the group's tasks alone; the manager and its other groups go on.
func TestGroupShutdown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newManager(t, fxtasks.Config{ShutdownTimeout: 10 * time.Second})
		g, err := m.Group("eu", fxtasks.GroupConfig{DrainGrace: time.Second})
		if err != nil {
			t.Fatal(err)
		}
		other, err := m.Group("us", fxtasks.GroupConfig{})
		if err != nil {
			t.Fatal(err)
		}
		release := make(chan struct{})
		mine := submit(t, g, "mine", untilCancelled)
		stuck := submit(t, g, "stuck", until(release))
		others := []*fxtasks.Task{submit(t, m, "task", untilCancelled), submit(t, other, "task", untilCancelled)}
		synctest.Wait()
		over := startShutdown(t.Context(), g)
		if _, err := g.Submit(t.Context(), "late", nothing); !errors.Is(err, fxtasks.ErrShuttingDown) {
			t.Errorf("Submit to the group gives %v", err)
		}
		for _, s := range []fxtasks.Submitter{m, other} {
			others = append(others, submit(t, s, "meanwhile", untilCancelled))
		}
		d := <-over
		if r := d.report; d.err == nil || r.Status != "timeout" || r.Initial != 2 || r.Returned != 1 || r.Cancelled != 1 ||
			r.Remaining != 1 || r.Duration != 10*time.Second || r.Stuck[0].Info.ID != stuck.ID() {
			t.Errorf("Shutdown of the group gave %+v, %v", r, d.err)
		}
		if info := mine.Info(); info.Status != fxtasks.Cancelled || !errors.Is(info.Err, fxtasks.ErrShutdown) {
			t.Errorf("the group's task is %v with %v", info.Status, info.Err)
		}
		for _, task := range others {
			if task.Status() != fxtasks.Running {
				t.Errorf("a task that is not the group's is %v", task.Status())
			}
		}
		var still *fxtasks.ShutdownError
		if report, err := g.Shutdown(t.Context()); !errors.As(err, &still) || report.Status != "already_shutdown" || report.Remaining != 1 {
			t.Errorf("a second one gave %+v, %v, want what is still running", report, err)
		}
		close(release)
		synctest.Wait()
		if report, err := m.Shutdown(t.Context()); err != nil || report.Initial != len(others) || report.Cancelled != len(others) {
			t.Errorf("the manager's own gave %+v, %v", report, err)
		}
	})
}

// A drain is one, whether Shutdown begins it or StartDrain: the report and the log count what StartDrain cancelled.
func TestAShutdownAfterStartDrainCountsFromTheBeginningOfTheDrain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, logs := observed(t, fxtasks.Config{MaxRunning: 1})
		g := newGroup(t, m, "group", fxtasks.GroupConfig{})
		for range 3 {
			submit(t, g, "work", func(ctx context.Context) error { <-ctx.Done(); return nil })
		}
		synctest.Wait()
		m.StartDrain(t.Context())
		synctest.Wait()
		for _, shutdown := range []func(context.Context) (fxtasks.ShutdownReport, error){g.Shutdown, m.Shutdown} {
			report, err := shutdown(t.Context())
			if err != nil || report.Initial != 3 || report.Returned != 3 || report.Cancelled != 2 {
				t.Errorf("%+v, %v, want 3 tasks, of which 2 were cancelled", report, err)
			}
		}
		for _, line := range linesWith(logs, "shutdown begins") {
			if fields := line.ContextMap(); fields["running"] != int64(1) || fields["pending"] != int64(2) {
				t.Errorf("%v", fields)
			}
		}
	})
}
