package fxtasks_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/fxtasks/background/fxtasks"
)

// rendezvous lets two goroutines go on at the same moment.
type rendezvous struct{ here atomic.Int32 }

// meet returns when both have called it, and spins for a moment more.
func (r *rendezvous) meet(spins int) {
	for n := int32(2); n <= 8; n += 2 { // more than once: who comes first has to be scheduled again
		r.here.Add(1)
		for i := 1; r.here.Load() < n; i++ {
			if i%200 == 0 {
				runtime.Gosched()
			}
		}
	}
	for range spins {
		r.here.Load()
	}
}

// racing is how long a test lets two goroutines meet again and again. It counts time, not rounds: on
// a busy machine each may have to wait for the other's thread.
const racing = 500 * time.Millisecond

// TestSubmitRacesWithTheLastSlot: nobody else comes to the manager, so that either the submit or the
// end of the task that has the slot must start the next one.
func TestSubmitRacesWithTheLastSlot(t *testing.T) {
	const spins = 500
	m := newUsed(t, 1)
	for round, began := 0, time.Now(); time.Since(began) < racing; round++ {
		var r rendezvous
		submit(t, m, "task", func(context.Context) error { r.meet(round % spins); return nil })
		ran := make(chan struct{})
		r.meet(spins / 2)
		submit(t, m, "task", func(context.Context) error { close(ran); return nil })
		<-ran // hangs when it is lost
	}
}

// TestSubmitRacesWithAShutdown: the one is refused, or its task is part of the other.
func TestSubmitRacesWithAShutdown(t *testing.T) {
	const spins = 100
	for round, began := 0, time.Now(); time.Since(began) < racing; round++ {
		m, err := fxtasks.New(fxtasks.Config{})
		if err != nil {
			t.Fatal(err)
		}
		if err := submit(t, m, "task", nothing).Wait(t.Context()); err != nil {
			t.Fatal(err)
		}
		var r rendezvous
		var task *fxtasks.Task
		var report fxtasks.ShutdownReport
		var both sync.WaitGroup
		both.Go(func() {
			r.meet(round % spins)
			task, _ = m.Submit(context.Background(), "task", untilCancelled)
		})
		both.Go(func() {
			r.meet(round / spins % spins)
			report, _ = m.Shutdown(context.Background())
		})
		both.Wait()
		if (task != nil) != (report.Initial == 1) {
			t.Fatalf("Submit gave %v, Shutdown %+v", task, report)
		}
	}
}

// TestFirstSubmittedFirstStartedWhileOthersEnd is about order under load: all submitters race with
// each other, and with the ends of the tasks.
func TestFirstSubmittedFirstStartedWhileOthersEnd(t *testing.T) {
	const rounds, submitters, each = 20, 4, 100
	for range rounds {
		m := newUsed(t, 1)
		var started []uint64 // by one task at a time
		var last [submitters]int
		var running atomic.Int32
		var submitting sync.WaitGroup
		for s := range submitters {
			submitting.Go(func() {
				for i := range each {
					var opts []fxtasks.TaskOption
					if i%3 == 0 { // these wait for the mutex
						opts = append(opts, fxtasks.WithID(fmt.Sprint(s, i)))
					}
					submit(t, m, "task", func(ctx context.Context) error {
						if running.Add(1) != 1 {
							t.Error("two run at once")
						}
						if last[s] != i {
							t.Errorf("submitter %d: task %d is started, want %d", s, i, last[s])
						}
						last[s]++
						self, _ := fxtasks.FromContext(ctx)
						started = append(started, self.Info().Seq)
						running.Add(-1)
						return nil
					}, opts...)
				}
			})
		}
		submitting.Wait()
		if err := m.Wait(t.Context()); err != nil {
			t.Fatal(err)
		}
		if len(started) != submitters*each || !slices.IsSorted(started) {
			t.Fatalf("tasks were started in the order %v", started)
		}
	}
}

// TestSubmitsThatRaceWithAShutdownArePartOfIt: none of their tasks ends by itself, so each of them
// was active when the shutdown began.
func TestSubmitsThatRaceWithAShutdownArePartOfIt(t *testing.T) {
	const rounds, submitters, most = 100, 3, 50
	for _, ofGroup := range []bool{false, true} {
		for limit, maxRunning := range limits {
			t.Run(fmt.Sprintf("%s, of group %v", limit, ofGroup), func(t *testing.T) {
				won := 0
				for range rounds {
					m := newUsed(t, maxRunning)
					g := newGroup(t, m, "group", fxtasks.GroupConfig{})
					shutdown := m.Shutdown
					if ofGroup {
						shutdown = g.Shutdown
					}
					var accepted [submitters]int
					var submitting sync.WaitGroup
					began := make(chan struct{}, submitters)
					for i := range submitters {
						submitting.Go(func() {
							for range most {
								if _, err := g.Submit(context.Background(), "task", untilCancelled); err != nil {
									if !errors.Is(err, fxtasks.ErrShuttingDown) {
										t.Error(err)
									}
									return
								}
								if accepted[i]++; accepted[i] == 1 {
									began <- struct{}{}
								}
							}
						})
					}
					<-began
					report, err := shutdown(context.Background())
					if err != nil {
						t.Fatal(err)
					}
					s := g.Stats()
					submitting.Wait()
					total := 0
					for _, n := range accepted {
						total += n
					}
					if report.Initial != total || report.Cancelled != total || s.Cancelled != uint64(total) || g.Stats().Submitted != s.Submitted {
						t.Fatalf("%d tasks were accepted; the report says %+v, Stats %+v, and later %+v", total, report, s, g.Stats())
					}
					won += total
				}
				if won < 2*rounds {
					t.Errorf("only %d tasks in %d rounds: nothing raced", won, rounds)
				}
			})
		}
	}
}
