package fxtasks_test

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fxtasks/background/fxtasks"
)

func TestReadersOfEventsLendNoSlot_dask1844(t *testing.T) {
	for what, hold := range map[string]func(ctx context.Context, m *fxtasks.Manager, never *fxtasks.Task){
		"Subscription.All": func(ctx context.Context, m *fxtasks.Manager, _ *fxtasks.Task) {
			for range m.Subscribe(fxtasks.Latest).All(ctx) {
			}
		},
		"Task.Wait": func(ctx context.Context, _ *fxtasks.Manager, never *fxtasks.Task) { _ = never.Wait(ctx) },
	} {
		t.Run(what, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				other := newManager(t, fxtasks.Config{})
				never := submit(t, other, "never", untilCancelled)
				m := newManager(t, fxtasks.Config{MaxRunning: 1})
				var busy, most atomic.Int32
				for range 5 {
					submit(t, m, "work", func(ctx context.Context) error {
						go hold(ctx, m, never)
						if n := busy.Add(1); n > most.Load() {
							most.Store(n)
						}
						time.Sleep(100 * time.Millisecond)
						busy.Add(-1)
						return nil
					})
				}
				if err := m.Wait(t.Context()); err != nil {
					t.Fatal(err)
				}
				if n := most.Load(); n != 1 {
					t.Errorf("%d work at once, want 1", n)
				}
			})
		})
	}
}

func TestTasksThatHoldALockOverAWaitComplete_dask4104(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newManager(t, fxtasks.Config{})
		g := newGroup(t, m, "one", fxtasks.GroupConfig{MaxRunning: 1})
		lock := make(chan struct{}, 1)
		var tasks []*fxtasks.Task
		for range 2 {
			tasks = append(tasks, submit(t, g, "work", func(ctx context.Context) error {
				lock <- struct{}{}
				defer func() { <-lock }()
				child, err := m.Submit(ctx, "child", sleeps(time.Second))
				if err != nil {
					return err
				}
				return child.Wait(ctx)
			}))
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		for _, task := range tasks {
			if err := task.Wait(ctx); err != nil {
				t.Error(err)
			}
		}
	})
}

func TestWaitEndsWithItsContext_dask4104(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newManager(t, fxtasks.Config{MaxRunning: 1})
		task := submit(t, m, "work", func(ctx context.Context) error {
			child, err := m.Submit(ctx, "child", sleeps(3*time.Second))
			if err != nil {
				return err
			}
			ctx, cancel := context.WithTimeout(ctx, 10*time.Millisecond)
			defer cancel()
			began := time.Now()
			if err := child.Wait(ctx); !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("Wait gave %v", err)
			}
			if took := time.Since(began); took != 10*time.Millisecond {
				t.Errorf("Wait took %v", took)
			}
			return nil
		})
		if err := task.Wait(t.Context()); err != nil {
			t.Error(err)
		}
	})
}

func TestWaitingTaskGoesOnWhateverAnotherGroupDoes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newManager(t, fxtasks.Config{MaxRunning: 1})
		a, b := newGroup(t, m, "a", fxtasks.GroupConfig{}), newGroup(t, m, "b", fxtasks.GroupConfig{})
		parent := func(s fxtasks.Submitter) fxtasks.Func {
			return func(ctx context.Context) error {
				child, err := s.Submit(ctx, "child", sleeps(time.Second))
				if err != nil {
					return err
				}
				return child.Wait(ctx)
			}
		}
		first := submit(t, a, "first", parent(a))
		for range 100 {
			submit(t, b, "rival", parent(b))
		}
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		if err := first.Wait(ctx); err != nil {
			t.Errorf("the first gave %v", err)
		}
		if err := m.Wait(t.Context()); err != nil {
			t.Error(err)
		}
	})
}

func TestStatsCountThoseThatWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newManager(t, fxtasks.Config{MaxRunning: 1})
		release := make(chan struct{})
		submit(t, m, "parent", func(ctx context.Context) error {
			child, err := m.Submit(ctx, "child", until(release))
			if err != nil {
				return err
			}
			return child.Wait(ctx)
		})
		synctest.Wait()
		if s := m.Stats(); s.Running != 2 || s.Waiting != 1 {
			t.Errorf("%d running, of them %d waiting, want 2 and 1", s.Running, s.Waiting)
		}
		close(release)
		_ = m.Wait(t.Context())
		if s := m.Stats(); s.Waiting != 0 {
			t.Errorf("%d waiting at the end", s.Waiting)
		}
	})
}

func TestStuckAreThoseAskedTenSecondsAgo(t *testing.T) {
	for what, opts := range map[string][]fxtasks.TaskOption{"cancel": nil, "timeout": {fxtasks.WithTimeout(time.Second)}} {
		t.Run(what, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				m := newManager(t, fxtasks.Config{})
				release := make(chan struct{})
				task := submit(t, m, "work", until(release), opts...)
				time.Sleep(time.Second)
				if opts == nil {
					task.Cancel(nil)
				}
				time.Sleep(10*time.Second - time.Nanosecond)
				if n := m.Stats().Stuck; n != 0 {
					t.Errorf("%d stuck before ten seconds", n)
				}
				time.Sleep(time.Nanosecond)
				if s := m.Stats(); s.Stuck != 1 || s.OldestRunning != 11*time.Second {
					t.Errorf("%d stuck, the oldest for %v", s.Stuck, s.OldestRunning)
				}
				close(release)
				<-task.Done()
				if s := m.Stats(); s.Stuck != 0 || s.OldestRunning != 0 {
					t.Errorf("%d stuck at the end, the oldest for %v", s.Stuck, s.OldestRunning)
				}
			})
		})
	}
}

func TestCycleOfWaitsIsInvalid(t *testing.T) {
	for what, size := range map[string]int{"itself": 1, "two": 2, "three": 3} {
		t.Run(what, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				m := newManager(t, fxtasks.Config{})
				tasks := make([]*fxtasks.Task, size)
				start := make(chan struct{})
				var invalid atomic.Int32
				for i := range tasks {
					tasks[i] = submit(t, m, "work", func(ctx context.Context) error {
						<-start
						err := tasks[(i+1)%size].Wait(ctx)
						if errors.Is(err, fxtasks.ErrInvalid) {
							invalid.Add(1)
							return nil
						}
						return err
					})
				}
				close(start)
				ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
				defer cancel()
				if err := m.Wait(ctx); err != nil {
					t.Error(err)
				}
				if n := invalid.Load(); n != 1 {
					t.Errorf("%d got ErrInvalid, want the one that closes the cycle", n)
				}
				for _, task := range tasks {
					task.Cancel(nil)
				}
			})
		})
	}
}

func TestCycleOverAGroupAndAReplacementIsInvalid(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newManager(t, fxtasks.Config{})
		a, b := newGroup(t, m, "a", fxtasks.GroupConfig{}), newGroup(t, m, "b", fxtasks.GroupConfig{})
		second := make(chan error, 1)
		both := make(chan struct{})
		first := submit(t, a, "first", func(ctx context.Context) error {
			<-both
			return b.Wait(ctx)
		})
		submit(t, b, "second", func(ctx context.Context) error {
			time.Sleep(time.Second)
			second <- a.Wait(ctx)
			return nil
		})
		close(both)
		if err := first.Wait(t.Context()); err != nil {
			t.Error(err)
		}
		if err := <-second; !errors.Is(err, fxtasks.ErrInvalid) {
			t.Errorf("the one that closes the cycle got %v", err)
		}
	})
}

func TestWaitForTheTaskThatReplacesOneselfIsInvalid(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newManager(t, fxtasks.Config{})
		got := make(chan error, 1)
		submit(t, m, "old", func(ctx context.Context) error {
			successor, err := m.Submit(ctx, "new", nothing, fxtasks.WithID("id"), fxtasks.WithDuplicate(fxtasks.Replace))
			if err != nil {
				return err
			}
			got <- successor.Wait(keepsValues{t.Context(), ctx}) // its own context has ended
			return nil
		}, fxtasks.WithID("id"))
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		if err := m.Wait(ctx); err != nil {
			t.Error(err)
		}
		select {
		case err := <-got:
			if !errors.Is(err, fxtasks.ErrInvalid) {
				t.Errorf("Wait gave %v", err)
			}
		default:
			t.Error("Wait hangs")
		}
	})
}

// keepsValues is a context with the values of another.
type keepsValues struct {
	context.Context
	values context.Context
}

func (c keepsValues) Value(key any) any { return c.values.Value(key) }
