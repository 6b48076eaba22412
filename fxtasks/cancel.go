package fxtasks

import (
	"context"
	"errors"
	"fmt"
)

// Cancel asks the task that has the ID to end, with cause, or ErrCancelled when cause is nil, and
// waits until it has returned. The Info is the task's as Cancel returns.
//
// It gives ErrNotFound for an unknown ID, ErrFinished for a task that had ended, ErrStillRunning
// when Config.CancelTimeout passes first, and ctx's error when ctx ends first: the request stands
// then. A task that would cancel itself with its own context gets ErrInvalid and is not
// cancelled; Task.Cancel does not wait and can.
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
