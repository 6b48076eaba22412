package fxtasks_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fxtasks/background/fxtasks"
)

// A task that is asked to end before it has started never runs, so that its function's way of
// ending does not come into it. Its timeout counts from its start, so that does not either.
func TestEveryRequestBeforeTheStart(t *testing.T) {
	for _, r := range requests {
		if r.cause == fxtasks.ErrTimeout {
			continue
		}
		t.Run(r.what, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { testRequestBeforeStart(t, r) })
		})
	}
}

func testRequestBeforeStart(t *testing.T, r request) {
	m := newManager(t, fxtasks.Config{MaxRunning: 1})
	release := make(chan struct{})
	submit(t, m, "busy", until(release))
	ran := false
	result, err := fxtasks.SubmitResult(t.Context(), m, "work", func(context.Context) (int, error) {
		ran = true
		return 1, nil
	})
	if err != nil {
		t.Fatal(err)
	}
	woken, all := wakeAll(m, result)
	synctest.Wait()
	time.Sleep(time.Second)
	asked := time.Now()
	r.ask(m, result.Task)
	synctest.Wait()

	// The busy task still runs: only who waits for that, too, has to go on waiting.
	if got := woken.Load(); got != all-1 {
		t.Errorf("woken are %d of %d that waited for the task alone", got, all-1)
	}
	info := result.Info()
	if info.Status != fxtasks.Cancelled {
		t.Errorf("status is %v", info.Status)
	}
	wantErr(t, info.Err, r.cause, r.also)
	if info.CancelCause != r.cause || !info.CancelRequestedAt.Equal(asked) || !info.FinishedAt.Equal(asked) || !info.StartedAt.IsZero() {
		t.Errorf("requested at %v because: %v, finished at %v, started at %v, want %v, %v, %v, never",
			info.CancelRequestedAt, info.CancelCause, info.FinishedAt, info.StartedAt, asked, r.cause, asked)
	}

	close(release)
	synctest.Wait()
	if ran {
		t.Error("the function has run")
	}
	if got := woken.Load(); got != all {
		t.Errorf("woken are %d of %d that waited", got, all)
	}
	if s := m.Stats(); s.Running != 0 || s.Pending != 0 {
		t.Errorf("left are %d running, %d pending", s.Running, s.Pending)
	}
}

func TestTimeoutCountsFromTheStartOfRunning(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newManager(t, fxtasks.Config{MaxRunning: 1})
		release := make(chan struct{})
		submit(t, m, "busy", until(release))
		task := submit(t, m, "work", untilCancelled, fxtasks.WithTimeout(time.Second))
		time.Sleep(time.Minute)
		if got := task.Status(); got != fxtasks.Pending {
			t.Fatalf("task is %v while it waits", got)
		}
		started := time.Now()
		close(release)
		_ = task.Wait(t.Context())
		info := task.Info()
		if info.Status != fxtasks.TimedOut || !info.StartedAt.Equal(started) || info.FinishedAt.Sub(started) != time.Second {
			t.Errorf("task is %v, from %v to %v, want timed_out a second after %v", info.Status, info.StartedAt, info.FinishedAt, started)
		}
	})
}

func TestSlotIsHeldUntilTheFunctionHasReturned(t *testing.T) {
	for _, r := range requests {
		t.Run(r.what, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				m := newManager(t, fxtasks.Config{MaxRunning: 1, DrainGrace: 5 * time.Second})
				release := make(chan struct{})
				// No grace for this one; those that wait for its slot could start under theirs.
				task := submit(t, m, "work", until(release), fxtasks.WithTimeout(taskTimeout), fxtasks.WithDrainGrace(0))
				next := submit(t, m, "next", nothing)
				synctest.Wait()
				r.ask(m, task)
				synctest.Wait()
				if info := task.Info(); info.Status != fxtasks.Running || info.CancelCause != r.cause {
					t.Errorf("task that ignores the request is %v, cause %v", info.Status, info.CancelCause)
				}
				if got := next.Status(); got != fxtasks.Pending {
					t.Errorf("the next task is %v", got)
				}
				close(release)
				synctest.Wait()
				if task.Status() != fxtasks.Completed || next.Status() != fxtasks.Completed {
					t.Errorf("in the end the tasks are %v and %v", task.Status(), next.Status())
				}
			})
		})
	}
}
