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
		t.group.m.reg.progress(t, p)
	}
}

// Logger gives the manager's logger with the fields task_id, task_name and, in a group, group.
// Outside a task it gives a logger that logs nothing.
func Logger(ctx context.Context) *zap.Logger {
	t, ok := FromContext(ctx)
	if !ok {
		return zap.NewNop()
	}
	return t.group.m.log.With(taskFields(t)...)
}

type taskKey struct{}

// ending says why a task's context ended. It never changes and serves any number of tasks.
type ending struct {
	cause  error        // of the context; nil: context.Canceled
	status Status       // of a task that returns an error after it
	also   error        // what the task's Err matches besides cause; may be nil
	ended  *liveContext // what a context that nobody has looked at becomes
}

var (
	endReturned  = newEnding(nil, Failed, nil) // fn returned before anything was requested
	endCancelled = newEnding(ErrCancelled, Cancelled, nil)
	endReplaced  = newEnding(ErrReplaced, Cancelled, nil)
	endShutdown  = newEnding(ErrShutdown, Cancelled, nil)
	endTimeout   = &ending{cause: ErrTimeout, status: TimedOut, ended: &liveContext{Context: timedOut}}
)

func newEnding(cause error, status Status, also error) *ending {
	ended := newLiveContext(false)
	ended.cancel(cause)
	return &ending{cause, status, also, ended}
}

// endByCaller is the ending for a cancel that may give a cause of its own.
func endByCaller(cause error) *ending {
	if cause == nil {
		return endCancelled
	}
	return newEnding(cause, Cancelled, ErrCancelled)
}

// taskContext is the context of one task: a context of the context package's, with two differences.
// Most tasks are short and never look at it, so it is made when somebody first does. And it ends in
// two steps, so that the record knows the cause before the function can see it: claim decides which
// ending it is to be, where the first wins, and who requests one holds the registry's mutex; release
// carries that out, under no mutex.
type taskContext struct {
	// Written before the context is handed out, only read after.
	task   *Task
	values context.Context // the submitter's, less its cancellation
	timer  *taskTimer      // nil: none

	claimed atomic.Pointer[ending]      // nil until decided
	live    atomic.Pointer[liveContext] // nil until somebody looks, or it has ended
}

// newTaskContext takes over the values of ctx.
func newTaskContext(t *Task, ctx context.Context) *taskContext {
	if parent, ok := ctx.(*taskContext); ok {
		// A task that submits its successor would otherwise make a chain of contexts, for ever.
		return &taskContext{task: t, values: parent.values}
	}
	if ctx != context.Background() { // a nil Done would not do: a context can hide its parent's and still tell its cause
		ctx = context.WithoutCancel(ctx)
	}
	return &taskContext{task: t, values: ctx}
}

// taskTimer ends a task when its timeout has passed.
type taskTimer struct {
	*time.Timer
	deadline time.Time
}

// startTimer is called by the goroutine that is about to call the task's function.
func (c *taskContext) startTimer() {
	t := c.task
	c.timer = &taskTimer{
		deadline: time.Now().Add(t.opts.timeout),
		Timer:    time.AfterFunc(t.opts.timeout, func() { t.group.m.request(endTimeout, t) }),
	}
}

func (c *taskContext) Deadline() (time.Time, bool) {
	if c.timer == nil {
		return time.Time{}, false
	}
	return c.timer.deadline, true
}

func (c *taskContext) Done() <-chan struct{} { return c.look().Done() }
func (c *taskContext) Err() error            { return c.look().Err() }

// Value gives the context package what it asks for to attach derived contexts, which therefore
// cost no goroutine.
func (c *taskContext) Value(key any) any {
	if _, ok := key.(taskKey); ok {
		return c.task
	}
	if v := c.values.Value(key); v != nil {
		return v
	}
	return c.look().Value(key)
}

// String keeps fmt from walking the fields, which would race.
func (c *taskContext) String() string { return "fxtasks.Context(" + c.task.name + ")" }

func (c *taskContext) look() *liveContext {
	if l := c.live.Load(); l != nil {
		return l
	}
	c.live.CompareAndSwap(nil, newLiveContext(c.task.opts.timeout > 0)) // or somebody else has, or it has just ended
	return c.live.Load()
}

// claim decides that c ends with e, unless that is decided already. It gives the ending that won.
func (c *taskContext) claim(e *ending) *ending {
	c.claimed.CompareAndSwap(nil, e)
	return c.claimed.Load()
}

// release carries out the claimed ending. It may be called more than once.
func (c *taskContext) release() {
	e := c.claimed.Load()
	if !c.live.CompareAndSwap(nil, e.ended) {
		c.live.Load().end(e)
	}
}

// liveContext is a context that can end with any cause, and with DeadlineExceeded.
type liveContext struct {
	context.Context
	cancel  context.CancelCauseFunc
	timeout *timeoutSource // nil: it cannot end with DeadlineExceeded
}

func newLiveContext(hasTimeout bool) *liveContext {
	l := new(liveContext)
	parent := context.Background()
	if hasTimeout {
		l.timeout = &timeoutSource{Context: parent, done: make(chan struct{})}
		parent = l.timeout
	}
	l.Context, l.cancel = context.WithCancelCause(parent)
	return l
}

// end does nothing when l has ended.
func (l *liveContext) end(e *ending) {
	if l == e.ended {
		return
	}
	if e == endTimeout {
		l.timeout.fire()
	}
	l.cancel(e.cause) // also after fire, to let go of the source
}

// timeoutSource is the parent of a context that ends with DeadlineExceeded when fire is called. The
// context package has such a thing only with a timer in it, which would compete with the record:
// first cause wins, and the two would not always agree on which that was.
type timeoutSource struct {
	context.Context
	done  chan struct{}
	fired atomic.Bool

	mu    sync.Mutex // protects after, also while that is called: who comes second waits until the first is through
	after func()     // ends the one derived context
}

// timedOut has ended with the Err and the Cause that a source tells once fired.
var timedOut = func() context.Context {
	ctx, cancel := context.WithDeadlineCause(context.Background(), time.Unix(0, 0), ErrTimeout)
	cancel()
	return ctx
}()

func (s *timeoutSource) Done() <-chan struct{} { return s.done }

func (s *timeoutSource) Err() error {
	if s.fired.Load() {
		return timedOut.Err()
	}
	return nil
}

func (s *timeoutSource) Value(key any) any {
	if s.fired.Load() {
		return timedOut.Value(key)
	}
	return nil
}

// AfterFunc is what the context package calls instead of starting a goroutine that waits for Done.
func (s *timeoutSource) AfterFunc(f func()) (stop func() bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.after = f
	return func() bool {
		s.mu.Lock()
		defer s.mu.Unlock()
		waiting := s.after != nil
		s.after = nil
		return waiting
	}
}

// fire ends the derived context.
func (s *timeoutSource) fire() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if after := s.after; after != nil {
		s.after = nil
		s.fired.Store(true)
		close(s.done)
		after()
	}
}
