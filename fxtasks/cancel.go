package fxtasks

import (
	"context"
	"errors"
	"fmt"
)

// Cancel asks the task that has the ID to end, with cause, or ErrCancelled when cause is nil, and
// waits until it has returned. The Info tells of the task at the time when Cancel returns.
//
// It returns ErrNotFound for an unknown ID, ErrFinished for a task that had ended, ErrStillRunning
// when Config.CancelTimeout passes first, and ctx's error when ctx ends first: the task
// stays cancelled then. A task that calls it for itself with its own context gets ErrInvalid and is not
// cancelled, since it would wait for itself; it can use Task.Cancel, which does not wait.
func (m *Manager) Cancel(ctx context.Context, id string, cause error) (Info, error) {
	if ctx == nil {
		return Info{}, invalid("ctx is nil")
	}
	t, ok := m.Task(id)
	if !ok {
		return Info{}, fmt.Errorf("%w: %q", ErrNotFound, id)
	}
	if err := m.refuseSelfWait(ctx, func(self *Task) bool { return self == t }); err != nil {
		return t.Info(), err
	}
	if !m.ask(endByCaller(cause), t) {
		return t.Info(), fmt.Errorf("%w: %q", ErrFinished, id)
	}
	limited, cancel := m.withCancelTimeout(ctx)
	defer cancel()
	err := awaitClosed(limited, t.Done())
	if err != nil && context.Cause(limited) == errCancelTimeout {
		err = fmt.Errorf("%w: %q, %v after it was cancelled", ErrStillRunning, id, m.cfg.CancelTimeout)
	}
	return t.Info(), err
}

// CancelAll asks every task that was submitted before the call and is pending or running to end, as
// Cancel does, and waits until all have returned, within one Config.CancelTimeout. A task of this
// manager that calls it with its own context gets ErrInvalid, and none is cancelled.
func (m *Manager) CancelAll(ctx context.Context, cause error) error {
	return m.cancelAll(ctx, nil, cause)
}

func (m *Manager) cancelAll(ctx context.Context, g *Group, cause error) error {
	if err := m.refuseSelfWait(ctx, func(self *Task) bool { return g == nil || g.has(self) }); err != nil {
		return err
	}
	tasks := m.reg.activeTasks(g)
	e := endByCaller(cause)
	for i := 0; i < len(tasks); i += batch {
		m.ask(e, tasks[i:min(i+batch, len(tasks))]...)
	}
	limited, cancel := m.withCancelTimeout(ctx)
	defer cancel()
	for i, t := range tasks {
		err := awaitClosed(limited, t.Done())
		if err != nil && context.Cause(limited) == errCancelTimeout {
			return fmt.Errorf("%w: %d of %d tasks, %v after they were cancelled",
				ErrStillRunning, unfinished(tasks[i:]), len(tasks), m.cfg.CancelTimeout)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// errCancelTimeout tells the end of the timeout from that of ctx, also when both have ended.
var errCancelTimeout = errors.New("fxtasks: CancelTimeout has passed")

func (m *Manager) withCancelTimeout(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeoutCause(ctx, m.cfg.CancelTimeout, errCancelTimeout)
}

func unfinished(tasks []*Task) (n int) {
	for _, t := range tasks {
		if !t.Status().Finished() {
			n++
		}
	}
	return n
}

// ask asks the tasks to end. It reports whether there was one that had not ended.
func (m *Manager) ask(e *ending, tasks ...*Task) (asked bool) {
	cs := m.reg.enter()
	defer cs.leave()
	for _, t := range tasks {
		asked = cs.ask(t, e) || asked
	}
	return asked
}

// endPending ends a pending task, for the reason e.
func (cs *section) endPending(t *Task, e *ending) {
	switch {
	case t.isDelayed():
		cs.r.delayed.Remove(t.attempts.index)
	case t.isQueued():
		cs.dequeue(t)
	}
	cs.leaveBetweenAttempts(t)
	t.request, t.requestedAt = e, t.since(cs.now())
	t.failure = &failure{err: &endError{cause: e.cause, also: e.also, text: e.text}, text: e.text}
	if e != endShutdown && t.logsDebug {
		cs.writeAfterUnlock(t)
	}
	if e == endShutdown {
		if t.group.neverStarted == nil {
			t.group.neverStarted = make(map[string]int)
		}
		t.group.neverStarted[t.name]++
	}
	cs.end(t, Cancelled)
}

// ask asks t to end, for the reason e. It reports false for a task that has ended.
func (cs *section) ask(t *Task, e *ending) bool {
	switch {
	case t.status.Finished():
		return false
	case t.status == Pending:
		cs.endPending(t, e)
	case t.ctx.decideEnd(e) == e && t.request == nil:
		t.request, t.requestedAt = e, t.since(cs.now())
		cs.r.asked.add(t.askedAt())
		cs.r.publish(kindCancelling, t, t.requestedAt)
		after := cs.afterUnlock()
		after.ending = append(after.ending, t.ctx)
	case t.attempts != nil && t.attempts.lateRequest == nil && e != endTimeout:
		t.attempts.lateRequest = e
	}
	return true // asked now, or before, or just about to end by itself
}
