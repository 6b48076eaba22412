package fxtasks_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fxtasks/background/fxtasks"
)

func TestSecondShutdownTellsTheTruth(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, err := fxtasks.New(fxtasks.Config{ShutdownTimeout: 10 * time.Second})
		if err != nil {
			t.Fatal(err)
		}
		release := make(chan struct{})
		task := submit(t, m, "stuck", until(release))
		go func() { _, _ = m.Shutdown(context.Background()) }()
		synctest.Wait()
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := m.Shutdown(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("while the first drains: %v", err)
		}
		report, err := m.Shutdown(t.Context())
		if e := (*fxtasks.ShutdownError)(nil); !errors.As(err, &e) || report.Status != "already_shutdown" || report.Remaining != 1 ||
			len(report.Stuck) != 1 || report.Stuck[0].Info.ID != task.ID() || report.Stuck[0].Stack != "" {
			t.Errorf("after the first: %+v, %v", report, err)
		}
		close(release)
		<-task.Done()
		if report, err := m.Shutdown(t.Context()); err != nil || report.Remaining != 0 || report.Status != "already_shutdown" {
			t.Errorf("when all have returned: %+v, %v", report, err)
		}
	})
}

func TestOneClockDrainsGroupsAndManager(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, err := fxtasks.New(fxtasks.Config{ShutdownTimeout: 10 * time.Second})
		if err != nil {
			t.Fatal(err)
		}
		release := make(chan struct{})
		var groups []*fxtasks.Group
		for _, name := range []string{"a", "b", "c"} {
			g := newGroup(t, m, name, fxtasks.GroupConfig{})
			submit(t, g, "stuck", until(release))
			groups = append(groups, g)
		}
		polite := submit(t, m, "polite", func(ctx context.Context) error {
			<-ctx.Done()
			time.Sleep(time.Second)
			return nil
		})
		began := time.Now()
		if end := m.StartDrain(t.Context()); !end.Equal(began.Add(10 * time.Second)) {
			t.Errorf("the budget ends after %v", end.Sub(began))
		}
		if again := m.StartDrain(context.Background()); !again.Equal(began.Add(10 * time.Second)) {
			t.Errorf("a second StartDrain gives %v", again.Sub(began))
		}
		for _, g := range groups {
			_, _ = g.Shutdown(t.Context())
		}
		_, _ = m.Shutdown(t.Context())
		if took := time.Since(began); took > 10*time.Second {
			t.Errorf("all drains took %v", took)
		}
		if s := polite.Status(); s != fxtasks.Completed {
			t.Errorf("the polite task is %v", s)
		}
		close(release)
		synctest.Wait()
	})
}

func TestStartDrainTakesSubmitsWhileTheirGraceLasts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newManager(t, fxtasks.Config{ShutdownTimeout: 100 * time.Second})
		long := fxtasks.WithDrainGrace(20 * time.Second)
		running := submit(t, m, "running", untilCancelled, long)
		none := submit(t, m, "none", untilCancelled)
		began := time.Now()
		m.StartDrain(t.Context())
		<-none.Done()
		if took := time.Since(began); took != 0 || m.State() != fxtasks.Draining {
			t.Errorf("a task without grace ended after %v, state %v", took, m.State())
		}
		if _, err := m.Submit(t.Context(), "none", nothing); !errors.Is(err, fxtasks.ErrShuttingDown) {
			t.Errorf("a submit without grace gave %v", err)
		}
		time.Sleep(5 * time.Second)
		late := submit(t, m, "late", untilCancelled, long)
		for _, task := range []*fxtasks.Task{running, late} {
			<-task.Done()
			if took := time.Since(began); took != 20*time.Second || !errors.Is(task.Err(), fxtasks.ErrShutdown) {
				t.Errorf("%s ended after %v with %v", task.Name(), took, task.Err())
			}
		}
		if _, err := m.Submit(t.Context(), "late", nothing, long); !errors.Is(err, fxtasks.ErrShuttingDown) {
			t.Errorf("a submit after the grace gave %v", err)
		}
	})
}

// A Shutdown after StartDrain may have less time than the drain: its tasks are still given a tenth of it to return.
func TestAShutdownOfADrainLeavesATenthOfItsOwnBudget(t *testing.T) {
	for _, of := range []string{"group", "manager"} {
		t.Run(of, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				m := newManager(t, fxtasks.Config{ShutdownTimeout: time.Minute, DrainGrace: time.Hour})
				g := newGroup(t, m, "group", fxtasks.GroupConfig{})
				elsewhere := submit(t, m, "elsewhere", untilCancelled)
				task := submit(t, g, "polite", func(ctx context.Context) error {
					<-ctx.Done()
					time.Sleep(100 * time.Millisecond)
					return context.Cause(ctx)
				})
				m.StartDrain(t.Context())
				time.Sleep(time.Second)
				began := time.Now()
				ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
				defer cancel()
				shutdown := g.Shutdown
				if of == "manager" {
					shutdown = m.Shutdown
				}
				report, err := shutdown(ctx)
				if err != nil || report.Remaining != 0 || report.Cancelled != report.Initial {
					t.Errorf("Shutdown gave %+v, %v", report, err)
				}
				if asked := task.Info().CancelRequestedAt.Sub(began); asked != 9*time.Second {
					t.Errorf("of 10 s, the task was left to itself for %v", asked)
				}
				if ended := elsewhere.Status().Finished(); ended != (of == "manager") {
					t.Errorf("the task of no group has ended: %v", ended)
				}
			})
		})
	}
}
