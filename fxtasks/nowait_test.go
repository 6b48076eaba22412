package fxtasks_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fxtasks/background/fxtasks"
)

// TestCallThatNeedNotWaitKeepsTheSlot: a slot is lent while a call waits, and held otherwise until
// the function has returned. A call that has its answer at once must not lend it: the task that
// borrows it may run for hours.
func TestCallThatNeedNotWaitKeepsTheSlot(t *testing.T) {
	for name, call := range map[string]func(ctx context.Context, a *awaited){
		"finished task":      func(ctx context.Context, a *awaited) { a.result.Wait(ctx) },
		"finished result":    func(ctx context.Context, a *awaited) { a.result.Value(ctx) },
		"Cancel of finished": func(ctx context.Context, a *awaited) { a.manager.Cancel(ctx, "awaited", nil) },
		"idle manager":       func(ctx context.Context, a *awaited) { a.manager.Wait(ctx) },
		"idle group":         func(ctx context.Context, a *awaited) { a.group.Wait(ctx) },
		"nothing to cancel":  func(ctx context.Context, a *awaited) { a.manager.CancelAll(ctx, nil) },
		"room in the queue":  func(ctx context.Context, a *awaited) { a.manager.Submit(ctx, "x", nothing, fxtasks.WithBlocking()) },
		"event is there":     func(ctx context.Context, a *awaited) { a.events.Next(ctx) },
		"idle shutdown":      func(ctx context.Context, a *awaited) { a.manager.Shutdown(ctx) },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				a := newAwaited(t)
				a.unblock()
				synctest.Wait()
				m := newManager(t, fxtasks.Config{MaxRunning: 1})
				keepsSlotDuring(t, m, func(ctx context.Context) { call(ctx, a) })
			})
		})
	}
}

// TestCallWithEndedContextKeepsTheSlot: it has its answer at once, too.
func TestCallWithEndedContextKeepsTheSlot(t *testing.T) {
	for how, end := range map[string]func(ctx context.Context) context.Context{
		"derived context cancelled": func(ctx context.Context) context.Context {
			ctx, cancel := context.WithCancel(ctx)
			cancel()
			return ctx
		},
		// A slot is held until the function has really returned, also after a cancel.
		"task cancelled": func(ctx context.Context) context.Context {
			self, _ := fxtasks.FromContext(ctx)
			self.Cancel(nil)
			return ctx
		},
	} {
		t.Run(how, func(t *testing.T) {
			eachWaitingCall(t, func(t *testing.T, call func(context.Context, *awaited) error) {
				a := newAwaited(t)
				m := newManager(t, fxtasks.Config{MaxRunning: 1})
				keepsSlotDuring(t, m, func(ctx context.Context) { call(end(ctx), a) })
			})
		})
	}
}

// keepsSlotDuring fails the test when a pending task starts although the task that makes the call
// has not returned.
func keepsSlotDuring(t *testing.T, m *fxtasks.Manager, call func(ctx context.Context)) {
	t.Helper()
	begin, release := make(chan struct{}), make(chan struct{})
	caller := submit(t, m, "caller", func(ctx context.Context) error {
		<-begin
		call(ctx)
		<-release
		return nil
	})
	queued := submit(t, m, "queued", untilCancelled)
	close(begin)
	tasksAre(t, fxtasks.Running, caller)
	tasksAre(t, fxtasks.Pending, queued)
	close(release)
	tasksAre(t, fxtasks.Running, queued)
}

func TestTaskThatWaitsForItselfGetsErrInvalid(t *testing.T) {
	type env struct {
		m    *fxtasks.Manager
		g    *fxtasks.Group
		self *fxtasks.Result[int]
	}
	for name, wait := range map[string]func(ctx context.Context, e *env) error{
		"Task.Wait": func(ctx context.Context, e *env) error { return e.self.Wait(ctx) },
		"Result.Value": func(ctx context.Context, e *env) error {
			_, err := e.self.Value(ctx)
			return err
		},
		"Task.Wait, derived context": func(ctx context.Context, e *env) error {
			ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Minute)
			defer cancel()
			return e.self.Wait(ctx)
		},
		"Task.Wait, joined": func(ctx context.Context, e *env) error {
			joined, err := e.m.Submit(ctx, "self", nothing, fxtasks.WithID("self"), fxtasks.WithDuplicate(fxtasks.Join))
			if err != nil {
				return err
			}
			return joined.Wait(ctx)
		},
		"Manager.Cancel": func(ctx context.Context, e *env) error {
			_, err := e.m.Cancel(ctx, "self", nil)
			return err
		},
		"Manager.CancelAll": func(ctx context.Context, e *env) error { return e.m.CancelAll(ctx, nil) },
		"Manager.Wait":      func(ctx context.Context, e *env) error { return e.m.Wait(ctx) },
		"Group.Wait":        func(ctx context.Context, e *env) error { return e.g.Wait(ctx) },
		"Manager.Shutdown": func(ctx context.Context, e *env) error {
			_, err := e.m.Shutdown(ctx)
			return err
		},
		"Group.Shutdown": func(ctx context.Context, e *env) error {
			_, err := e.g.Shutdown(ctx)
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				e := &env{m: newManager(t, fxtasks.Config{MaxRunning: 1})}
				e.g = newGroupOf(t, e.m, "g", fxtasks.GroupConfig{})
				begin := make(chan struct{})
				var err error
				e.self, err = fxtasks.SubmitResult(t.Context(), e.g, "self", func(ctx context.Context) (int, error) {
					<-begin
					err := wait(ctx, e)
					if ctx.Err() != nil {
						t.Error("the task was cancelled by a call that was refused")
					}
					return 0, err
				}, fxtasks.WithID("self"))
				if err != nil {
					t.Fatal(err)
				}
				close(begin)
				if err := e.self.Wait(t.Context()); !errors.Is(err, fxtasks.ErrInvalid) {
					t.Errorf("gave %v, want ErrInvalid", err)
				}
				if state := e.m.State(); state != fxtasks.Open {
					t.Errorf("the manager is %v after a call that was refused", state)
				}
			})
		})
	}
}

// TestTaskThatWouldWaitToReplaceItselfGetsErrInvalid: where none may wait, a Replace has room only
// when the task that it replaces has returned, and that is the one that waits.
func TestTaskThatWouldWaitToReplaceItselfGetsErrInvalid(t *testing.T) {
	limitedBy(t, func(t *testing.T, byGroup bool) {
		_, s := limited(t, byGroup, 1, -1)
		gave := make(chan error, 1)
		self := submit(t, s, "self", func(ctx context.Context) error {
			_, err := s.Submit(ctx, "self", nothing, fxtasks.WithID("x"),
				fxtasks.WithDuplicate(fxtasks.Replace), fxtasks.WithBlocking())
			gave <- err
			return ctx.Err()
		}, fxtasks.WithID("x"))
		if !hasReturned(gave) {
			t.Fatal("the task waits for itself")
		}
		if err := <-gave; !errors.Is(err, fxtasks.ErrInvalid) {
			t.Errorf("Submit gave %v, want ErrInvalid", err)
		}
		tasksAre(t, fxtasks.Completed, self) // a call that is refused cancels nothing
	})
}

// TestValueGivesNoneWithTheContextsError: the task may finish while the caller queues for its slot.
func TestValueGivesNoneWithTheContextsError(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newManager(t, fxtasks.Config{MaxRunning: 1})
		parent := submit(t, m, "parent", func(ctx context.Context) error {
			child, err := fxtasks.SubmitResult(ctx, m, "child", func(context.Context) (int, error) {
				time.Sleep(time.Minute)
				return 1, nil
			})
			if err != nil {
				return err
			}
			brief, cancel := context.WithTimeout(ctx, time.Second)
			defer cancel()
			if v, err := child.Value(brief); !errors.Is(err, context.DeadlineExceeded) || v != 0 {
				t.Errorf("Value gave %v and %v, want no value and DeadlineExceeded", v, err)
			}
			if v, err := child.Value(ctx); err != nil || v != 1 {
				t.Errorf("Value gave %v and %v, want 1 and no error", v, err)
			}
			return nil
		})
		if err := parent.Wait(t.Context()); err != nil {
			t.Error(err)
		}
	})
}
