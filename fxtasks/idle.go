package fxtasks

import (
	"context"
	"slices"
)

// Wait blocks until no task is pending or running, and returns ctx's error if ctx ends first. A
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

// idleOf returns a channel that is closed when no task of g is active, or no task at all when g is nil. It
// returns nil when none is active now.
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

// notifyIdle wakes those who wait until no task is active. It comes last in a section, since the end of a
// task can admit a blocked submit.
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
			for n := len(g.awaitedBy); n > 0; n = len(g.awaitedBy) {
				cs.endWait(g.awaitedBy[n-1])
			}
		}
		return true
	})
}
