package fxtasks

import (
	"context"
	"slices"
)

// Wait blocks until no task is pending or running, and gives ctx's error if ctx ends first. A
// task of this manager that calls it with its own context gets ErrInvalid.
func (m *Manager) Wait(ctx context.Context) error {
	if err := m.refuseOwn(ctx, anyTask); err != nil {
		return err
	}
	cs := m.reg.enter()
	idle := cs.r.idleOf(&cs.r.all)
	cs.leave()
	if idle == nil {
		return nil
	}
	return block(ctx, idle)
}

// idleOf gives a channel that is closed when nothing of s is active; nil when nothing is now.
func (r *registry) idleOf(s *scope) chan struct{} {
	if s.active() == 0 {
		return nil
	}
	if s.idle == nil {
		s.idle = make(chan struct{})
		r.awaited = append(r.awaited, s)
	}
	return s.idle
}

// tellIdle wakes those who wait until nothing is active. It comes last in a section, since a task
// that ends may let in another.
func (cs *section) tellIdle() {
	r := cs.r
	r.awaited = slices.DeleteFunc(r.awaited, func(s *scope) bool {
		if s.active() > 0 {
			return false
		}
		cs.close(s.idle)
		s.idle = nil
		return true
	})
	for _, g := range r.groups {
		if g.active() > 0 || len(g.awaitedBy) == 0 {
			continue
		}
		waits := slices.Clone(g.awaitedBy)
		for _, w := range waits {
			if w.submit == nil {
				cs.endWait(w)
			}
		}
	}
}
