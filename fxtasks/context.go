package fxtasks

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"go.uber.org/zap"
)

// FromContext gives the task that ctx belongs to: ctx is what the task's function was given, or
// derived from it.
func FromContext(ctx context.Context) (*Task, bool) {
	if ctx == nil {
		return nil, false
	}
	t, ok := ctx.Value(taskKey{}).(*Task)
	return t, ok
}

// ReportProgress records how far the task of ctx is, and publishes an EventProgress. UpdatedAt is
// set by it. Outside a task, and after the task has ended, it does nothing. It does not block.
func ReportProgress(ctx context.Context, p Progress) {
	if t, ok := FromContext(ctx); ok {
		t.m.reg.progress(t, p)
	}
}

// Logger gives the manager's logger with the fields task_id, task_name and, in a group, group.
// Outside a task it gives a logger that logs nothing.
func Logger(ctx context.Context) *zap.Logger {
	t, ok := FromContext(ctx)
	if !ok {
		return zap.NewNop()
	}
	return t.m.log.With(taskFields(t)...)
}

type taskKey struct{}

// ending says why a task's context ended. It never changes and serves any number of tasks.
type ending struct {
	// The embedded Context has ended, with the Err and the Cause that the task's shall have: the
	// context package asks a context's Value for a cancelCtx of its own to tell the cause.
	context.Context
	cause  error
	status Status // of a task that returns an error after it
	also   error  // what the task's Err matches besides cause; may be nil
}

var (
	endReturned  = newEnding(nil, Failed, nil) // fn returned before anything was requested
	endCancelled = newEnding(ErrCancelled, Cancelled, nil)
	endReplaced  = newEnding(ErrReplaced, Cancelled, nil)
	endShutdown  = newEnding(ErrShutdown, Cancelled, nil)
	endTimeout   = newEnding(ErrTimeout, TimedOut, nil)
)

// endByCaller is the ending for a cancel that may give a cause of its own.
func endByCaller(cause error) *ending {
	if cause == nil {
		return endCancelled
	}
	return newEnding(cause, Cancelled, ErrCancelled)
}

func newEnding(cause error, status Status, also error) *ending {
	e := &ending{cause: cause, status: status, also: also}
	if status == TimedOut {
		ctx, cancel := context.WithDeadlineCause(context.Background(), time.Unix(0, 0), cause)
		cancel()
		e.Context = ctx
		return e
	}
	ctx, cancel := context.WithCancelCause(context.Background())
	cancel(cause)
	e.Context = ctx
	return e
}

// taskContext is the context of one task. It is a type of its own, not a chain of the context
// package's, for three things that a chain cannot do: Err is DeadlineExceeded after a timeout that
// competes with cancels (first cause wins); the record knows the cause before the function can see
// it; and it costs one allocation instead of three. Contexts derived from it cost no goroutine,
// since it has an AfterFunc method.
//
// It ends in two steps. claim decides which ending it is to be, and is called under the registry's
// mutex. release makes it visible and calls others, so it is called under no mutex.
type taskContext struct {
	// Written before the context is handed out, only read after.
	task     *Task
	values   context.Context // the submitter's, less its cancellation
	deadline time.Time       // zero: none

	ended atomic.Pointer[ending] // nil until released

	mu      sync.Mutex // protects what follows; locked after the registry's, held for moments
	claimed *ending    // nil until decided
	done    chan struct{}
	after   map[*afterFunc]struct{}
}

type afterFunc struct{ f func() }

// newTaskContext takes over the values of ctx.
func newTaskContext(t *Task, ctx context.Context) *taskContext {
	if parent, ok := ctx.(*taskContext); ok {
		// A task that submits its successor would otherwise make a chain of contexts, for ever.
		return &taskContext{task: t, values: parent.values}
	}
	if ctx.Done() != nil {
		ctx = context.WithoutCancel(ctx)
	}
	return &taskContext{task: t, values: ctx}
}

func (c *taskContext) Deadline() (time.Time, bool) { return c.deadline, !c.deadline.IsZero() }

func (c *taskContext) Done() <-chan struct{} {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.done == nil {
		if c.ended.Load() != nil {
			return closedChan
		}
		c.done = make(chan struct{})
	}
	return c.done
}

func (c *taskContext) Err() error {
	if e := c.ended.Load(); e != nil {
		<-c.Done() // release stores first and closes next; nobody shall see one without the other
		return e.Err()
	}
	return nil
}

func (c *taskContext) Value(key any) any {
	if _, ok := key.(taskKey); ok {
		return c.task
	}
	if v := c.values.Value(key); v != nil {
		return v
	}
	if e := c.ended.Load(); e != nil {
		return e.Value(key)
	}
	return nil
}

// String keeps fmt from walking the fields, which would race.
func (c *taskContext) String() string { return "fxtasks.Context(" + c.task.name + ")" }

// AfterFunc calls f after c has ended, unless stop is called first. The context package calls it
// for contexts derived from c.
func (c *taskContext) AfterFunc(f func()) (stop func() bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.ended.Load() != nil {
		go f() // on this goroutine it would deadlock: the context package holds the child's mutex here
		return func() bool { return false }
	}
	a := &afterFunc{f}
	if c.after == nil {
		c.after = make(map[*afterFunc]struct{})
	}
	c.after[a] = struct{}{}
	return func() bool {
		c.mu.Lock()
		defer c.mu.Unlock()
		_, waiting := c.after[a]
		delete(c.after, a)
		return waiting
	}
}

// claim decides that c ends with e, unless that is decided already. It gives the ending that won.
func (c *taskContext) claim(e *ending) *ending {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.claimed == nil {
		c.claimed = e
	}
	return c.claimed
}

// release makes the claimed ending visible. It may be called more than once.
func (c *taskContext) release() {
	c.mu.Lock()
	if c.ended.Load() != nil {
		c.mu.Unlock()
		return
	}
	c.ended.Store(c.claimed)
	after := c.after
	c.after = nil
	if c.done != nil {
		close(c.done)
	}
	c.mu.Unlock()
	for a := range after {
		a.f() // only ends a derived context: the context package runs its users' functions on goroutines of their own
	}
}

var closedChan = func() chan struct{} {
	c := make(chan struct{})
	close(c)
	return c
}()
