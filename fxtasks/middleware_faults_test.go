package fxtasks_test

import (
	"context"
	"errors"
	"runtime"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fxtasks/background/fxtasks"
)

func TestValueAtTheEndStays_echo1761(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		abandon := func(next fxtasks.Func) fxtasks.Func {
			return func(ctx context.Context) error {
				done := make(chan error, 1)
				go func() { done <- next(ctx) }()
				select {
				case err := <-done:
					return err
				case <-time.After(time.Second):
					return nil
				}
			}
		}
		m := newManager(t, fxtasks.Config{}, fxtasks.WithMiddleware(abandon))
		r, err := fxtasks.SubmitResult(t.Context(), m, "work", func(context.Context) (int, error) {
			time.Sleep(2 * time.Second)
			return 7, nil
		})
		if err != nil {
			t.Fatal(err)
		}
		before, err := r.Value(t.Context())
		time.Sleep(5 * time.Second)
		after, _ := r.Value(t.Context())
		if err != nil || before != 0 || after != 0 {
			t.Errorf("the value was %d and is %d, %v", before, after, err)
		}
	})
}

func TestValueIsOfTheFirstCallThatSucceeds_echo1761(t *testing.T) {
	for what, twice := range map[string]fxtasks.Middleware{
		"in turn": func(next fxtasks.Func) fxtasks.Func {
			return func(ctx context.Context) error {
				_ = next(ctx)
				_ = next(ctx)
				return next(ctx)
			}
		},
	} {
		t.Run(what, func(t *testing.T) {
			m := newManager(t, fxtasks.Config{}, fxtasks.WithMiddleware(twice))
			n := 0
			r, err := fxtasks.SubmitResult(t.Context(), m, "work", func(context.Context) (int, error) {
				if n++; n == 1 {
					return n, errWork
				}
				return n, nil
			})
			if err != nil {
				t.Fatal(err)
			}
			if v, err := r.Value(t.Context()); v != 2 || err != nil {
				t.Errorf("the value is %d, %v, want that of the second call", v, err)
			}
			if v, ok := r.Result(); v != 2 || !ok {
				t.Errorf("Result gives %v, %v", v, ok)
			}
			known, _ := m.Task(r.ID())
			if same, ok := fxtasks.ResultOf[int](known); !ok {
				t.Error("ResultOf does not know it")
			} else if v, _ := same.Value(t.Context()); v != 2 {
				t.Errorf("ResultOf gives %d", v)
			}
			if _, ok := fxtasks.ResultOf[string](known); ok {
				t.Error("ResultOf gives another type")
			}
		})
	}
}

func TestValueIsKeptWhateverContextAMiddlewarePasses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var passed context.Context
		passes := func(next fxtasks.Func) fxtasks.Func {
			return func(context.Context) error { return next(passed) }
		}
		m := newManager(t, fxtasks.Config{}, fxtasks.WithMiddleware(passes))
		submit(t, newManager(t, fxtasks.Config{}), "other", func(ctx context.Context) error {
			for what, ctx := range map[string]context.Context{"no task's": context.Background(), "another task's": ctx} {
				passed = ctx
				r, err := fxtasks.SubmitResult(ctx, m, "work", func(context.Context) (int, error) { return 7, nil })
				if err != nil {
					t.Error(err)
					return nil
				}
				if v, err := r.Value(t.Context()); v != 7 || err != nil {
					t.Errorf("with %s context the value is %d, %v", what, v, err)
				}
			}
			return nil
		}).Wait(t.Context())
	})
}

func TestValueOfAnAbandonedAttemptIsNotThatOfTheNext_echo1761(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		abandons := func(next fxtasks.Func) fxtasks.Func {
			return func(ctx context.Context) error {
				done := make(chan error, 1)
				go func() { done <- next(ctx) }()
				select {
				case err := <-done:
					return err
				case <-time.After(time.Second):
					return errAttempt
				}
			}
		}
		m := newManager(t, fxtasks.Config{}, fxtasks.WithMiddleware(abandons))
		var calls atomic.Int32
		r, err := fxtasks.SubmitResult(t.Context(), m, "work", func(context.Context) (int32, error) {
			call := calls.Add(1)
			if call == 1 {
				time.Sleep(2500 * time.Millisecond) // it returns while the second attempt runs
			} else {
				time.Sleep(900 * time.Millisecond)
			}
			return call, nil
		}, fxtasks.WithRetry(after(time.Second)))
		if err != nil {
			t.Fatal(err)
		}
		if v, err := r.Value(t.Context()); v != 2 || err != nil {
			t.Errorf("the value is %d, %v", v, err)
		}
	})
}

func TestMiddlewareThatEndsBadlyFailsItsTask(t *testing.T) {
	for what, c := range map[string]struct {
		mw   fxtasks.Middleware
		want func(error) bool
	}{
		"panics as it wraps": {func(fxtasks.Func) fxtasks.Func { panic("wrap") }, isPanic},
		"panics as it runs":  {func(fxtasks.Func) fxtasks.Func { return func(context.Context) error { panic("run") } }, isPanic},
		"gives nil":          {func(fxtasks.Func) fxtasks.Func { return nil }, isPanic},
		"Goexit": {func(fxtasks.Func) fxtasks.Func { runtime.Goexit(); return nil },
			func(err error) bool { return errors.Is(err, fxtasks.ErrGoexit) }},
	} {
		t.Run(what, func(t *testing.T) {
			m := newManager(t, fxtasks.Config{MaxRunning: 1}, fxtasks.WithMiddleware(c.mw))
			for range 3 { // the slot is free again each time
				task := submit(t, m, "work", nothing)
				<-task.Done()
				if s := task.Status(); s != fxtasks.Failed || !c.want(task.Err()) {
					t.Errorf("%v with %v", s, task.Err())
				}
			}
		})
	}
}

func isPanic(err error) bool {
	p := (*fxtasks.PanicError)(nil)
	return errors.As(err, &p)
}
