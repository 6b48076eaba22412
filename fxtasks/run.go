package fxtasks

import (
	"context"
	"fmt"
	"runtime"
	"runtime/debug"
	"runtime/pprof"

	"go.uber.org/zap"
)

// Run runs fn on the calling goroutine, as a task that is tracked, counted, shown, cancelled and drained like
// any other, and blocks until fn has returned. It is for work that another scheduler starts and limits, so the
// task takes no slot. Its context has the values of ctx and ends with ctx as well, with ctx's cause.
//
// Meanwhile the goroutine has the labels of ctx and the label task_name. After that it has those of ctx alone.
//
// Run returns what fn returned. A panic or runtime.Goexit of fn is recorded and then goes on. Once the task has
// ended it is in the counters and the history, but has no record.
//
// It returns ErrShuttingDown once the shutdown has begun, ErrDuplicateID for a chosen ID of an active task, and
// ErrInvalid for what Submit refuses and for WithRetry, WithDelay, WithBlocking and WithDuplicate; fn has then
// not been run.
func (m *Manager) Run(ctx context.Context, name string, fn Func, opts ...TaskOption) error {
	return m.run(ctx, m.ungrouped, name, fn, opts)
}

// Run is Manager.Run for a task of the group.
func (g *Group) Run(ctx context.Context, name string, fn Func, opts ...TaskOption) error {
	return g.m.run(ctx, g, name, fn, opts)
}

func (m *Manager) run(ctx context.Context, g *Group, name string, fn Func, opts []TaskOption) error {
	t, err := m.newTask(ctx, g, name, fn, opts)
	if err == nil {
		err = t.opts.checkRun()
	}
	if err != nil {
		m.reject(g, name)
		return err
	}
	t.external = true
	cs := m.reg.enter()
	cs.startedByCaller = t
	if err = cs.submitRun(t); err != nil {
		cs.reject(g, name, err)
	}
	cs.leave()
	if err != nil {
		return fmt.Errorf("%w: task %q", err, name)
	}
	return runHere(t, ctx)
}

// cancelAfter cancels t with ctx's cause. It runs on a goroutine of its own, which ctx, the caller's code,
// may end.
func cancelAfter(ctx context.Context, t *Task) {
	cause := context.Canceled
	defer func() {
		_ = recover()
		t.Cancel(cause)
	}()
	cause = context.Cause(ctx)
}

func (o *taskOptions) checkRun() error {
	switch {
	case o.blocking:
		return invalid("WithBlocking: Run does not wait for room")
	case o.policySet:
		return invalid("WithDuplicate is %v: Run has no duplicates", o.duplicate)
	case o.retry.MaxAttempts > 1:
		return invalid("WithRetry: MaxAttempts is %d: Run makes one attempt", o.retry.MaxAttempts)
	case o.delay > 0:
		return invalid("WithDelay is %v: Run begins now", o.delay)
	}
	return nil
}

// submitRun puts t on record, running.
func (cs *section) submitRun(t *Task) error {
	switch old := cs.r.duplicateOf(t); {
	case !cs.isOpenFor(t):
		return ErrShuttingDown
	case t.rejects(old):
		return fmt.Errorf("%w: %q", ErrDuplicateID, t.ID())
	default:
		cs.add(t, cs.now())
		if old != nil {
			cs.replace(old, t)
		}
		cs.addCutoffs(t)
		cs.start(t)
		return nil
	}
}

// runHere runs t on this goroutine. Like call it is a frame by which stacksOf finds the goroutine: t must stay its
// first argument.
//
//go:noinline
func runHere(t *Task, ctx context.Context) error {
	m := t.group.m
	a := attempt{task: t}
	stop := func() bool { return true }
	defer func() {
		stop()
		if a.stage != pushed && a.stage != inFunction { // runtime.Goexit in an Error method or in the logger
			a.endByGoexit()
		}
	}()
	defer func() {
		if a.stage != inFunction {
			return
		}
		v := recover()
		a.crashed, a.goexit = true, v == nil
		if a.returned = ErrGoexit; !a.goexit {
			a.returned = &PanicError{Value: v, Stack: debug.Stack()}
		}
		a.endHere()
		if !a.goexit {
			panic(v) // from here, so that the stack of the first panic is still below
		}
	}()
	m.write(zap.DebugLevel, "task submitted", taskFields(t)...)
	stop = context.AfterFunc(ctx, func() { cancelAfter(ctx, t) }) // here, since ctx may panic or end the goroutine
	callerLabels := pprof.WithLabels(ctx, pprof.Labels())         // read once: ctx may misbehave later
	defer pprof.SetGoroutineLabels(callerLabels)
	pprof.SetGoroutineLabels(pprof.WithLabels(callerLabels, pprof.Labels(nameLabel, t.name)))
	if t.opts.timeout > 0 {
		t.ctx.startTimer()
	}
	returned := t.wrapped()(t.ctx)
	a.returned = returned
	a.endHere()
	runtime.KeepAlive(t)
	return returned
}

// endHere is endAttempt for an attempt whose goroutine goes back to the caller of Run: the next task gets a
// goroutine of its own.
func (a *attempt) endHere() {
	if next := endAttempt(a.task, a); next != nil {
		go next.group.m.work(next)
	}
}
