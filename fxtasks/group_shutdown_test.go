package fxtasks_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fxtasks/background/fxtasks"
)

func TestGroupShutdownEndsOnlyItsTasks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newManager(t, fxtasks.Config{})
		g := newGroup(t, m, "g", fxtasks.GroupConfig{MaxRunning: 1})
		other := newGroup(t, m, "other", fxtasks.GroupConfig{})
		running := submit(t, g, "running", untilCancelled)
		pending := submit(t, g, "pending", nothing)
		spared := []*fxtasks.Task{submit(t, m, "ungrouped", untilCancelled), submit(t, other, "other", untilCancelled)}
		synctest.Wait()

		report, err := g.Shutdown(t.Context())
		if err != nil || report.Status != "completed" || report.Initial != 2 || report.Returned != 2 || report.Cancelled != 2 || report.Remaining != 0 {
			t.Errorf("Shutdown gave %+v, %v", report, err)
		}
		tasksAre(t, fxtasks.Cancelled, running, pending)
		for _, task := range []*fxtasks.Task{running, pending} {
			if !errors.Is(task.Err(), fxtasks.ErrShutdown) {
				t.Errorf("the Err of %v is %v, want ErrShutdown", task, task.Err())
			}
		}
		if _, err := g.Submit(t.Context(), "late", nothing); !errors.Is(err, fxtasks.ErrShuttingDown) {
			t.Errorf("Submit gave %v, want ErrShuttingDown", err)
		}
		if m.State() != fxtasks.Open {
			t.Errorf("the manager is %v", m.State())
		}
		tasksAre(t, fxtasks.Running, spared...)
		tasksAre(t, fxtasks.Running, submit(t, m, "new", untilCancelled), submit(t, other, "new", untilCancelled))
	})
}

func TestGroupShutdownNamesTheTasksThatHang(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newManager(t, fxtasks.Config{ShutdownTimeout: time.Minute})
		g := newGroup(t, m, "g", fxtasks.GroupConfig{})
		release := make(chan struct{})
		stuck := submit(t, g, "stuck", until(release))
		submit(t, m, "elsewhere", until(release))
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		synctest.Wait()
		began := time.Now()
		report, err := g.Shutdown(ctx)
		var abandoned *fxtasks.ShutdownError
		if !errors.As(err, &abandoned) || abandoned.Report.Remaining != 1 {
			t.Fatalf("Shutdown gave %v, want a ShutdownError about one task", err)
		}
		if report.Status != "timeout" || len(report.Stuck) != 1 || report.Stuck[0].Info.ID != stuck.ID() {
			t.Errorf("the report is %+v, want it to name %v alone", report, stuck)
		}
		if took := time.Since(began); took != time.Second {
			t.Errorf("Shutdown took %v, want what its context left it: 1s", took)
		}
		close(release)
	})
}

func TestSecondGroupShutdownWaitsForTheFirst(t *testing.T) {
	for name, first := range map[string]func(m *fxtasks.Manager, g *fxtasks.Group, ctx context.Context) (fxtasks.ShutdownReport, error){
		"the group's own": func(_ *fxtasks.Manager, g *fxtasks.Group, ctx context.Context) (fxtasks.ShutdownReport, error) {
			return g.Shutdown(ctx)
		},
		"the manager's": func(m *fxtasks.Manager, _ *fxtasks.Group, ctx context.Context) (fxtasks.ShutdownReport, error) {
			return m.Shutdown(ctx)
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				m := newManager(t, fxtasks.Config{})
				g := newGroup(t, m, "g", fxtasks.GroupConfig{})
				submit(t, g, "slow", func(context.Context) error {
					time.Sleep(time.Second)
					return nil
				})
				synctest.Wait()
				began := time.Now()
				done := make(chan error, 1)
				go func() {
					_, err := first(m, g, context.Background())
					done <- err
				}()
				synctest.Wait()

				brief, cancel := context.WithTimeout(t.Context(), time.Millisecond)
				defer cancel()
				for _, ctx := range []context.Context{brief, t.Context()} {
					report, err := g.Shutdown(ctx)
					want := time.Second // as long as the task takes, unless its context ends first
					if ctx == brief {
						want = time.Millisecond
						if err != context.DeadlineExceeded {
							t.Errorf("the second Shutdown gave %+v, %v, want the error of its ctx", report, err)
						}
					} else if err != nil || report.Status != "already_shutdown" {
						t.Errorf("the second Shutdown gave %+v, %v", report, err)
					}
					if took := time.Since(began); took != want {
						t.Errorf("it returned after %v, want %v", took, want)
					}
				}
				if err := <-done; err != nil {
					t.Error(err)
				}
			})
		})
	}
}

// TestManagersShutdownDuringAGroups: each leaves the task its grace, and waits until it has returned.
func TestManagersShutdownDuringAGroups(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const grace = 5 * time.Second
		m := newManager(t, fxtasks.Config{ShutdownTimeout: 2 * grace})
		g := newGroup(t, m, "g", fxtasks.GroupConfig{DrainGrace: grace})
		task := submit(t, g, "work", untilCancelled)
		elsewhere := submit(t, m, "elsewhere", untilCancelled)
		synctest.Wait()
		reports := make(chan fxtasks.ShutdownReport, 2)
		for _, shutdown := range []func(context.Context) (fxtasks.ShutdownReport, error){g.Shutdown, m.Shutdown} {
			go func() {
				report, err := shutdown(context.Background())
				if err != nil {
					t.Error(err)
				}
				if !task.Status().Finished() {
					t.Error("Shutdown returned before the task had")
				}
				reports <- report
			}()
			synctest.Wait()
		}
		for range cap(reports) {
			if r := <-reports; r.Status != "completed" || r.Returned != r.Initial || r.Initial == 0 || r.Duration != grace {
				t.Errorf("a report is %+v", r)
			}
		}
		tasksAre(t, fxtasks.Cancelled, task, elsewhere)
		if m.State() != fxtasks.Stopped {
			t.Errorf("the manager is %v", m.State())
		}
	})
}

func TestNoGroupIsMadeOnceShutdownHasBegun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newManager(t, fxtasks.Config{})
		g := newGroup(t, m, "g", fxtasks.GroupConfig{})
		if _, err := m.Shutdown(t.Context()); err != nil {
			t.Fatal(err)
		}
		if _, err := m.Group("late", fxtasks.GroupConfig{}); !errors.Is(err, fxtasks.ErrShuttingDown) {
			t.Errorf("Group gave %v, want ErrShuttingDown", err)
		}
		if _, err := g.Submit(t.Context(), "late", nothing); !errors.Is(err, fxtasks.ErrShuttingDown) {
			t.Errorf("the group's Submit gave %v, want ErrShuttingDown", err)
		}
		if err := g.Wait(t.Context()); err != nil {
			t.Errorf("the group's Wait gave %v", err)
		}
	})
}
