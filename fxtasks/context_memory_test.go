package fxtasks_test

import (
	"context"
	"runtime"
	"sync"
	"testing"
	"time"
	"weak"

	"github.com/fxtasks/background/fxtasks"
)

func TestDerivedContextsCostNoGoroutine(t *testing.T) {
	const n = 100
	for _, d := range derivations {
		t.Run(d.what, func(t *testing.T) {
			m := newManager(t, fxtasks.Config{})
			task := submit(t, m, "work", func(ctx context.Context) error {
				before := runtime.NumGoroutine()
				for range n {
					derived, cancel := d.derive(ctx)
					defer cancel()
					defer context.AfterFunc(derived, func() {})()
				}
				// Some other goroutine of the process may come or go meanwhile; n of them do not.
				if more := runtime.NumGoroutine() - before; more > n/2 {
					t.Errorf("%d derived contexts cost %d goroutines", n, more)
				}
				return nil
			})
			if err := task.Wait(context.Background()); err != nil {
				t.Error(err)
			}
		})
	}
}

// collected runs the garbage collector until cond holds, and reports false if it never does.
func collected(cond func() bool) bool {
	for began := time.Now(); time.Since(began) < 10*time.Second; {
		runtime.GC()
		if cond() {
			return true
		}
	}
	return false
}

// payload is what a test watches the garbage collector for.
type payload [1024]byte

// captures gives a function that holds p until it is let go of.
func captures(p *payload, fn fxtasks.Func) fxtasks.Func {
	return func(ctx context.Context) error {
		defer runtime.KeepAlive(p)
		return fn(ctx)
	}
}

func TestFinishedRecordKeepsNeitherFunctionNorSubmittersCtx(t *testing.T) {
	type ended struct {
		task          *fxtasks.Task
		fn, submitter weak.Pointer[payload]
	}
	// watch submits in a frame of its own, so that the test's own stack holds no payload.
	watch := func(m *fxtasks.Manager, fn fxtasks.Func, opts ...fxtasks.TaskOption) ended {
		captured, value := new(payload), new(payload)
		ctx, cancel := context.WithCancel(context.WithValue(context.Background(), valueKey{}, value))
		defer cancel()
		task, err := m.Submit(ctx, "work", captures(captured, fn), opts...)
		if err != nil {
			t.Fatal(err)
		}
		return ended{task, weak.Make(captured), weak.Make(value)}
	}
	check := func(t *testing.T, m *fxtasks.Manager, e ended) {
		t.Helper()
		<-e.task.Done()
		if _, ok := m.Task(e.task.ID()); !ok {
			t.Fatal("the record is not retained")
		}
		if !collected(func() bool { return e.fn.Value() == nil }) {
			t.Error("what the function has captured is still alive")
		}
		if !collected(func() bool { return e.submitter.Value() == nil }) {
			t.Error("a value of the submitter's ctx is still alive")
		}
		runtime.KeepAlive(e.task)
	}

	for _, w := range ways {
		t.Run(w.what, func(t *testing.T) {
			m := newManager(t, fxtasks.Config{})
			check(t, m, watch(m, func(ctx context.Context) error {
				derived, cancel := context.WithTimeout(ctx, time.Hour)
				defer cancel()
				context.AfterFunc(derived, func() {})
				return w.end()
			}, fxtasks.WithTimeout(time.Hour)))
		})
	}
	t.Run("cancelled", func(t *testing.T) {
		m := newManager(t, fxtasks.Config{})
		e := watch(m, untilCancelled)
		e.task.Cancel(nil)
		check(t, m, e)
	})
	t.Run("timed out", func(t *testing.T) {
		m := newManager(t, fxtasks.Config{})
		check(t, m, watch(m, untilCancelled, fxtasks.WithTimeout(time.Nanosecond)))
	})
	for what, end := range map[string]fxtasks.Func{
		"retried": func(context.Context) error { return errWork }, "completed with a retry left": nothing,
	} {
		t.Run(what+", what Retry's functions have captured", func(t *testing.T) {
			m := newManager(t, fxtasks.Config{})
			for _, most := range []int{1, 2} {
				e := func() ended {
					inIf, inDelay := new(payload), new(payload)
					task := submit(t, m, "work", end, fxtasks.WithRetry(fxtasks.Retry{
						MaxAttempts: most,
						If:          func(error) bool { runtime.KeepAlive(inIf); return true },
						Delay:       func(int) time.Duration { runtime.KeepAlive(inDelay); return 0 },
					}))
					return ended{task, weak.Make(inIf), weak.Make(inDelay)}
				}()
				check(t, m, e)
			}
		})
	}
	t.Run("cancelled before it started", func(t *testing.T) {
		m := newManager(t, fxtasks.Config{MaxRunning: 1})
		submit(t, m, "busy", untilCancelled)
		e := watch(m, nothing)
		e.task.Cancel(nil)
		check(t, m, e)
	})
}

func TestFailedSubmitKeepsNothingAlive(t *testing.T) {
	m := newManager(t, fxtasks.Config{MaxRunning: 1, MaxPending: -1})
	submit(t, m, "busy", untilCancelled)
	refused := func(opts ...fxtasks.TaskOption) (fn, submitter weak.Pointer[payload]) {
		captured, value := new(payload), new(payload)
		ctx := context.WithValue(context.Background(), valueKey{}, value)
		ctx, cancel := context.WithTimeout(ctx, time.Millisecond)
		defer cancel()
		if _, err := m.Submit(ctx, "work", captures(captured, nothing), opts...); err == nil {
			t.Fatal("a full manager took a task")
		}
		return weak.Make(captured), weak.Make(value)
	}
	for what, opts := range map[string][]fxtasks.TaskOption{
		"full":                    nil,
		"ctx ends while blocking": {fxtasks.WithBlocking()},
	} {
		t.Run(what, func(t *testing.T) {
			fn, submitter := refused(opts...)
			if !collected(func() bool { return fn.Value() == nil && submitter.Value() == nil }) {
				t.Error("the function or the submitter's ctx is still alive")
			}
		})
	}
}

func TestChainOfTasksThatSubmitTheirSuccessorsIsNotRetained(t *testing.T) {
	const length = 10_000
	// Recent events show tasks, and there are at most this many of them. One more task runs, and one is retained.
	const events = 1024
	m := newManager(t, fxtasks.Config{RetainFinished: 1})

	var mu sync.Mutex // protects tasks
	var tasks []weak.Pointer[fxtasks.Task]
	last, release := make(chan struct{}), make(chan struct{})
	defer close(release)
	var link fxtasks.Func
	link = func(ctx context.Context) error {
		self, _ := fxtasks.FromContext(ctx)
		mu.Lock()
		tasks = append(tasks, weak.Make(self))
		n := len(tasks)
		mu.Unlock()
		if n == length {
			close(last)
			<-release
			return nil
		}
		_, err := m.Submit(ctx, "link", link, fxtasks.WithTimeout(time.Hour)) // nor do timers retain it
		return err
	}
	ctx, cancel := context.WithCancel(context.WithValue(context.Background(), valueKey{}, "kept"))
	defer cancel()
	if _, err := m.Submit(ctx, "link", link); err != nil {
		t.Fatal(err)
	}
	<-last

	alive := 0
	if !collected(func() bool {
		alive = 0
		for _, task := range tasks {
			if task.Value() != nil {
				alive++
			}
		}
		return alive <= events+2
	}) {
		t.Errorf("%d of %d tasks are still alive", alive, length)
	}
}
