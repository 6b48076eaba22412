package fxtasks_test

import (
	"context"
	"errors"
	"runtime"
	"slices"
	"testing"

	"github.com/fxtasks/background/fxtasks"
)

// trail notes what a task goes through. It needs no lock: the task's goroutine writes it, and
// tests read it after the end.
type trail []string

func (tr *trail) middleware(name string) fxtasks.Middleware {
	return func(next fxtasks.Func) fxtasks.Func {
		return func(ctx context.Context) error {
			*tr = append(*tr, "into "+name)
			defer func() { *tr = append(*tr, "out of "+name) }()
			return next(ctx)
		}
	}
}

func TestFirstMiddlewareIsOutermost(t *testing.T) {
	var tr trail
	m := newManager(t, fxtasks.Config{},
		fxtasks.WithMiddleware(tr.middleware("1"), tr.middleware("2")), fxtasks.WithMiddleware(tr.middleware("3")))
	err := submit(t, m, "work", func(context.Context) error {
		tr = append(tr, "work")
		return errWork
	}).Wait(context.Background())
	want := trail{"into 1", "into 2", "into 3", "work", "out of 3", "out of 2", "out of 1"}
	if !slices.Equal(tr, want) || !errors.Is(err, errWork) {
		t.Errorf("went %v with %v, want %v with %v", tr, err, want, errWork)
	}
}

func TestMiddlewareWrapsEveryKindOfSubmit(t *testing.T) {
	for _, what := range []string{"manager", "group", "result", "limited"} {
		t.Run(what, func(t *testing.T) {
			var tr trail
			cfg := fxtasks.Config{}
			if what == "limited" { // where one goroutine runs several tasks
				cfg.MaxRunning = 1
			}
			m := newManager(t, cfg, fxtasks.WithMiddleware(tr.middleware("it")))
			g, err := m.Group("g", fxtasks.GroupConfig{})
			if err != nil {
				t.Fatal(err)
			}
			want := trail{"into it", "out of it"}
			switch what {
			case "manager":
				submit(t, m, "work", nothing)
			case "group":
				submit(t, g, "work", nothing)
			case "result":
				submitReport(t, m, func(context.Context) (report, error) { return report{}, nil })
			case "limited":
				submit(t, m, "work", nothing)
				submit(t, m, "work", nothing)
				want = append(want, want...)
			}
			if err := m.Wait(context.Background()); err != nil {
				t.Fatal(err)
			}
			if !slices.Equal(tr, want) {
				t.Errorf("went %v, want %v", tr, want)
			}
		})
	}
}

func TestMiddlewareSeesTheTaskAndMayChangeItsContext(t *testing.T) {
	var seen *fxtasks.Task
	m := newManager(t, fxtasks.Config{}, fxtasks.WithMiddleware(func(next fxtasks.Func) fxtasks.Func {
		return func(ctx context.Context) error {
			seen, _ = fxtasks.FromContext(ctx)
			return next(context.WithValue(ctx, valueKey{}, "by middleware"))
		}
	}))
	task := submit(t, m, "work", func(ctx context.Context) error {
		if got := ctx.Value(valueKey{}); got != "by middleware" {
			t.Errorf("value is %v", got)
		}
		if self, _ := fxtasks.FromContext(ctx); self != seen {
			t.Errorf("function sees the task %v, middleware %v", self, seen)
		}
		return nil
	})
	if err := task.Wait(context.Background()); err != nil || seen != task {
		t.Errorf("middleware saw %v (%v), want %v", seen, err, task)
	}
}

func TestMiddlewareDecidesHowTheTaskEnds(t *testing.T) {
	passOn := func(next fxtasks.Func) fxtasks.Func { return next }
	for _, c := range []struct {
		what   string
		mw     fxtasks.Middleware
		fn     fxtasks.Func
		status fxtasks.Status
		err    error
		value  any // of the PanicError; nil: there is none
	}{
		{"passes on", passOn, nothing, fxtasks.Completed, nil, nil},
		{"keeps an error to itself", func(next fxtasks.Func) fxtasks.Func {
			return func(ctx context.Context) error { _ = next(ctx); return nil }
		}, func(context.Context) error { return errWork }, fxtasks.Completed, nil, nil},
		{"refuses", func(fxtasks.Func) fxtasks.Func {
			return func(context.Context) error { return errOwn }
		}, nothing, fxtasks.Failed, errOwn, nil},
		{"recovers a panic", func(next fxtasks.Func) fxtasks.Func {
			return func(ctx context.Context) (err error) {
				defer func() { _ = recover(); err = errOwn }()
				return next(ctx)
			}
		}, func(context.Context) error { panic("lost") }, fxtasks.Failed, errOwn, nil},
		{"panics while it runs", func(fxtasks.Func) fxtasks.Func {
			return func(context.Context) error { panic(errPanic) }
		}, nothing, fxtasks.Failed, errPanic, errPanic},
		{"panics while it wraps", func(fxtasks.Func) fxtasks.Func { panic(errPanic) },
			nothing, fxtasks.Failed, errPanic, errPanic},
		{"ends the goroutine", func(fxtasks.Func) fxtasks.Func {
			return func(context.Context) error { runtime.Goexit(); return nil }
		}, nothing, fxtasks.Failed, fxtasks.ErrGoexit, nil},
		{"ends the goroutine while it wraps", func(fxtasks.Func) fxtasks.Func { runtime.Goexit(); return nil },
			nothing, fxtasks.Failed, fxtasks.ErrGoexit, nil},
	} {
		t.Run(c.what, func(t *testing.T) {
			// A limit of one: the task that follows shows that the slot is freed.
			m := newManager(t, fxtasks.Config{MaxRunning: 1}, fxtasks.WithMiddleware(passOn, c.mw))
			task, next := submit(t, m, "work", c.fn), submit(t, m, "next", c.fn)
			for _, task := range []*fxtasks.Task{task, next} {
				err := task.Wait(context.Background())
				if task.Status() != c.status {
					t.Errorf("status is %v, want %v", task.Status(), c.status)
				}
				wantErr(t, err, c.err)
				wantPanic(t, err, c.value)
			}
		})
	}
}

func TestMiddlewareThatGivesNoFunctionFailsTheTask(t *testing.T) {
	m := newManager(t, fxtasks.Config{}, fxtasks.WithMiddleware(func(fxtasks.Func) fxtasks.Func { return nil }))
	task := submit(t, m, "work", nothing)
	err := task.Wait(context.Background())
	if p := (*fxtasks.PanicError)(nil); task.Status() != fxtasks.Failed || !errors.As(err, &p) {
		t.Errorf("task is %v with %v, want failed with a *PanicError", task.Status(), err)
	}
}

func TestMiddlewareMayCallTheManager(t *testing.T) {
	var m *fxtasks.Manager
	m = newManager(t, fxtasks.Config{}, fxtasks.WithMiddleware(func(next fxtasks.Func) fxtasks.Func {
		_, _ = m.Stats(), m.List(fxtasks.Filter{}) // hangs if it is called under a lock
		return next
	}))
	if err := submit(t, m, "work", nothing).Wait(context.Background()); err != nil {
		t.Error(err)
	}
}
