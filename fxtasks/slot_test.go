package fxtasks_test

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fxtasks/background/fxtasks"
)

// awaited is a manager for tasks of another manager to wait for. Its task ignores its context and
// runs until unblock; no other one can start or wait meanwhile.
type awaited struct {
	manager *fxtasks.Manager
	group   *fxtasks.Group
	result  *fxtasks.Result[string]
	events  *fxtasks.Subscription
	unblock func()
}

func newAwaited(t *testing.T) *awaited {
	t.Helper()
	release := make(chan struct{})
	a := &awaited{unblock: sync.OnceFunc(func() { close(release) })}
	a.manager = newManager(t, fxtasks.Config{MaxRunning: 1, MaxPending: -1})
	t.Cleanup(a.unblock)
	a.group = newGroupOf(t, a.manager, "awaited", fxtasks.GroupConfig{})
	var err error
	a.result, err = fxtasks.SubmitResult(t.Context(), a.group, "awaited",
		func(context.Context) (string, error) { <-release; return "value", nil }, fxtasks.WithID("awaited"))
	if err != nil {
		t.Fatal(err)
	}
	synctest.Wait()
	a.events = a.manager.Subscribe(fxtasks.Latest)
	return a
}

// waitingCalls are all the calls that wait, given what they wait for. Each returns once that is
// unblocked, or ctx ends.
var waitingCalls = map[string]func(ctx context.Context, a *awaited) error{
	"Task.Wait": func(ctx context.Context, a *awaited) error { return a.result.Wait(ctx) },
	"Result.Value": func(ctx context.Context, a *awaited) error {
		_, err := a.result.Value(ctx)
		return err
	},
	"Manager.Cancel": func(ctx context.Context, a *awaited) error {
		_, err := a.manager.Cancel(ctx, "awaited", nil)
		return err
	},
	"Manager.CancelAll": func(ctx context.Context, a *awaited) error { return a.manager.CancelAll(ctx, nil) },
	"Manager.Wait":      func(ctx context.Context, a *awaited) error { return a.manager.Wait(ctx) },
	"Group.Wait":        func(ctx context.Context, a *awaited) error { return a.group.Wait(ctx) },
	"Manager.Submit": func(ctx context.Context, a *awaited) error {
		_, err := a.manager.Submit(ctx, "child", nothing, fxtasks.WithBlocking())
		return err
	},
	"Group.Submit": func(ctx context.Context, a *awaited) error {
		_, err := a.group.Submit(ctx, "child", nothing, fxtasks.WithBlocking())
		return err
	},
	"Subscription.Next": func(ctx context.Context, a *awaited) error {
		_, err := a.events.Next(ctx)
		return err
	},
	"Subscription.All": func(ctx context.Context, a *awaited) error {
		for range a.events.All(ctx) {
			return nil
		}
		return ctx.Err()
	},
	"Manager.Shutdown": func(ctx context.Context, a *awaited) error {
		_, err := a.manager.Shutdown(ctx)
		return err
	},
	"Group.Shutdown": func(ctx context.Context, a *awaited) error {
		_, err := a.group.Shutdown(ctx)
		return err
	},
}

// eachWaitingCall runs the test in a bubble for each waiting call.
func eachWaitingCall(t *testing.T, test func(t *testing.T, call func(context.Context, *awaited) error)) {
	for name, call := range waitingCalls {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { test(t, call) })
		})
	}
}

// submitWaiter submits a task that makes the call and then runs until release. called is what the
// call gave, once it has returned.
func submitWaiter(t *testing.T, s fxtasks.Submitter, release <-chan struct{}, call func(ctx context.Context) error) (waiter *fxtasks.Task, called <-chan error) {
	t.Helper()
	gave := make(chan error, 1)
	waiter = submit(t, s, "waiter", func(ctx context.Context) error {
		gave <- call(ctx)
		<-release
		return nil
	})
	synctest.Wait()
	return waiter, gave
}

func hasReturned(called <-chan error) bool {
	synctest.Wait()
	return len(called) > 0
}

func TestEveryWaitingCallLendsItsSlot(t *testing.T) {
	eachWaitingCall(t, func(t *testing.T, call func(context.Context, *awaited) error) {
		for _, byGroup := range []bool{false, true} {
			a := newAwaited(t)
			m, s := limited(t, byGroup, 1, 0)
			release, releaseLent := make(chan struct{}), make(chan struct{})
			waiter, called := submitWaiter(t, s, release, func(ctx context.Context) error { return call(ctx, a) })

			lent := submit(t, s, "lent", until(releaseLent))
			tasksAre(t, fxtasks.Running, waiter, lent)
			if s := m.Stats(); s.Running != 2 {
				t.Errorf("Stats.Running is %d: a task that waits must count", s.Running)
			}

			queued := submit(t, s, "queued", untilCancelled)
			a.unblock()
			if hasReturned(called) {
				t.Error("the call returned while another task had the slot")
			}
			close(releaseLent)
			if !hasReturned(called) {
				t.Fatal("the call did not return when the slot became free")
			}
			if err := <-called; err != nil {
				t.Errorf("the call gave %v", err)
			}
			tasksAre(t, fxtasks.Pending, queued) // though it was here before the call wanted the slot
			close(release)
			tasksAre(t, fxtasks.Running, queued)
		}
	})
}

func TestTaskWhoseContextHasEndedDoesNotQueueForItsSlot(t *testing.T) {
	cancel := func(waiter *fxtasks.Task, _ *awaited) { waiter.Cancel(nil) }
	for name, end := range map[string]func(waiter *fxtasks.Task, a *awaited){
		"cancelled while it waits":  cancel,
		"cancelled while it queues": func(waiter *fxtasks.Task, a *awaited) { a.unblock(); synctest.Wait(); cancel(waiter, a) },
		"timed out while it waits":  func(*fxtasks.Task, *awaited) { time.Sleep(2 * time.Second) },
		"timed out while it queues": func(_ *fxtasks.Task, a *awaited) { a.unblock(); time.Sleep(2 * time.Second) },
	} {
		t.Run(name, func(t *testing.T) {
			eachWaitingCall(t, func(t *testing.T, call func(context.Context, *awaited) error) {
				a := newAwaited(t)
				m := newManager(t, fxtasks.Config{MaxRunning: 1, TaskTimeout: time.Second})
				release, releaseLent := make(chan struct{}), make(chan struct{})
				waiter, called := submitWaiter(t, m, release, func(ctx context.Context) error { return call(ctx, a) })
				submit(t, m, "lent", until(releaseLent))
				synctest.Wait()
				end(waiter, a)
				if !hasReturned(called) {
					t.Error("the call waits for a slot that its task needs no more")
				}
				close(release)
				close(releaseLent)
			})
		})
	}
}

func TestSlotIsTakenAgainWhenOnlyTheCallsContextHasEnded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newAwaited(t)
		m := newManager(t, fxtasks.Config{MaxRunning: 1})
		release, releaseLent := make(chan struct{}), make(chan struct{})
		_, called := submitWaiter(t, m, release, func(ctx context.Context) error {
			ctx, cancel := context.WithTimeout(ctx, time.Second)
			defer cancel()
			return a.result.Wait(ctx)
		})
		submit(t, m, "lent", until(releaseLent))
		time.Sleep(time.Minute)
		if hasReturned(called) {
			t.Error("the call returned while another task had the slot")
		}
		close(releaseLent)
		if err := <-called; !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Wait gave %v, want DeadlineExceeded", err)
		}
		close(release)
	})
}

func TestSlotIsLentAsLongAsAnyCallOfTheTaskWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newManager(t, fxtasks.Config{MaxRunning: 1})
		waits := []*awaited{newAwaited(t), newAwaited(t), newAwaited(t)}
		release, releaseLent := make(chan struct{}), make(chan struct{})
		var returned atomic.Int32
		_, called := submitWaiter(t, m, release, func(ctx context.Context) error {
			var wg sync.WaitGroup
			for _, a := range waits {
				wg.Go(func() {
					if err := a.result.Wait(ctx); err != nil {
						t.Error(err)
					}
					returned.Add(1)
				})
			}
			wg.Wait()
			return nil
		})
		lent := submit(t, m, "lent", until(releaseLent))
		for _, a := range waits {
			a.unblock()
			tasksAre(t, fxtasks.Running, lent)
		}
		if hasReturned(called) || returned.Load() == int32(len(waits)) {
			t.Error("all calls returned while another task had the slot")
		}
		queued := submit(t, m, "queued", untilCancelled)
		close(releaseLent)
		if !hasReturned(called) {
			t.Error("the last call did not get the slot back")
		}
		tasksAre(t, fxtasks.Pending, queued)
		close(release)
		tasksAre(t, fxtasks.Running, queued)
	})
}
