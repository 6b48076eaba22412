package fxtasks_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fxtasks/background/fxtasks"
)

// shutdowner is a *Manager or a *Group.
type shutdowner interface {
	Shutdown(ctx context.Context) (fxtasks.ShutdownReport, error)
}

// drained is what a Shutdown gave, and when.
type drained struct {
	report fxtasks.ShutdownReport
	err    error
	at     time.Time
}

// startShutdown begins a Shutdown in a bubble, and returns when it waits or is over.
func startShutdown(ctx context.Context, s shutdowner) <-chan drained {
	over := make(chan drained, 1)
	go func() {
		report, err := s.Shutdown(ctx)
		over <- drained{report, err, time.Now()}
	}()
	synctest.Wait()
	return over
}

// TestShutdownCloses: the first phase. What was accepted before is part of the drain.
func TestShutdownCloses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newManager(t, fxtasks.Config{DrainGrace: time.Second})
		g, err := m.Group("eu", fxtasks.GroupConfig{})
		if err != nil {
			t.Fatal(err)
		}
		release := make(chan struct{})
		task := submit(t, m, "task", until(release), fxtasks.WithID("x"))
		over := startShutdown(t.Context(), m)
		check := func(when string) {
			t.Helper()
			for name, s := range map[string]fxtasks.Submitter{"Manager": m, "Group": g} {
				for _, opts := range [][]fxtasks.TaskOption{nil, {fxtasks.WithBlocking()},
					{fxtasks.WithID("x"), fxtasks.WithDuplicate(fxtasks.Join)},
					{fxtasks.WithID("x"), fxtasks.WithDuplicate(fxtasks.Replace)}} {
					if _, err := s.Submit(t.Context(), "late", nothing, opts...); !errors.Is(err, fxtasks.ErrShuttingDown) {
						t.Errorf("%s: %s.Submit with %d options gives %v, want ErrShuttingDown", when, name, len(opts), err)
					}
				}
			}
			if _, err := m.Group("late", fxtasks.GroupConfig{}); err == nil {
				t.Errorf("%s: Group makes a group that can never take a task", when)
			}
		}
		check("while it drains")
		close(release)
		if d := <-over; d.err != nil || d.report.Initial != 1 || task.Status() != fxtasks.Completed {
			t.Errorf("Shutdown gives %+v, %v; the task that was there before is %v", d.report, d.err, task.Status())
		}
		check("afterwards")
	})
}

// TestDrainGrace: the second phase and the third. Each task's ctx ends when its own grace is over:
// the grace of the task counts, else of its group, else of the manager.
func TestDrainGrace(t *testing.T) {
	const sec = time.Second
	for _, test := range []struct {
		name    string
		manager time.Duration
		group   *time.Duration // nil: submitted to the manager
		task    *time.Duration // nil: without WithDrainGrace
		want    time.Duration  // with a budget of 10 seconds
	}{
		{"none by default", 0, nil, nil, 0},
		{"the manager's", 3 * sec, nil, nil, 3 * sec},
		{"the task's own", 3 * sec, nil, new(5 * sec), 5 * sec},
		{"the task's own, where the manager has none", 0, nil, new(5 * sec), 5 * sec},
		{"the task wants none", 3 * sec, nil, new(0 * sec), 0},
		{"the group leaves it to the manager", 3 * sec, new(0 * sec), nil, 3 * sec},
		{"the group's", 3 * sec, new(2 * sec), nil, 2 * sec},
		{"the group has none", 3 * sec, new(-sec), nil, 0},
		{"the task's own, in a group", 3 * sec, new(2 * sec), new(4 * sec), 4 * sec},
		{"the task wants none, in a group", 3 * sec, new(2 * sec), new(0 * sec), 0},
		{"a tenth of the budget is left to return in", 9*sec + 1, nil, nil, 9 * sec},
		{"that holds for the group's", 0, new(time.Hour), nil, 9 * sec},
		{"that holds for the task's own", 0, nil, new(10 * sec), 9 * sec},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				m := newManager(t, fxtasks.Config{ShutdownTimeout: 10 * sec, DrainGrace: test.manager})
				var s fxtasks.Submitter = m
				if test.group != nil {
					g, err := m.Group("eu", fxtasks.GroupConfig{DrainGrace: *test.group})
					if err != nil {
						t.Fatal(err)
					}
					s = g
				}
				var opts []fxtasks.TaskOption
				if test.task != nil {
					opts = append(opts, fxtasks.WithDrainGrace(*test.task))
				}
				var cause error
				var asked time.Time
				task := submit(t, s, "task", func(ctx context.Context) error {
					<-ctx.Done()
					cause, asked = context.Cause(ctx), time.Now()
					<-time.After(sec / 2) // it has the rest of the budget to return
					return ctx.Err()
				}, opts...)
				synctest.Wait()
				began := time.Now()
				d := <-startShutdown(t.Context(), m)
				if got := asked.Sub(began); got != test.want || cause != fxtasks.ErrShutdown {
					t.Errorf("its ctx ended after %v with %v, want %v with ErrShutdown", got, cause, test.want)
				}
				if d.err != nil || d.at.Sub(began) != test.want+sec/2 || d.report.Cancelled != 1 {
					t.Errorf("Shutdown gave %+v, %v after %v", d.report, d.err, d.at.Sub(began))
				}
				if err := task.Err(); task.Status() != fxtasks.Cancelled || !errors.Is(err, fxtasks.ErrShutdown) ||
					!errors.Is(err, context.Canceled) {
					t.Errorf("the task is %v with %v", task.Status(), err)
				}
			})
		})
	}
}

// TestDrainGraceIsCappedByTheBudgetOfCtx: nine tenths of what ctx has left, not of the ShutdownTimeout.
func TestDrainGraceIsCappedByTheBudgetOfCtx(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newManager(t, fxtasks.Config{ShutdownTimeout: 10 * time.Second, DrainGrace: 5 * time.Second})
		ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
		defer cancel()
		submit(t, m, "task", untilCancelled)
		synctest.Wait()
		if report, err := m.Shutdown(ctx); err != nil || report.Duration != 1800*time.Millisecond || report.Cancelled != 1 {
			t.Errorf("a task that returns when its grace is over: %+v, %v", report, err)
		}
	})
}

// TestPendingTasksStartWhileTheirGraceLasts has a queue in front of one slot.
func TestPendingTasksStartWhileTheirGraceLasts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newManager(t, fxtasks.Config{MaxRunning: 1})
		started := make(map[string]bool)
		add := func(name string, grace, took time.Duration) *fxtasks.Task {
			return submit(t, m, name, func(ctx context.Context) error {
				started[name] = true
				select {
				case <-time.After(took):
					return nil
				case <-ctx.Done():
					return context.Cause(ctx)
				}
			}, fxtasks.WithDrainGrace(grace))
		}
		tasks := []*fxtasks.Task{
			add("completes", 5*time.Second, 2*time.Second),
			add("has no grace", 0, time.Second),
			add("has a grace that ends before its turn", time.Second, time.Second),
			add("starts, and completes", 5*time.Second, time.Second),
			add("starts, and is cancelled at its end", 4*time.Second, time.Hour),
			add("waits until its end", 4*time.Second, time.Second),
		}
		synctest.Wait()
		d := <-startShutdown(t.Context(), m)
		for i, want := range []struct {
			started  bool
			status   fxtasks.Status
			finished time.Duration // after Shutdown began
		}{
			{true, fxtasks.Completed, 2 * time.Second},
			{false, fxtasks.Cancelled, 0},
			{false, fxtasks.Cancelled, time.Second},
			{true, fxtasks.Completed, 3 * time.Second},
			{true, fxtasks.Cancelled, 4 * time.Second},
			{false, fxtasks.Cancelled, 4 * time.Second},
		} {
			info := tasks[i].Info()
			finished := info.FinishedAt.Sub(d.at.Add(-d.report.Duration))
			if info.Status != want.status || started[info.Name] != want.started || finished != want.finished {
				t.Errorf("a task that %s: started %v, %v after %v: want %v, %v after %v", info.Name,
					started[info.Name], info.Status, finished, want.started, want.status, want.finished)
			}
			if info.Status == fxtasks.Cancelled && !errors.Is(info.Err, fxtasks.ErrShutdown) {
				t.Errorf("a task that %s: Err is %v, want ErrShutdown", info.Name, info.Err)
			}
		}
		if r := d.report; d.err != nil || r.Initial != 6 || r.Returned != 6 || r.Cancelled != 4 || r.Duration != 4*time.Second {
			t.Errorf("Shutdown gave %+v, %v", r, d.err)
		}
	})
}

// TestShutdownEndsWithTheLastTask does not wait for a grace or a budget that nobody needs.
func TestShutdownEndsWithTheLastTask(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newManager(t, fxtasks.Config{DrainGrace: 5 * time.Second})
		submit(t, m, "task", func(context.Context) error { <-time.After(time.Second); return nil })
		synctest.Wait()
		if report, err := m.Shutdown(t.Context()); err != nil || report.Duration != time.Second || report.Cancelled != 0 {
			t.Errorf("Shutdown gave %+v, %v", report, err)
		}
		idle := newManager(t, fxtasks.Config{DrainGrace: 5 * time.Second})
		report, err := idle.Shutdown(t.Context())
		if err != nil || report.Status != "completed" || report.Duration != 0 || report.Initial != 0 {
			t.Errorf("Shutdown with no task gave %+v, %v", report, err)
		}
	})
}
