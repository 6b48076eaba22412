package fxtasks

import (
	"container/list"
	"context"
	"fmt"
	"time"
)

// submission is a submit that waits for room, in the line of its group.
type submission struct {
	// Never change.
	task    *Task
	ticket  uint64 // the lowest is next
	place   *list.Element
	settled chan struct{} // closed when won and err are final

	// Protected by the registry's mutex until settled is closed.
	won *Task
	err error
}

// queueLocked lines up the submit of t by the task self, or by none. It refuses a submit that
// would wait until self has returned.
func (r *registry) queueLocked(t, self *Task) (*submission, error) {
	noneMayWait := r.all.maxPending < 0 || t.group.maxPending < 0
	if noneMayWait && self != nil && waitsFor(r.rivalLocked(t)) == self {
		return nil, invalid("task %q (%s) would wait for itself", self.name, self.ID())
	}
	r.tickets++
	r.blocked++
	s := &submission{task: t, ticket: r.tickets, settled: make(chan struct{})}
	s.place = t.group.blocked.PushBack(s)
	return s, nil
}

// nextSubmissionLocked gives the submit of g that has waited longest, of those that there is room
// for; nil when there is none. That can be one further back: one that is to replace a running task
// needs room to wait where another can start at once.
func (r *registry) nextSubmissionLocked(g *Group) *submission {
	if !r.acceptsLocked(g, nil) {
		return nil
	}
	for e := g.blocked.Front(); e != nil; e = e.Next() {
		s := e.Value.(*submission)
		old := r.rivalLocked(s.task)
		if s.task.joins(old) || s.task.rejects(old) || r.acceptsLocked(g, old) {
			return s
		}
	}
	return nil
}

// settleSubmissionLocked takes s out of the line and tells it what came of it.
func (r *registry) settleSubmissionLocked(s *submission, won *Task, err error, now time.Time) {
	s.task.group.blocked.Remove(s.place)
	r.blocked--
	if err != nil {
		r.rejectLocked(s.task.group, s.task.name, err, now)
	}
	s.won, s.err = won, err
	close(s.settled)
}

// admitOneLocked settles the submit that has waited longest, of those that there is room for.
func (r *registry) admitOneLocked(now time.Time, then *aftermath) bool {
	if r.blocked == 0 {
		return false
	}
	r.pruneLocked(now) // or one could be chosen to join a task that admitLocked then forgets
	var next *submission
	for _, g := range r.groups {
		if s := r.nextSubmissionLocked(g); s != nil && (next == nil || s.ticket < next.ticket) {
			next = s
		}
	}
	if next == nil {
		return false
	}
	won, err := r.admitLocked(next.task, now, then)
	r.settleSubmissionLocked(next, won, err, now)
	return true
}

// awaitRoom blocks until s has been settled, or ctx ends.
func (m *Manager) awaitRoom(ctx context.Context, s *submission) (*Task, error) {
	if !isClosed(s.settled) {
		takeBack := lend(ctx)
		if err := block(ctx, s.settled); err != nil {
			m.giveUp(s, err) // before the slot is back, which can take long: it leaves the line now
		}
		takeBack()
	}
	if s.err != nil {
		return nil, fmt.Errorf("%w: task %q waited for room", s.err, s.task.name)
	}
	if s.won == s.task {
		s.task.logSubmitted()
	}
	return s.won, nil
}

// giveUp settles s with err, unless it has been settled just now.
func (m *Manager) giveUp(s *submission, err error) {
	r, now := m.reg, time.Now()
	r.lock()
	defer r.mu.Unlock()
	if !isClosed(s.settled) {
		r.settleSubmissionLocked(s, nil, err, r.tickLocked(now))
	}
}

// refuseBlockedLocked ends the submits that wait for room in g, or in all groups when g is nil.
func (r *registry) refuseBlockedLocked(g *Group, now time.Time) {
	groups := r.groups
	if g != nil {
		groups = []*Group{g}
	}
	for _, g := range groups {
		for e := g.blocked.Front(); e != nil; e = g.blocked.Front() {
			r.settleSubmissionLocked(e.Value.(*submission), nil, ErrShuttingDown, now)
		}
	}
}
