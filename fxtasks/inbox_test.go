package fxtasks_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/fxtasks/background/fxtasks"
)

// limits are those under which Submit need not wait for the mutex, for names that were seen before.
var limits = map[string]int{"no limit": 0, "limit of 1": 1, "limit of 3": 3}

// newUsed makes a manager that has seen the name "task" before.
func newUsed(t *testing.T, maxRunning int, opts ...fxtasks.Option) *fxtasks.Manager {
	t.Helper()
	m := newManager(t, fxtasks.Config{MaxRunning: maxRunning}, opts...)
	if err := submit(t, m, "task", nothing).Wait(context.Background()); err != nil {
		t.Fatal(err)
	}
	return m
}

// TestEveryReaderSeesWhatWasSubmittedBefore asks once for each task, so that each way of asking is the first.
func TestEveryReaderSeesWhatWasSubmittedBefore(t *testing.T) {
	active := []fxtasks.Status{fxtasks.Pending, fxtasks.Running}
	for way, sees := range map[string]func(m *fxtasks.Manager, task *fxtasks.Task, before fxtasks.Page) bool{
		"List": func(m *fxtasks.Manager, task *fxtasks.Task, before fxtasks.Page) bool {
			page := m.List(fxtasks.Filter{Statuses: active})
			return page.Total == before.Total+1 && page.Tasks[0].ID == task.ID() && page.Seq > before.Seq
		},
		"Stats": func(m *fxtasks.Manager, _ *fxtasks.Task, before fxtasks.Page) bool {
			s := m.Stats()
			return s.Pending+s.Running == before.Total+1 && s.ByName["task"].Pending+s.ByName["task"].Running == before.Total+1
		},
		"Task.Info": func(_ *fxtasks.Manager, task *fxtasks.Task, before fxtasks.Page) bool {
			return task.Info().Seq > before.Tasks[0].Seq
		},
		"Subscribe": func(m *fxtasks.Manager, task *fxtasks.Task, before fxtasks.Page) bool {
			e, err := m.Subscribe(before.Seq).Next(context.Background())
			return err == nil && e.Task.ID == task.ID() && e.Kind == fxtasks.EventSubmitted
		},
		"CancelAll": func(m *fxtasks.Manager, task *fxtasks.Task, _ fxtasks.Page) bool {
			err := m.CancelAll(context.Background(), nil)
			return err == nil && errors.Is(task.Err(), fxtasks.ErrCancelled)
		},
		"Wait": func(m *fxtasks.Manager, task *fxtasks.Task, _ fxtasks.Page) bool {
			ended, end := context.WithCancel(context.Background())
			end()
			return errors.Is(m.Wait(ended), context.Canceled)
		},
		"Shutdown": func(m *fxtasks.Manager, _ *fxtasks.Task, before fxtasks.Page) bool {
			report, err := m.Shutdown(context.Background())
			return err == nil && report.Initial == before.Total+1
		},
	} {
		for limit, maxRunning := range limits {
			t.Run(way+" with "+limit, func(t *testing.T) {
				m := newUsed(t, maxRunning)
				for range 4 { // so that a limit is reached
					submit(t, m, "task", untilCancelled)
				}
				before := m.List(fxtasks.Filter{Statuses: active})
				if task := submit(t, m, "task", untilCancelled); !sees(m, task, before) {
					t.Errorf("it does not see %v", task)
				}
			})
		}
	}
}

// TestSubmitWakesReadersOfEvents finds the reader asleep, awake, and falling asleep.
func TestSubmitWakesReadersOfEvents(t *testing.T) {
	for limit, maxRunning := range limits {
		t.Run(limit, func(t *testing.T) {
			m := newUsed(t, maxRunning)
			release := make(chan struct{})
			defer close(release)
			for range maxRunning { // what comes then starts nothing and ends nothing
				submit(t, m, "task", until(release))
			}
			events, seen := m.Subscribe(fxtasks.Latest), make(chan string)
			ctx, cancel := context.WithCancel(t.Context())
			var reader sync.WaitGroup
			defer reader.Wait()
			defer cancel()
			reader.Go(func() {
				for e := range events.All(ctx) {
					if e.Kind == fxtasks.EventSubmitted {
						seen <- e.Task.ID
					}
				}
			})
			for range 2000 {
				task := submit(t, m, "task", until(release))
				if id := <-seen; id != task.ID() { // hangs when the reader is not woken
					t.Fatalf("it read about task %s, want %v", id, task)
				}
			}
		})
	}
}

// TestTimesFollowTheOrderOfEvents: a task can be submitted, at a later time, while it is decided what
// starts or ends now.
func TestTimesFollowTheOrderOfEvents(t *testing.T) {
	const rounds, submitters, each = 300, 3, 60 // at most four events for a task: all of them are kept
	for limit, maxRunning := range limits {
		for what, fn := range map[string]fxtasks.Func{"end by themselves": nothing, "are shut down": untilCancelled} {
			t.Run(fmt.Sprintf("%s, tasks that %s", limit, what), func(t *testing.T) {
				for range rounds {
					m := newUsed(t, maxRunning)
					began := make(chan struct{}, submitters)
					var submitting sync.WaitGroup
					for s := range submitters {
						submitting.Go(func() {
							for i := range each {
								var opts []fxtasks.TaskOption
								if i%4 == 1 {
									opts = append(opts, fxtasks.WithID(fmt.Sprint(s, i)))
								}
								if _, err := m.Submit(context.Background(), "task", fn, opts...); err != nil {
									return
								}
								if i == 0 {
									began <- struct{}{}
								}
							}
						})
					}
					<-began
					if what == "end by themselves" {
						submitting.Wait()
					}
					if _, err := m.Shutdown(context.Background()); err != nil {
						t.Fatal(err)
					}
					submitting.Wait()
					var last fxtasks.Event
					for e := range m.Subscribe(0).All(t.Context()) {
						i := e.Task
						if e.Time.Before(last.Time) || i.FinishedAt.Before(i.CreatedAt) || !i.StartedAt.IsZero() && i.StartedAt.Before(i.CreatedAt) {
							t.Fatalf("event %d, %s, is of %v, the one before, %s, of %v; the task is %+v", e.Seq, e.Kind, e.Time, last.Kind, last.Time, i)
						}
						last = e
					}
				}
			})
		}
	}
}

// TestTasksThatEndTogetherAllEnd: they come back faster than their ends can be recorded.
func TestTasksThatEndTogetherAllEnd(t *testing.T) {
	const rounds, tasks = 50, 200
	for limit, maxRunning := range map[string]int{"no limit": 0, "limit": 8} {
		t.Run(limit, func(t *testing.T) {
			m := newUsed(t, maxRunning)
			for round := range rounds {
				from := m.List(fxtasks.Filter{}).Seq
				var submitting sync.WaitGroup
				for range 4 {
					submitting.Go(func() {
						for i := range tasks / 4 {
							fn := nothing
							if i%10 == 0 {
								fn = func(context.Context) error { runtime.Goexit(); return nil }
							}
							submit(t, m, "task", fn)
						}
					})
				}
				submitting.Wait()
				if err := m.Wait(t.Context()); err != nil {
					t.Fatal(err)
				}
				s := m.Stats()
				n := uint64(tasks*(round+1)) + 1
				if s.Running != 0 || s.Pending != 0 || s.Submitted != n || s.Completed+s.Failed != n || s.Failed != uint64(round+1)*tasks/10 {
					t.Fatalf("after %d tasks Stats are %+v", n, s)
				}
				w := world{statuses: make(map[uint64]fxtasks.Status)}
				events := m.Subscribe(from)
				for range 3 * tasks {
					e, err := events.Next(t.Context())
					if err != nil {
						t.Fatal(err)
					}
					w.after(t, e)
				}
				if w.counts.Completed+w.counts.Failed != tasks {
					t.Fatalf("events tell of %+v", w.counts)
				}
			}
			// No slot is lost.
			release := make(chan struct{})
			var running sync.WaitGroup
			running.Add(8)
			for range 8 {
				submit(t, m, "task", func(context.Context) error { running.Done(); <-release; return nil })
			}
			running.Wait()
			close(release)
		})
	}
}

// TestWaitGoesOnWhileTasksSubmitTheirSuccessors: there is no moment in which none is active.
func TestWaitGoesOnWhileTasksSubmitTheirSuccessors(t *testing.T) {
	const rounds, generations = 50, 50
	for limit, maxRunning := range limits {
		t.Run(limit, func(t *testing.T) {
			m := newUsed(t, maxRunning)
			for range rounds {
				var over atomic.Bool
				var generation func(n int) fxtasks.Func
				generation = func(n int) fxtasks.Func {
					return func(ctx context.Context) error {
						if n == generations {
							over.Store(true)
							return nil
						}
						_, err := m.Submit(ctx, "task", generation(n+1))
						return err
					}
				}
				submit(t, m, "task", generation(1))
				if err := m.Wait(t.Context()); err != nil || !over.Load() {
					t.Fatalf("Wait gave %v; the last task has ended: %v", err, over.Load())
				}
			}
		})
	}
}

// TestTasksAreRecordedThoughNobodyAsks: else the next who does would have to make up for all of
// them, while everybody else waits. What that takes shows in the memory for so many records.
func TestTasksAreRecordedThoughNobodyAsks(t *testing.T) {
	const tasks = 10_000
	m := newUsed(t, 1) // so that nobody else takes memory meanwhile
	release := make(chan struct{})
	defer close(release)
	for range tasks {
		submit(t, m, "task", until(release))
	}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	m.State()
	runtime.ReadMemStats(&after)
	if bytes := after.TotalAlloc - before.TotalAlloc; bytes > 8*tasks {
		t.Errorf("to ask for the state took %d bytes", bytes)
	}
}
