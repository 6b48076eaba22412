package fxtasks

import (
	"context"
	"slices"
)

// await blocks until done is closed, and gives ctx's error if ctx ends first. Given a task's own
// context it gives the task's slot back meanwhile.
func await(ctx context.Context, done <-chan struct{}) error {
	if isClosed(done) {
		return nil
	}
	defer lend(ctx)()
	return block(ctx, done)
}

// block is await without the slot.
func block(ctx context.Context, done <-chan struct{}) error {
	if ctx.Done() == nil { // to submit and wait takes 3 % less time than with select
		<-done
		return nil
	}
	select {
	case <-done:
		return nil
	case <-ctx.Done():
		if isClosed(done) { // both: what was waited for counts
			return nil
		}
		return ctx.Err()
	}
}

func isClosed(c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}

// lend gives back the slot of the task that ctx belongs to, unless ctx has ended: there is no
// waiting then. takeBack waits for it again.
func lend(ctx context.Context) (takeBack func()) {
	t, ok := FromContext(ctx)
	if !ok || ctx.Err() != nil || t.group.m.reg.all.maxRunning == 0 && t.group.maxRunning == 0 {
		return func() {}
	}
	t.group.m.beginWait(t)
	return func() { t.group.m.endWait(t) }
}

// checkWait refuses a ctx that cannot be waited with: none at all, or that of a running task of m
// that is part of what is waited for.
func (m *Manager) checkWait(ctx context.Context, waitsFor func(self *Task) bool) error {
	if ctx == nil {
		return invalid("ctx is nil")
	}
	if self, ok := FromContext(ctx); ok && self.group.m == m && waitsFor(self) && !self.Status().Finished() {
		return invalid("task %q (%s) would wait for itself", self.name, self.ID())
	}
	return nil
}

// awaitIdle blocks until nothing of s is active.
func (r *registry) awaitIdle(ctx context.Context, s *scope) error {
	r.lock()
	idle := r.idleLocked(s)
	r.mu.Unlock()
	return await(ctx, idle)
}

// idleLocked gives a channel that is closed when nothing of s is active.
func (r *registry) idleLocked(s *scope) <-chan struct{} {
	if s.active() == 0 {
		return closedChan
	}
	if s.idle == nil {
		s.idle = make(chan struct{})
		r.awaited = append(r.awaited, s)
	}
	return s.idle
}

// tellIdleLocked wakes those who wait until nothing is active. It comes last in a critical section:
// a task that ends may let in another.
func (r *registry) tellIdleLocked() {
	r.awaited = slices.DeleteFunc(r.awaited, func(s *scope) bool {
		if s.active() > 0 {
			return false
		}
		close(s.idle)
		s.idle = nil
		return true
	})
}

func anyTask(*Task) bool { return true }

var closedChan = func() chan struct{} {
	c := make(chan struct{})
	close(c)
	return c
}()
