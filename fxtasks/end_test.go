package fxtasks_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"runtime"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fxtasks/background/fxtasks"
)

var (
	errWork  = errors.New("work went wrong")
	errOwn   = errors.New("operator had a reason")
	errPanic = errors.New("given to panic")
)

// way is one of the ways in which a function can end.
type way struct {
	what   string
	end    func() error
	status fxtasks.Status // when nothing was requested
	// err matches the Err of a task that was not asked to end; nil: it has none.
	err error
	// decides: the status is that, whatever was requested.
	decides bool
	value   any // of the PanicError; nil: there is none
}

var ways = []way{
	{what: "nil", end: func() error { return nil }, status: fxtasks.Completed, decides: true},
	{what: "error", end: func() error { return errWork }, status: fxtasks.Failed, err: errWork},
	{what: "panic with a value", end: func() error { panic("a value") }, status: fxtasks.Failed, decides: true, value: "a value"},
	{what: "panic with an error", end: func() error { panic(errPanic) }, status: fxtasks.Failed, err: errPanic, decides: true, value: errPanic},
	{what: "panic with nil", end: func() error { panic(nil) }, status: fxtasks.Failed, decides: true, value: new(runtime.PanicNilError)},
	{what: "Goexit", end: func() error { runtime.Goexit(); return nil }, status: fxtasks.Failed, err: fxtasks.ErrGoexit, decides: true},
	{what: "panic, then Goexit in a defer", end: func() error {
		defer runtime.Goexit()
		panic("lost")
	}, status: fxtasks.Failed, err: fxtasks.ErrGoexit, decides: true},
}

// request is one of the reasons for which a task can be asked to end.
type request struct {
	what   string
	ask    func(m *fxtasks.Manager, task *fxtasks.Task) // nil: nothing is requested
	cause  error
	ctxErr error // Err of the task's ctx
	status fxtasks.Status
	also   error // what the task's Err matches besides its cause; nil: nothing
}

// taskTimeout is that of the tasks that requests ask to end; no other request takes that long.
const taskTimeout = time.Second

var requests = []request{
	{"cancel", func(_ *fxtasks.Manager, task *fxtasks.Task) { task.Cancel(nil) },
		fxtasks.ErrCancelled, context.Canceled, fxtasks.Cancelled, nil},
	{"cancel with a cause", func(_ *fxtasks.Manager, task *fxtasks.Task) { task.Cancel(errOwn) },
		errOwn, context.Canceled, fxtasks.Cancelled, fxtasks.ErrCancelled},
	{"timeout", func(*fxtasks.Manager, *fxtasks.Task) { time.Sleep(taskTimeout) },
		fxtasks.ErrTimeout, context.DeadlineExceeded, fxtasks.TimedOut, nil},
	{"replace", func(m *fxtasks.Manager, task *fxtasks.Task) {
		// Refused after a shutdown, which some tests ask for first.
		_, _ = m.Submit(context.Background(), "successor", nothing, fxtasks.WithID(task.ID()), fxtasks.WithDuplicate(fxtasks.Replace))
	}, fxtasks.ErrReplaced, context.Canceled, fxtasks.Cancelled, nil},
	{"shutdown", func(m *fxtasks.Manager, _ *fxtasks.Task) {
		go func() { _, _ = m.Shutdown(context.Background()) }()
	}, fxtasks.ErrShutdown, context.Canceled, fxtasks.Cancelled, nil},
}

// wantErr checks that err matches those of all errors that are in want, and no other one.
func wantErr(t *testing.T, err error, want ...error) {
	t.Helper()
	matches := make(map[error]bool)
	for _, e := range want {
		matches[e] = true
	}
	// The causes also stand for what the context package would say.
	matches[context.Canceled] = matches[fxtasks.ErrCancelled] || matches[fxtasks.ErrReplaced] || matches[fxtasks.ErrShutdown]
	matches[context.DeadlineExceeded] = matches[fxtasks.ErrTimeout]
	for _, e := range []error{errWork, errOwn, errPanic, fxtasks.ErrGoexit, fxtasks.ErrCancelled, fxtasks.ErrTimeout,
		fxtasks.ErrReplaced, fxtasks.ErrShutdown, context.Canceled, context.DeadlineExceeded} {
		if got := errors.Is(err, e); got != matches[e] {
			t.Errorf("Err %q matches %q: %t, want %t", err, e, got, matches[e])
		}
	}
}

// wakeAll starts every kind of waiting for the task and gives how many have been woken.
func wakeAll(m *fxtasks.Manager, result *fxtasks.Result[int]) (woken *atomic.Int32, all int32) {
	woken = new(atomic.Int32)
	ctx := context.Background()
	waits := []func(){
		func() { _ = result.Wait(ctx) },
		func() { <-result.Done() },
		func() { _, _ = result.Value(ctx) },
		func() { _ = m.Wait(ctx) },
	}
	for _, wait := range waits {
		go func() {
			wait()
			woken.Add(1)
		}()
	}
	return woken, int32(len(waits))
}

func TestEveryEndAfterEveryRequest(t *testing.T) {
	for _, w := range ways {
		for _, r := range append([]request{{what: "nothing"}}, requests...) {
			t.Run(fmt.Sprintf("%s after %s", w.what, r.what), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) { testEnd(t, w, r) })
			})
		}
	}
}

func testEnd(t *testing.T, w way, r request) {
	m := newManager(t, fxtasks.Config{MaxRunning: 1})
	opts := []fxtasks.TaskOption{}
	if r.cause == fxtasks.ErrTimeout {
		opts = append(opts, fxtasks.WithTimeout(taskTimeout))
	}
	result, err := fxtasks.SubmitResult(t.Context(), m, "work", func(ctx context.Context) (int, error) {
		if r.ask != nil {
			<-ctx.Done()
		}
		time.Sleep(time.Millisecond) // all that waits is waiting by now
		return 0, w.end()
	}, opts...)
	if err != nil {
		t.Fatal(err)
	}
	next := submit(t, m, "next", nothing)
	woken, all := wakeAll(m, result)
	synctest.Wait()
	var asked time.Time
	if r.ask != nil {
		r.ask(m, result.Task)
		asked = time.Now()
	}
	time.Sleep(time.Second)
	synctest.Wait()

	if got := woken.Load(); got != all {
		t.Errorf("woken are %d of %d that waited", got, all)
	}
	if s := m.Stats(); s.Running != 0 || s.Pending != 0 || !next.Status().Finished() {
		t.Errorf("slot was not freed: %d running, %d pending, the next is %v", s.Running, s.Pending, next.Status())
	}
	info := result.Info()
	if !info.CancelRequestedAt.Equal(asked) || info.CancelCause != r.cause {
		t.Errorf("requested at %v because: %v, want %v, %v", info.CancelRequestedAt, info.CancelCause, asked, r.cause)
	}
	if info.Err != result.Err() || result.Wait(t.Context()) != result.Err() {
		t.Errorf("Err is %v, in Info %v, by Wait %v", result.Err(), info.Err, result.Wait(t.Context()))
	}

	status, errs := w.status, []error{w.err}
	if r.ask != nil && !w.decides {
		status, errs = r.status, []error{w.err, r.cause, r.also}
	}
	if info.Status != status {
		t.Errorf("status is %v, want %v", info.Status, status)
	}
	if (info.Err == nil) != (status == fxtasks.Completed) {
		t.Errorf("Err of a %v task is %v", status, info.Err)
	}
	wantErr(t, info.Err, errs...)
	wantPanic(t, info.Err, w.value)
}

// wantPanic checks that err is a *PanicError if and only if value is what was given to panic.
func wantPanic(t *testing.T, err error, value any) {
	t.Helper()
	var p *fxtasks.PanicError
	if errors.As(err, &p) != (value != nil) {
		t.Fatalf("Err is %T: %v", err, err)
	}
	if p == nil {
		return
	}
	if _, ok := value.(*runtime.PanicNilError); ok {
		if _, ok := p.Value.(*runtime.PanicNilError); !ok {
			t.Errorf("panic(nil) gave the value %T: %v", p.Value, p.Value)
		}
	} else if p.Value != value {
		t.Errorf("value is %v, want %v", p.Value, value)
	}
}

//go:noinline
func panicHere() { panic("here") }

func TestPanicErrorHasTheStackOfThePanic(t *testing.T) {
	m := newManager(t, fxtasks.Config{})
	err := submit(t, m, "work", func(context.Context) error { panicHere(); return nil }).Wait(context.Background())
	var p *fxtasks.PanicError
	if !errors.As(err, &p) || !bytes.Contains(p.Stack, []byte("panicHere")) {
		t.Errorf("Err is %v, want a *PanicError with panicHere in its stack", err)
	}
}

func TestErrIsNilWhileUnfinished(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newManager(t, fxtasks.Config{MaxRunning: 1})
		release := make(chan struct{})
		running, pending := submit(t, m, "work", until(release)), submit(t, m, "work", nothing)
		running.Cancel(nil) // asked is not ended
		for _, task := range []*fxtasks.Task{running, pending} {
			if err := task.Err(); err != nil {
				t.Errorf("Err of a %v task is %v", task.Status(), err)
			}
		}
		close(release)
	})
}
