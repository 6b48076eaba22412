package fxtasks

import (
	"context"
	"errors"
	"fmt"
	"time"
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
	if err := m.checkWait(ctx, func(self *Task) bool { return self == t }); err != nil {
		return t.Info(), err
	}
	if !m.request(endByCaller(cause), t) {
		return t.Info(), fmt.Errorf("%w: %q", ErrFinished, id)
	}
	limited, cancel := m.withCancelTimeout(ctx)
	defer cancel()
	err := await(limited, t.Done())
	if err != nil && context.Cause(limited) == errCancelTimeout {
		err = fmt.Errorf("%w: %q, %v after it was cancelled", ErrStillRunning, id, m.cfg.CancelTimeout)
	}
	return t.Info(), err
}

// CancelAll asks every task that is pending or running to end, as Cancel does, and waits until all
// have returned, within one Config.CancelTimeout. A task of this manager that calls it with its
// own context gets ErrInvalid, and none is cancelled.
func (m *Manager) CancelAll(ctx context.Context, cause error) error {
	if err := m.checkWait(ctx, anyTask); err != nil {
		return err
	}
	tasks := m.reg.active(nil)
	m.request(endByCaller(cause), tasks...)
	if unfinished(tasks) == 0 {
		return nil
	}
	limited, cancel := m.withCancelTimeout(ctx)
	defer cancel()
	defer lend(ctx)()
	for i, t := range tasks {
		err := block(limited, t.Done())
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

// errCancelTimeout tells the end of the timeout from that of ctx, also when both have ended by the
// time that a task which waited has its slot again.
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

// request asks the tasks to end. It reports whether there was one that had not ended.
func (m *Manager) request(e *ending, tasks ...*Task) (asked bool) {
	var then aftermath
	r, now := m.reg, time.Now()
	r.lock()
	now = r.tickLocked(now)
	for _, t := range tasks {
		asked = r.requestLocked(t, e, now, &then) || asked
	}
	r.settleLocked(now, &then)
	r.mu.Unlock()
	then.do(m)
	return asked
}
