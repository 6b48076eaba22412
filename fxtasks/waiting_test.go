package fxtasks_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fxtasks/background/fxtasks"
)

// family gives a task that submits children and waits for all of them at once.
func family(s fxtasks.Submitter, names []string, child fxtasks.Func) fxtasks.Func {
	return func(ctx context.Context) error {
		var all sync.WaitGroup
		defer all.Wait()
		for _, name := range names {
			task, err := s.Submit(ctx, name, child)
			if err != nil {
				return err
			}
			all.Go(func() { _ = task.Wait(ctx) })
		}
		return nil
	}
}

// took gives how long it takes until nothing is active, and the names of the tasks in the order of their starts.
func took(t *testing.T, m *fxtasks.Manager) (time.Duration, []string) {
	t.Helper()
	began := time.Now()
	ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
	defer cancel()
	if err := m.Wait(ctx); err != nil {
		t.Fatalf("%v: %+v", err, m.List(fxtasks.Filter{Statuses: []fxtasks.Status{fxtasks.Pending, fxtasks.Running}}).Tasks)
	}
	var started []string
	events := m.Subscribe(0)
	for range m.List(fxtasks.Filter{}).Seq {
		e, err := events.Next(ctx)
		if err != nil {
			t.Fatal(err)
		}
		if e.Kind == fxtasks.EventStarted {
			started = append(started, e.Task.Name)
		}
	}
	return time.Since(began), started
}

func TestChildrenOfAWaitingTaskRunInParallelUpToTheLimit(t *testing.T) {
	children := []string{"1", "2", "3", "4"}
	for what, parent := range map[string]func(m *fxtasks.Manager, g *fxtasks.Group) fxtasks.Func{
		"Task.Wait": func(m *fxtasks.Manager, _ *fxtasks.Group) fxtasks.Func {
			return family(m, children, sleeps(time.Second))
		},
		"Group.Wait": func(_ *fxtasks.Manager, g *fxtasks.Group) fxtasks.Func {
			return func(ctx context.Context) error {
				for _, name := range children {
					if _, err := g.Submit(ctx, name, sleeps(time.Second)); err != nil {
						return err
					}
				}
				return g.Wait(ctx)
			}
		},
	} {
		for limit := 1; limit <= 3; limit++ {
			t.Run(fmt.Sprint(what, " at ", limit), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					m := newManager(t, fxtasks.Config{MaxRunning: limit})
					submit(t, m, "parent", parent(m, newGroup(t, m, "g", fxtasks.GroupConfig{})))
					want := time.Duration((len(children)+limit-1)/limit) * time.Second
					if d, _ := took(t, m); d != want {
						t.Errorf("it took %v, want %v", d, want)
					}
				})
			})
		}
	}
}

func TestAwaitedTaskStartsAheadOfItsTurnAndOthersInTheirs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newManager(t, fxtasks.Config{MaxRunning: 1})
		submit(t, m, "parent", func(ctx context.Context) error {
			time.Sleep(time.Second) // the others are in line before the child
			return family(m, []string{"child"}, sleeps(time.Second))(ctx)
		})
		submit(t, m, "first", nothing)
		submit(t, m, "second", nothing)
		// Between the end of the child and that of its parent one runs, so that nothing starts in its turn.
		if d, started := took(t, m); d != 2*time.Second || !slices.Equal(started, []string{"parent", "child", "first", "second"}) {
			t.Errorf("after %v these have started: %v", d, started)
		}
	})
}

func TestWhatAWaitingTaskFreesIsKeptForWhatItWaitsFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newManager(t, fxtasks.Config{MaxRunning: 3})
		one := newGroup(t, m, "one", fxtasks.GroupConfig{MaxRunning: 1})
		submit(t, one, "busy", sleeps(10*time.Second))
		// Its child has to wait for the group, and meanwhile nobody else's child has its place.
		submit(t, m, "parent", func(ctx context.Context) error {
			child, err := one.Submit(ctx, "child", sleeps(time.Second))
			if err != nil {
				return err
			}
			return child.Wait(ctx)
		})
		other := submit(t, m, "other", family(m, []string{"1", "2", "3"}, sleeps(time.Second)))
		if d, _ := took(t, m); d != 11*time.Second {
			t.Errorf("it took %v", d)
		}
		if d := other.Info().FinishedAt.Sub(other.Info().StartedAt); d != 3*time.Second {
			t.Errorf("the other had its children for %v, want one at a time", d)
		}
	})
}

// The first child waits for another group, and then wants the lock; while it waits, the second must not have
// its place and the lock.
func TestLockHeldOverWaitsDoesNotBlockAFanOut_dask4104(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newManager(t, fxtasks.Config{})
		one := newGroup(t, m, "one", fxtasks.GroupConfig{MaxRunning: 1})
		lock := make(chan struct{}, 1)
		waits := func(s fxtasks.Submitter) fxtasks.Func { return family(s, []string{"grandchild"}, sleeps(time.Second)) }
		work := func(ctx context.Context) error {
			_ = waits(m)(ctx)
			select {
			case lock <- struct{}{}:
			case <-ctx.Done():
				return ctx.Err()
			}
			defer func() { <-lock }()
			_ = waits(one)(ctx)
			return waits(one)(ctx)
		}
		submit(t, one, "parent", family(one, []string{"1", "2", "3"}, work))
		if d, _ := took(t, m); d > 9*time.Second {
			t.Errorf("it took %v, want at most as long as one after the other", d)
		}
	})
}

func TestTaskWaitsForAGroupWhileTheManagerShutsDown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newManager(t, fxtasks.Config{ShutdownTimeout: time.Hour, DrainGrace: time.Hour})
		g := newGroup(t, m, "g", fxtasks.GroupConfig{})
		submit(t, g, "work", sleeps(3*time.Second))
		task := submit(t, m, "closes", func(ctx context.Context) error {
			time.Sleep(time.Second)
			_, err := g.Shutdown(ctx) // not until the manager has shut down, which waits for this task
			return err
		})
		began := time.Now()
		if _, err := m.Shutdown(t.Context()); err != nil {
			t.Error(err)
		}
		if d := time.Since(began); d != 3*time.Second || task.Err() != nil {
			t.Errorf("after %v the task gave %v", d, task.Err())
		}
	})
}

func TestBlockedSubmitGoesOnThoughOthersWaitForTheGroup(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newManager(t, fxtasks.Config{MaxRunning: 2})
		g := newGroup(t, m, "g", fxtasks.GroupConfig{MaxPending: -1})
		submit(t, g, "submits", func(ctx context.Context) error {
			time.Sleep(time.Second)
			_, err := g.Submit(ctx, "blocked", nothing, fxtasks.WithBlocking())
			return err
		})
		submit(t, m, "waits", func(ctx context.Context) error { return g.Wait(ctx) })
		if d, _ := took(t, m); d != time.Second {
			t.Errorf("it took %v", d)
		}
	})
}

func TestATaskThatIsCancelledWithWhatItWaitsForSeesTheEndOfThat(t *testing.T) {
	for what, test := range map[string]struct {
		end  func(m *fxtasks.Manager) error
		want error
	}{
		"CancelAll": {func(m *fxtasks.Manager) error { return m.CancelAll(context.Background(), nil) }, fxtasks.ErrCancelled},
		"Shutdown":  {func(m *fxtasks.Manager) error { _, err := m.Shutdown(context.Background()); return err }, fxtasks.ErrShutdown},
	} {
		t.Run(what, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				m := newManager(t, fxtasks.Config{})
				delayed := submit(t, m, "delayed", nothing, fxtasks.WithDelay(time.Hour))
				got := make([]error, 200) // many: what each saw depended on who was faster
				for i := range got {
					submit(t, m, "waits", func(ctx context.Context) error {
						got[i] = delayed.Wait(ctx)
						return got[i]
					})
				}
				synctest.Wait()
				if err := test.end(m); err != nil {
					t.Error(err)
				}
				for _, err := range got {
					if !errors.Is(err, test.want) {
						t.Fatalf("Wait gave %v, want %v", err, test.want)
					}
				}
			})
		})
	}
}
