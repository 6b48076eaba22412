package fxtasks

import (
	"context"
	"runtime/pprof"
	"sync"
	"sync/atomic"
	"time"

	"go.uber.org/zap"

	"github.com/fxtasks/background/internal/attemptinfo"
)

// FromContext gives the task that ctx belongs to: ctx is what the task's function was given, or
// derived from it.
func FromContext(ctx context.Context) (*Task, bool) {
	c := taskContextOf(ctx)
	if c == nil {
		return nil, false
	}
	return c.task, true
}

// taskContextOf gives the context of the attempt that ctx belongs to, or nil.
func taskContextOf(ctx context.Context) *taskContext {
	if ctx == nil {
		return nil
	}
	c, _ := ctx.Value(taskKey{}).(*taskContext)
	return c
}

// ReportProgress records how far the task of ctx is, and publishes an EventProgress. UpdatedAt is
// set by it. Outside a task, and after the task has ended, it does nothing. It does not block.
func ReportProgress(ctx context.Context, p Progress) {
	c := taskContextOf(ctx)
	if c == nil {
		return
	}
	cs := c.task.group.m.reg.enter()
	defer cs.leave()
	t := c.task
	if t.status != Running || t.ctx != c {
		return
	}
	p.UpdatedAt = cs.now()
	t.reported = &p
	cs.r.publish(kindProgress, t, t.since(p.UpdatedAt))
}

// Logger gives the manager's logger with the fields task_id, task_name, in a group group, and under WithRetry attempt.
// Outside a task it gives a logger that logs nothing.
func Logger(ctx context.Context) *zap.Logger {
	t, ok := FromContext(ctx)
	if !ok {
		return zap.NewNop()
	}
	fields := taskFields(t)
	if info := t.Info(); info.MaxAttempts > 1 {
		fields = append(fields, zap.Int("attempt", info.Attempt))
	}
	return t.group.m.userLog.With(fields...)
}

type taskKey struct{}

// ending says why a task's context ended. It never changes and serves any number of tasks.
type ending struct {
	cause  error        // of the context; nil: context.Canceled
	status Status       // of a task that returns an error after it
	also   error        // what the task's Err matches besides cause; may be nil
	text   string       // of cause
	ended  *liveContext // an ended context, installed if Done, Err and Value were never called
}

var (
	endReturned  = newEnding(nil, Failed, nil) // fn returned before anything was requested
	endCancelled = newEnding(ErrCancelled, Cancelled, nil)
	endReplaced  = newEnding(ErrReplaced, Cancelled, nil)
	endShutdown  = newEnding(ErrShutdown, Cancelled, nil)
	endTimeout   = &ending{cause: ErrTimeout, status: TimedOut, text: ErrTimeout.Error(), ended: &liveContext{Context: timedOut}}
)

func newEnding(cause error, status Status, also error) *ending {
	ended := newLiveContext(false)
	ended.cancel(cause)
	e := &ending{cause: cause, status: status, also: also, ended: ended}
	if cause != nil {
		e.text = errorText(cause)
	}
	return e
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
// two steps, so that the record knows the cause before the function can see it: decideEnd says which
// ending it is to be, where the first wins, and who asks for one holds the registry's mutex; applyEnd
// carries that out, under no mutex.
//
// A context of our own with a method AfterFunc would do without the one inside. But context.WithValue hides
// that method, and each context derived from what it returns would cost a goroutine.
type taskContext struct {
	// Written before the context is handed out, only read after.
	task   *Task
	values context.Context // the submitter's, less its cancellation
	timer  *taskTimer      // nil: none

	decided atomic.Pointer[ending]      // nil: not decided
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
		Timer:    time.AfterFunc(t.opts.timeout, func() { t.group.m.ask(endTimeout, t) }),
	}
}

func (c *taskContext) Deadline() (time.Time, bool) {
	if c.timer == nil {
		return time.Time{}, false
	}
	return c.timer.deadline, true
}

func (c *taskContext) Done() <-chan struct{} { return c.ensureLive().Done() }
func (c *taskContext) Err() error            { return c.ensureLive().Err() }

// Value gives the context package what it asks for to attach derived contexts, which therefore
// cost no goroutine. It answers for the labels of the goroutine itself: pprof.Do takes them from the
// context, to restore them at its end.
func (c *taskContext) Value(key any) any {
	switch key.(type) {
	case taskKey, attemptinfo.Key:
		return c
	}
	if key == labelsKey {
		return pprof.WithLabels(c.values, pprof.Labels(nameLabel, c.task.name)).Value(labelsKey)
	}
	if v := c.values.Value(key); v != nil {
		return v
	}
	if key == cancelKey || cancelKey == nil {
		return c.ensureLive().Value(key)
	}
	return nil // to look would make a context for whoever asks for something that is not there
}

// AttemptInfo implements attemptinfo.Teller.
func (c *taskContext) AttemptInfo() attemptinfo.Info {
	t := c.task
	info := attemptinfo.Info{Name: t.name, Group: t.group.name}
	if !t.mayWait() {
		return info
	}
	cs := t.group.m.reg.enter()
	defer cs.leave()
	info.Waited = max(0, t.at(t.startedAt).Sub(t.dueAt()))
	return info
}

// mayWait says whether t can be pending at all: for a slot, until it is due, or for a predecessor.
func (t *Task) mayWait() bool {
	return t.group.maxRunning > 0 || t.group.m.cfg.MaxRunning > 0 || t.attempts != nil || t.opts.idSet
}

// nameLabel is the goroutine label that has the task's name.
const nameLabel = "task_name"

// labelsKey is the key by which package pprof keeps labels in a context, which it does not tell: it
// is what pprof asks a context for.
var labelsKey = func() any {
	var asked keyRecorder
	pprof.Label(&asked, nameLabel)
	return asked.key
}()

// cancelKey is the key by which package context finds the context that can end, to attach a derived one.
var cancelKey = func() any {
	asked := keyRecorder{Context: notEnded}
	_, cancel := context.WithCancel(&asked)
	cancel()
	return asked.key
}()

// notEnded can end, but does not.
var notEnded, _ = context.WithCancel(context.Background())

// keyRecorder is a context that records what it is asked for.
type keyRecorder struct {
	context.Context
	key any
}

func (r *keyRecorder) Value(key any) any {
	r.key = key
	return nil
}

// String keeps fmt from walking the fields, which would race.
func (c *taskContext) String() string { return "fxtasks.Context(" + c.task.name + ")" }

func (c *taskContext) ensureLive() *liveContext {
	if l := c.live.Load(); l != nil {
		return l
	}
	c.live.CompareAndSwap(nil, newLiveContext(c.task.opts.timeout > 0)) // or somebody else has, or it has just ended
	return c.live.Load()
}

// decideEnd makes c end with e, unless that is decided already. It gives the ending that won.
func (c *taskContext) decideEnd(e *ending) *ending {
	c.decided.CompareAndSwap(nil, e)
	return c.decided.Load()
}

// applyEnd carries out what was decided. It may be called more than once.
func (c *taskContext) applyEnd() {
	e := c.decided.Load()
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
