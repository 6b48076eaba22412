package fxtasks_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fxtasks/background/fxtasks"
)

// limited makes a manager with the limits, or an unlimited one with a group that has them, and
// gives what takes the tasks.
func limited(t *testing.T, byGroup bool, maxRunning, maxPending int) (*fxtasks.Manager, fxtasks.Submitter) {
	t.Helper()
	if !byGroup {
		m := newManager(t, fxtasks.Config{MaxRunning: maxRunning, MaxPending: maxPending})
		return m, m
	}
	m := newManager(t, fxtasks.Config{})
	return m, newGroup(t, m, "limited", fxtasks.GroupConfig{MaxRunning: maxRunning, MaxPending: maxPending})
}

// tasksAre fails the test unless all the tasks have the status, once all that can happen has.
func tasksAre(t testing.TB, want fxtasks.Status, tasks ...*fxtasks.Task) {
	t.Helper()
	synctest.Wait()
	for _, task := range tasks {
		if got := task.Status(); got != want {
			t.Errorf("task %v is %v, want %v", task, got, want)
		}
	}
}

// limitedBy runs the test once for the manager's limits and once for a group's.
func limitedBy(t *testing.T, test func(t *testing.T, byGroup bool)) {
	for _, byGroup := range []bool{false, true} {
		t.Run(fmt.Sprintf("group=%v", byGroup), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { test(t, byGroup) })
		})
	}
}

func TestMaxRunningBoundsWhatRunsAtOnce(t *testing.T) {
	const tasks = 12
	for _, c := range []struct{ manager, group, want int }{
		{0, 0, tasks}, // 0: no limit
		{1, 0, 1},
		{3, 0, 3},
		{0, 1, 1},
		{0, 4, 4},
		{2, 5, 2}, // a group's limit comes on top: the manager's stays in force
		{5, 2, 2},
		{100, 100, tasks},
	} {
		t.Run(fmt.Sprintf("manager=%d,group=%d", c.manager, c.group), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				m := newManager(t, fxtasks.Config{MaxRunning: c.manager})
				g := newGroup(t, m, "g", fxtasks.GroupConfig{MaxRunning: c.group})
				began := time.Now()
				for range tasks {
					submit(t, g, "sleep", func(context.Context) error {
						time.Sleep(time.Second)
						return nil
					})
				}
				synctest.Wait()
				if s := m.Stats(); s.Running != c.want || s.Pending != tasks-c.want {
					t.Errorf("%d running and %d pending, want %d and %d", s.Running, s.Pending, c.want, tasks-c.want)
				}
				if err := m.Wait(t.Context()); err != nil {
					t.Fatal(err)
				}
				// Free slots are used at once: it takes as many rounds as the limit asks for.
				rounds := (tasks + c.want - 1) / c.want
				if took, want := time.Since(began), time.Duration(rounds)*time.Second; took != want {
					t.Errorf("%d tasks took %v, want %v", tasks, took, want)
				}
			})
		})
	}
}

func TestMaxPendingBoundsWhatWaits(t *testing.T) {
	const running, more = 2, 40
	for _, c := range []struct{ maxPending, want int }{
		{0, more}, // no limit
		{1, 1},
		{5, 5},
		{-1, 0}, // none may wait
		{-7, 0},
	} {
		t.Run(fmt.Sprintf("MaxPending=%d", c.maxPending), func(t *testing.T) {
			limitedBy(t, func(t *testing.T, byGroup bool) {
				m, s := limited(t, byGroup, running, c.maxPending)
				release := make(chan struct{})
				for range running {
					submit(t, s, "first", until(release)) // a free slot is taken whatever MaxPending
				}
				accepted := 0
				for range more {
					_, err := s.Submit(t.Context(), "more", nothing)
					switch {
					case err == nil:
						accepted++
					case !errors.Is(err, fxtasks.ErrQueueFull):
						t.Fatalf("Submit: %v, want ErrQueueFull", err)
					}
				}
				stats := m.Stats()
				if accepted != c.want || stats.Pending != c.want || stats.Running != running {
					t.Errorf("%d accepted, %d pending, %d running, want %d, %d, %d",
						accepted, stats.Pending, stats.Running, c.want, c.want, running)
				}
				if refused := uint64(more - c.want); stats.Rejected != refused {
					t.Errorf("Rejected is %d, want %d", stats.Rejected, refused)
				}
				// What was refused leaves no trace but that counter.
				if want := running + c.want; m.List(fxtasks.Filter{}).Total != want || stats.Submitted != uint64(want) {
					t.Errorf("List shows %d and Submitted is %d, want %d", m.List(fxtasks.Filter{}).Total, stats.Submitted, want)
				}
				close(release)
			})
		})
	}
}

func TestWithoutMaxRunningNothingIsEverFull(t *testing.T) {
	limitedBy(t, func(t *testing.T, byGroup bool) {
		_, s := limited(t, byGroup, 0, -1)
		for range 100 {
			tasksAre(t, fxtasks.Running, submit(t, s, "run", untilCancelled))
		}
	})
}

func TestRoomReturnsWhenAPendingTaskIsCancelledOrStarted(t *testing.T) {
	limitedBy(t, func(t *testing.T, byGroup bool) {
		_, s := limited(t, byGroup, 1, 1)
		submit(t, s, "runs", untilCancelled)
		waits := submit(t, s, "waits", untilCancelled)
		waits.Cancel(nil)
		next := submit(t, s, "next", untilCancelled)
		tasksAre(t, fxtasks.Cancelled, waits)
		if _, err := s.Submit(t.Context(), "over", nothing); !errors.Is(err, fxtasks.ErrQueueFull) {
			t.Fatalf("Submit over the limit: %v, want ErrQueueFull", err)
		}
		tasksAre(t, fxtasks.Pending, next)
	})
}

func TestManagersMaxPendingCountsAllGroups(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newManager(t, fxtasks.Config{MaxRunning: 1, MaxPending: 2})
		a := newGroup(t, m, "a", fxtasks.GroupConfig{MaxPending: 10})
		b := newGroup(t, m, "b", fxtasks.GroupConfig{MaxPending: 10})
		submit(t, m, "runs", untilCancelled)
		submit(t, a, "waits", untilCancelled)
		submit(t, b, "waits", untilCancelled)
		for _, s := range []fxtasks.Submitter{a, b, m} {
			if _, err := s.Submit(t.Context(), "over", nothing); !errors.Is(err, fxtasks.ErrQueueFull) {
				t.Errorf("Submit: %v, want ErrQueueFull", err)
			}
		}
	})
}

func TestFirstSubmittedFirstStartedWithinAGroup(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newManager(t, fxtasks.Config{MaxRunning: 2})
		into := map[string]fxtasks.Submitter{
			"none": m,
			"one":  newGroup(t, m, "one", fxtasks.GroupConfig{MaxRunning: 1}),
			"two":  newGroup(t, m, "two", fxtasks.GroupConfig{}),
		}
		submitted := make(map[string][]uint64)
		for i := range 60 {
			name := []string{"none", "one", "two"}[i*i%7%3] // in no regular order
			task := submit(t, into[name], name, func(context.Context) error {
				time.Sleep(time.Duration(i%4) * time.Second)
				return nil
			})
			submitted[name] = append(submitted[name], task.Info().Seq)
		}
		events := m.Subscribe(0)
		if err := m.Wait(t.Context()); err != nil {
			t.Fatal(err)
		}
		started := make(map[string][]uint64)
		for range m.List(fxtasks.Filter{}).Seq {
			e, err := events.Next(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if e.Kind == fxtasks.EventStarted {
				started[e.Task.Name] = append(started[e.Task.Name], e.Task.Seq)
			}
		}
		for name, want := range submitted {
			if len(want) < 2 || !slices.Equal(started[name], want) {
				t.Errorf("group %q started %v, want %v", name, started[name], want)
			}
		}
	})
}

func TestGroupAtItsLimitHoldsUpNoOther(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newManager(t, fxtasks.Config{MaxRunning: 3, MaxPending: 4})
		slow := newGroup(t, m, "slow", fxtasks.GroupConfig{MaxRunning: 1})
		other := newGroup(t, m, "other", fxtasks.GroupConfig{MaxRunning: 1})
		submit(t, slow, "runs", untilCancelled)
		for range 4 { // they take all the room that the manager has for those that wait
			submit(t, slow, "waits", untilCancelled)
		}
		// Both were submitted last, and neither has to wait.
		tasksAre(t, fxtasks.Running, submit(t, other, "other", untilCancelled), submit(t, m, "none", untilCancelled))
		if s := slow.Stats(); s.Running != 1 || s.Pending != 4 {
			t.Errorf("slow has %d running and %d pending, want 1 and 4", s.Running, s.Pending)
		}
	})
}

func TestSlotIsHeldUntilFnHasReturned(t *testing.T) {
	asks := map[string]func(m *fxtasks.Manager, task *fxtasks.Task){
		"nothing":        func(*fxtasks.Manager, *fxtasks.Task) {},
		"Task.Cancel":    func(_ *fxtasks.Manager, task *fxtasks.Task) { task.Cancel(nil) },
		"Manager.Cancel": func(m *fxtasks.Manager, task *fxtasks.Task) { m.Cancel(context.Background(), task.ID(), nil) },
		"timeout":        func(*fxtasks.Manager, *fxtasks.Task) { time.Sleep(2 * time.Minute) },
	}
	ends := map[string]func(){
		"returns": func() {},
		"panics":  func() { panic("on purpose") },
		"Goexit":  runtime.Goexit,
	}
	for asked, ask := range asks {
		for ended, end := range ends {
			t.Run(asked+"/"+ended, func(t *testing.T) {
				limitedBy(t, func(t *testing.T, byGroup bool) {
					m, s := limited(t, byGroup, 1, 0)
					release := make(chan struct{})
					var opts []fxtasks.TaskOption
					if asked == "timeout" {
						opts = append(opts, fxtasks.WithTimeout(time.Minute))
					}
					stubborn := submit(t, s, "stubborn", func(context.Context) error {
						<-release
						end()
						return nil
					}, opts...)
					next := submit(t, s, "next", untilCancelled)
					ask(m, stubborn)
					tasksAre(t, fxtasks.Running, stubborn)
					tasksAre(t, fxtasks.Pending, next)
					close(release)
					tasksAre(t, fxtasks.Running, next)
				})
			})
		}
	}
}
