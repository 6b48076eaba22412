package fxtasks

import (
	"context"
	"slices"
)

// Wait blocks until no task is pending or running, and gives ctx's error if ctx ends first. A
// task of this manager that calls it with its own context gets ErrInvalid.
func (m *Manager) Wait(ctx context.Context) error {
	if err := m.refuseSelfWait(ctx, anyTask); err != nil {
		return err
	}
	cs := m.reg.enter()
	idle := cs.r.idleOf(nil)
	cs.leave()
	if idle == nil {
		return nil
	}
	return awaitClosed(ctx, idle)
}

// idleOf gives a channel that is closed when nothing of g is active, or nothing at all when g is nil; nil
// when that is so now.
func (r *registry) idleOf(g *Group) chan struct{} {
	s := &r.all
	if g != nil {
		s = &g.limits
	}
	if s.active() == 0 {
		return nil
	}
	if s.idle == nil {
		s.idle = make(chan struct{})
		r.idleAwaited = append(r.idleAwaited, g)
	}
	return s.idle
}

// notifyIdle wakes those who wait until nothing is active. It comes last in a section, since a task
// that ends may let in another.
func (cs *section) notifyIdle() {
	r := cs.r
	r.idleAwaited = slices.DeleteFunc(r.idleAwaited, func(g *Group) bool {
		s := &r.all
		if g != nil {
			s = &g.limits
		}
		if s.active() > 0 {
			return false
		}
		cs.close(s.idle)
		s.idle = nil
		if g != nil {
			for _, w := range slices.Clone(g.awaitedBy) {
				cs.endWait(w)
			}
		}
		return true
	})
}
