package fxtasks

import (
	"context"
	"time"
)

// await blocks until done is closed, and gives ctx's error if ctx ends first, or ErrStillRunning
// if limit (nil: none) fires first. Given a task's own context it gives the task's slot back
// meanwhile.
func await(ctx context.Context, done <-chan struct{}, limit <-chan time.Time) error {
	select {
	case <-done:
		return nil
	default:
	}
	defer lend(ctx)()
	return block(ctx, done, limit)
}

// block is await without the slot.
func block(ctx context.Context, done <-chan struct{}, limit <-chan time.Time) error {
	var err error
	select {
	case <-done:
		return nil
	case <-ctx.Done():
		err = ctx.Err()
	case <-limit:
		err = ErrStillRunning
	}
	select {
	case <-done: // both: what was waited for counts
		return nil
	default:
		return err
	}
}

// lend gives back the slot of the task that ctx belongs to. takeBack waits for it again.
func lend(ctx context.Context) (takeBack func()) {
	t, ok := FromContext(ctx)
	if !ok || t.m.reg.all.maxRunning == 0 && t.group.maxRunning == 0 {
		return func() {}
	}
	t.m.beginWait(t)
	return func() { t.m.endWait(t) }
}

// checkWait refuses a ctx that cannot be waited with: none at all, or that of a running task of m
// that is part of what is waited for.
func (m *Manager) checkWait(ctx context.Context, waitsFor func(self *Task) bool) error {
	if ctx == nil {
		return invalid("ctx is nil")
	}
	if self, ok := FromContext(ctx); ok && self.m == m && waitsFor(self) && !self.Status().Finished() {
		return invalid("task %q (%s) would wait for itself", self.name, self.id)
	}
	return nil
}

// awaitIdle blocks until nothing of s is active.
func (r *registry) awaitIdle(ctx context.Context, s *scope) error {
	r.mu.Lock()
	idle := r.idleLocked(s)
	r.mu.Unlock()
	return await(ctx, idle, nil)
}

func (r *registry) idleLocked(s *scope) <-chan struct{} {
	if s.active() == 0 {
		return closedChan
	}
	if s.idle == nil {
		s.idle = make(chan struct{})
	}
	return s.idle
}

func anyTask(*Task) bool { return true }
