package fxtasks

import (
	"container/list"
	"context"
	"fmt"

	"github.com/fxtasks/background/fxtasks/internal/ordered"
)

// blockedSubmit is a submit under WithBlocking that waits for room.
type blockedSubmit struct {
	// Never change.
	task    *Task
	ticket  uint64 // the one with the lowest goes first
	decided chan struct{}

	// Protected by the registry's mutex until decided is closed.
	needsRoom bool          // see Task.needsRoom
	sameID    *list.Element // in blockedSubmits.byID; nil: its ID was not chosen
	wait      *wait         // of the task that submits; nil: no task does
	done      bool          // decided is closed, or about to be
	won       *Task         // what Submit returns: task, or the one that it joins; nil if err is set
	err       error
}

// blockedSubmits is what the manager knows of all blocked submits. They lie in the blockedQueues of their groups.
type blockedSubmits struct {
	len        int                   // how many there are
	waits      int                   // how many of them a task has made, which counts as waiting
	lastTicket uint64                // that was given
	byID       map[string]*list.List // those with a chosen ID, as *blockedSubmit: a change of that ID can admit them
	changedIDs []string              // IDs that have changed; their blocked submits are still to be checked
}

func newBlockedSubmits() blockedSubmits { return blockedSubmits{byID: make(map[string]*list.List)} }

// blockedQueues holds the blocked submits of a group, in two queues ordered by ticket: tasks that could start
// at once need a slot, the others need room to be pending. All in one queue need the same, so only the
// first has to be checked.
type blockedQueues struct {
	start, room *ordered.Table[*blockedSubmit]
}

func newBlockedQueues() blockedQueues {
	return blockedQueues{new(ordered.Table[*blockedSubmit]), new(ordered.Table[*blockedSubmit])}
}

func (l *blockedQueues) both() []*ordered.Table[*blockedSubmit] {
	return []*ordered.Table[*blockedSubmit]{l.start, l.room}
}

func (l *blockedQueues) queueOf(s *blockedSubmit) *ordered.Table[*blockedSubmit] {
	if s.needsRoom {
		return l.room
	}
	return l.start
}

// blockSubmit puts the submit of t in the queue of blocked submits. self is the context of the task that
// submits, or nil. It refuses a submit that would wait for the end of self.
func (cs *section) blockSubmit(t *Task, self *taskContext) (*blockedSubmit, error) {
	b := &cs.r.blocked
	s := &blockedSubmit{task: t, ticket: b.lastTicket + 1, decided: make(chan struct{})}
	if self != nil && self.task.ctx == self {
		w := &wait{waiter: self.task, group: t.group, submit: s}
		if cs.r.wouldDeadlock(w, self.task) {
			return nil, invalid("task %q (%s) would wait for itself", self.task.name, self.task.ID())
		}
		s.wait = w
	}
	b.lastTicket++
	b.len++
	s.needsRoom = t.needsRoom(cs.r.duplicateOf(t))
	t.group.blocked.queueOf(s).Insert(s.ticket, s)
	if t.opts.idSet {
		l := b.byID[t.opts.id]
		if l == nil {
			l = list.New()
			b.byID[t.opts.id] = l
		}
		s.sameID = l.PushBack(s)
	}
	if s.wait != nil {
		cs.beginWait(s.wait)
	}
	cs.addCutoffsOfBlocked(s)
	return s, nil
}

// needsRoom reports whether t would be pending even with a free slot: it is delayed, or replaces a running task.
func (t *Task) needsRoom(old *Task) bool {
	return t.opts.delay > 0 || t.opts.duplicate == Replace && runningPredecessor(old) != nil
}

// noteIDChange notes that the task with the ID of t has changed, which can admit a blocked submit. The ID of t may
// have been generated, and then chosen for the submit.
func (cs *section) noteIDChange(t *Task) {
	b := &cs.r.blocked
	if len(b.byID) == 0 {
		return
	}
	if id := t.ID(); b.byID[id] != nil {
		b.changedIDs = append(b.changedIDs, id)
	}
}

// admitBlocked admits one blocked submit and reports whether there was one to admit: one whose ID has changed,
// else the one that has waited longest of those that there is room for.
func (cs *section) admitBlocked() bool {
	r := cs.r
	for len(r.blocked.changedIDs) > 0 {
		id := r.blocked.changedIDs[0]
		r.blocked.changedIDs = r.blocked.changedIDs[1:]
		if cs.admitByID(id) {
			return true
		}
	}
	var next *blockedSubmit
	for _, g := range r.groups {
		if r.closed || g.closed { // Shutdown refuses all of them, in steps
			continue
		}
		if s := r.nextBlocked(g); s != nil && (next == nil || s.ticket < next.ticket) {
			next = s
		}
	}
	if next == nil || cs.isCutOff(next.task) { // one that is cut off is refused by the clock of the drain
		return false
	}
	cs.admit(next)
	return true
}

// admitByID admits the first submit with the ID that would be accepted now. Those before it move to the
// queue in which they belong now.
func (cs *section) admitByID(id string) (admitted bool) {
	r := cs.r
	l := r.blocked.byID[id]
	if l == nil {
		return false
	}
	for e := l.Front(); e != nil; {
		s := e.Value.(*blockedSubmit)
		e = e.Next()
		old := r.duplicateOf(s.task)
		if cs.isOpenFor(s.task) && (s.task.joins(old) || !s.task.rejects(old) && r.hasRoomFor(s.task, old)) {
			cs.admit(s)
			return true
		}
		queues := &s.task.group.blocked
		queues.queueOf(s).Remove(s.ticket)
		s.needsRoom = s.task.needsRoom(old)
		queues.queueOf(s).Insert(s.ticket, s)
	}
	return false
}

// nextBlocked returns the submit of g that has waited longest, of those that there is room for.
func (r *registry) nextBlocked(g *Group) (next *blockedSubmit) {
	room := r.all.hasRoom(0) && g.hasRoom(0)
	if room || r.hasFreeSlot(g) {
		_, next, _ = g.blocked.start.First()
	}
	if _, s, ok := g.blocked.room.First(); ok && room && (next == nil || s.ticket < next.ticket) {
		next = s
	}
	return next
}

// admit accepts a blocked submit, or gives it the error that the same submit would get now.
func (cs *section) admit(s *blockedSubmit) {
	old := cs.r.duplicateOf(s.task)
	won, err := s.task, error(nil)
	switch {
	case s.task.joins(old):
		won, err = old, joinResult(old, s.task.opts.result)
	case s.task.rejects(old):
		won, err = nil, fmt.Errorf("%w: %q", ErrDuplicateID, s.task.ID())
	default:
		// Where nothing may be pending, it starts beyond the number of slots, in the place of the waiting submitter.
		beyond := s.wait != nil && runningPredecessor(old) == nil && (cs.r.all.maxPending < 0 || s.task.group.maxPending < 0) &&
			!(cs.r.all.hasSlot() && s.task.group.hasSlot())
		cs.decide(s, won, nil) // first, so that the submitter works again when the task is put on record
		cs.accept(s.task, old)
		if beyond && s.task.status == Pending {
			cs.startQueued(s.task)
		}
		return
	}
	cs.decide(s, won, err)
}

// decide removes s from the queues and gives its submitter the result.
func (cs *section) decide(s *blockedSubmit, won *Task, err error) {
	b := &cs.r.blocked
	s.task.group.blocked.queueOf(s).Remove(s.ticket)
	b.len--
	if s.sameID != nil {
		l := b.byID[s.task.opts.id]
		if l.Remove(s.sameID); l.Len() == 0 {
			delete(b.byID, s.task.opts.id)
		}
	}
	if s.wait != nil {
		cs.endWait(s.wait)
	}
	if err != nil {
		cs.reject(s.task.group, s.task.name, err)
		s.task.fn, s.task.ctx = nil, nil // the cutoffs of a drain may keep the task in memory
	}
	s.won, s.err, s.done = won, err, true
	cs.close(s.decided)
}

// awaitRoom blocks until s is decided, or ctx ends.
func (m *Manager) awaitRoom(ctx context.Context, s *blockedSubmit) (*Task, error) {
	m.awaitDecision(ctx, s)
	if s.err != nil {
		return nil, fmt.Errorf("%w: task %q waited for room", s.err, s.task.name)
	}
	if s.won == s.task {
		s.task.announce(false) // the section that admitted it has started it
	}
	return s.won, nil
}

// awaitDecision blocks until s is decided. It decides s itself if ctx ends, panics or ends the goroutine first.
func (m *Manager) awaitDecision(ctx context.Context, s *blockedSubmit) {
	err := context.Canceled // stays if ctx panics or ends the goroutine
	defer func() {
		if err == nil {
			return
		}
		cs := m.reg.enter()
		defer cs.leave()
		if !s.done {
			cs.decide(s, nil, err)
		}
	}()
	err = awaitClosed(ctx, s.decided)
}

// refuseBlocked ends the submits that wait for room in g, which is closed, or in all groups when g is nil.
func (r *registry) refuseBlocked(g *Group) {
	for _, of := range r.groupsOf(g) {
		r.inSteps(func(cs *section) bool {
			for range batch {
				s := of.blocked.any()
				if s == nil {
					return false
				}
				cs.decide(s, nil, ErrShuttingDown)
			}
			return true
		})
	}
}

// any returns one of the blocked submits, or nil if there are none.
func (l *blockedQueues) any() *blockedSubmit {
	_, s, ok := l.start.First()
	if !ok {
		_, s, _ = l.room.First()
	}
	return s
}
