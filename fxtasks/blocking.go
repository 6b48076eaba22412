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
	options *taskOptions
	ticket  uint64 // the lowest is next
	place   *list.Element
	settled chan struct{} // closed when won and err are final

	// Protected by the registry's mutex until settled is closed.
	won *Task
	err error
}

// queueLocked lines up the submit of t.
func (r *registry) queueLocked(t *Task, o *taskOptions) *submission {
	r.tickets++
	r.blocked++
	s := &submission{task: t, options: o, ticket: r.tickets, settled: make(chan struct{})}
	s.place = t.group.blocked.PushBack(s)
	return s
}

// nextSubmission gives the submit of g that has waited longest, or nil.
func (g *Group) nextSubmission() *submission {
	if e := g.blocked.Front(); e != nil {
		return e.Value.(*submission)
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

// admitOneLocked settles the submit that has waited longest, of those that need not wait on.
func (r *registry) admitOneLocked(now time.Time, then *aftermath) bool {
	if r.blocked == 0 {
		return false
	}
	g := r.earliestLocked(func(g *Group) (uint64, bool) {
		s := g.nextSubmission()
		if s == nil {
			return 0, false
		}
		return s.ticket, r.fitsLocked(s)
	})
	if g == nil {
		return false
	}
	s := g.nextSubmission()
	won, err := r.admitLocked(s.task, s.options, now, then)
	r.settleSubmissionLocked(s, won, err, now)
	return true
}

// fitsLocked says whether s would be taken in now, or has another reason not to wait.
func (r *registry) fitsLocked(s *submission) bool {
	old := r.rivalLocked(s.task, s.options)
	return s.options.joins(old) || s.options.rejects(old) || r.acceptsLocked(s.task.group, old)
}

// awaitRoom blocks until s has been settled, or ctx ends.
func (m *Manager) awaitRoom(ctx context.Context, s *submission) (*Task, error) {
	if err := await(ctx, s.settled, nil); err != nil {
		m.giveUp(s, err)
	}
	if s.err != nil {
		return nil, fmt.Errorf("%w: task %q waited for room", s.err, s.task.name)
	}
	return s.won, nil
}

// giveUp settles s with err, unless it has been settled just now.
func (m *Manager) giveUp(s *submission, err error) {
	var then aftermath
	r, now := m.reg, time.Now()
	r.mu.Lock()
	select {
	case <-s.settled:
	default:
		now = r.tickLocked(now)
		r.settleSubmissionLocked(s, nil, err, now)
		r.settleLocked(now, &then) // the next in line may be easier to please
	}
	r.mu.Unlock()
	then.do(m)
}

// refuseBlockedLocked ends the submits that wait for room in g, or in all groups when g is nil.
func (r *registry) refuseBlockedLocked(g *Group, now time.Time) {
	groups := r.groups
	if g != nil {
		groups = []*Group{g}
	}
	for _, g := range groups {
		for s := g.nextSubmission(); s != nil; s = g.nextSubmission() {
			r.settleSubmissionLocked(s, nil, ErrShuttingDown, now)
		}
	}
}
