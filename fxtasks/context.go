package fxtasks

import (
	"context"
	"runtime/pprof"
	"sync/atomic"
	"time"

	"go.uber.org/zap"

	"github.com/fxtasks/background/internal/attemptinfo"
)

// FromContext returns the task that ctx belongs to: ctx is what the task's function was given, or
// derived from it.
func FromContext(ctx context.Context) (*Task, bool) {
	c := taskContextOf(ctx)
	if c == nil {
		return nil, false
	}
	return c.task, true
}

// taskContextOf returns the context of the attempt that ctx belongs to, or nil.
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

// Logger returns the manager's logger with the fields task_id and task_name, for a task of a group also group,
// and under WithRetry also attempt.
// Outside a task it returns a logger that logs nothing.
func Logger(ctx context.Context) *zap.Logger {
	c := taskContextOf(ctx)
	if c == nil {
		return zap.NewNop()
	}
	t := c.task
	fields := taskFields(t)
	if t.opts.retry.MaxAttempts > 1 {
		fields = append(fields, zap.Int("attempt", int(c.number)))
	}
	return t.group.m.userLog.With(fields...)
}

type taskKey struct{}

// taskContext is the context of one attempt of a task. It wraps a context of the context package, with two
// differences. The inner context is made when Done or Err is first called or a context is derived from it,
// since most tasks are short and do neither. And it ends in two steps, so that the record has the cause before
// the function can see it: decideEnd chooses the ending, where the first call wins and requests hold the
// registry's mutex; applyEnd then ends the inner context, without the mutex.
//
// A context of our own with a method AfterFunc would need no inner one. But context.WithValue hides that
// method, and each context derived from what it returns would cost a goroutine.
type taskContext struct {
	// Written before the context is handed out, only read after.
	task   *Task
	number int32           // of the attempt, from 1
	values context.Context // the submitter's, less its cancellation
	timer  *taskTimer      // nil: none

	decided atomic.Pointer[ending]      // nil: not decided
	live    atomic.Pointer[liveContext] // nil until it is needed, or c has ended
}

// newTaskContext takes over the values of ctx.
func newTaskContext(t *Task, ctx context.Context) *taskContext {
	if parent, ok := ctx.(*taskContext); ok {
		// A task that submits its successor would otherwise make a chain of contexts, for ever.
		return &taskContext{task: t, number: 1, values: parent.values}
	}
	if ctx != context.Background() { // one whose Done is nil is not enough: it can still have its parent's cause
		ctx = context.WithoutCancel(ctx)
	}
	return &taskContext{task: t, number: 1, values: ctx}
}

// taskTimer ends a task when its timeout has passed.
type taskTimer struct {
	*time.Timer
	deadline time.Time
}

// startTimer starts the timeout of the attempt. The goroutine that is about to call the task's function calls it.
func (c *taskContext) startTimer() {
	t, number := c.task, c.number // not c: a timer that was stopped stays in memory for a while
	c.timer = &taskTimer{
		deadline: time.Now().Add(t.opts.timeout),
		Timer:    time.AfterFunc(t.opts.timeout, func() { t.timeOut(number) }),
	}
}

// timeOut asks t to end if that attempt is still running. The timeout of an attempt must not end the next one, or
// the wait for it.
func (t *Task) timeOut(attempt int32) {
	cs := t.group.m.reg.enter()
	defer cs.leave()
	if t.ctx != nil && t.ctx.number == attempt {
		cs.ask(t, endTimeout)
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

// Value passes the context package's own key to the inner context, so that derived contexts cost no
// goroutine. It adds the goroutine label itself: pprof.Do takes the labels from the context, to restore
// them at its end.
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
	return nil // no other key is known to the inner context, which need not be made for it
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

// mayWait reports whether t can be pending at all: for a slot, until it is due, or for a predecessor.
func (t *Task) mayWait() bool {
	return t.group.maxRunning > 0 || t.group.m.cfg.MaxRunning > 0 || t.attempts != nil || t.opts.idSet
}

// nameLabel is the goroutine label that has the task's name.
const nameLabel = "task_name"

// labelsKey is the key under which package pprof keeps labels in a context. pprof does not export it, so
// it is recorded when pprof looks it up.
var labelsKey = func() any {
	var asked keyRecorder
	pprof.Label(&asked, nameLabel)
	return asked.key
}()

// cancelKey is the key under which package context looks up the nearest ancestor that can end, to attach a
// derived context to it.
var cancelKey = func() any {
	asked := keyRecorder{Context: notEnded}
	_, cancel := context.WithCancel(&asked)
	cancel()
	return asked.key
}()

// notEnded can end, but never does.
var notEnded, _ = context.WithCancel(context.Background())

// keyRecorder is a context that records the key of the last Value call.
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

// ensureLive returns the inner context, and makes it if there is none yet.
func (c *taskContext) ensureLive() *liveContext {
	if l := c.live.Load(); l != nil {
		return l
	}
	// This changes nothing if another goroutine was first, or c has just ended.
	c.live.CompareAndSwap(nil, newLiveContext(c.task.opts.timeout > 0))
	return c.live.Load()
}

// decideEnd makes c end with e, unless that is decided already. It returns the ending that won.
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
