package fxtasks

import (
	"container/list"
	"context"
	"fmt"
	"reflect"
	"time"
)

// Submit hands fn over to run on a goroutine of its own: at once, or when the limits allow. It
// does not wait for that, unless WithBlocking is given.
//
// The name says what kind of work this is: 1–128 bytes of valid UTF-8 without control characters,
// of few distinct values, since it labels metrics and goroutines. fn's context has the values of
// ctx but not its cancellation or deadline: the end of an HTTP request does not end the tasks
// that it submitted. ctx's own end matters only while WithBlocking waits.
//
// Errors match ErrInvalid, ErrDuplicateID, ErrQueueFull or ErrShuttingDown, or are ctx's under
// WithBlocking. fn has then not been run, and nothing but a counter tells of the call.
func (m *Manager) Submit(ctx context.Context, name string, fn Func, opts ...TaskOption) (*Task, error) {
	return m.submit(ctx, m.ungrouped, name, fn, opts)
}

// submission is a submit that waits for room.
type submission struct {
	task    *Task
	policy  DuplicatePolicy
	chosen  bool
	ticket  uint64        // the lowest is next
	settled chan struct{} // closed when won and err are final

	// Protected by the registry's mutex until settled is closed.
	won *Task
	err error
}

var noTaskOptions taskOptions // shared by all submits without options: never written

func (m *Manager) submit(ctx context.Context, g *Group, name string, fn Func, opts []TaskOption) (*Task, error) {
	o := &noTaskOptions
	if len(opts) > 0 {
		o = new(taskOptions)
	}
	t, err := m.newTask(ctx, g, name, fn, o, opts)
	if err != nil {
		m.reg.reject(g, name)
		return nil, err
	}

	var then aftermath
	var waiting *list.Element
	var count uint64 // of rejects that the log has not told of yet
	r, now := m.reg, time.Now()
	r.mu.Lock()
	now = r.tickLocked(now)
	won, err := r.admitLocked(t, o.duplicate, o.idSet, now, &then)
	switch {
	case err == nil:
		r.settleLocked(now, &then)
	case o.blocking && err == ErrQueueFull:
		waiting = r.queueLocked(&submission{task: t, policy: o.duplicate, chosen: o.idSet})
	default:
		count = r.rejectLocked(g, name, err, now)
	}
	r.mu.Unlock()

	if waiting != nil {
		if won, err = m.awaitRoom(ctx, waiting); err != nil {
			return nil, err
		}
	}
	if err != nil {
		m.logRejected(t, count)
		return nil, fmt.Errorf("%w: task %q", err, name)
	}
	if won == t {
		m.logSubmitted(t)
	}
	then.do(m)
	return won, nil
}

// newTask checks what Submit was given, and makes the task of it.
func (m *Manager) newTask(ctx context.Context, g *Group, name string, fn Func, o *taskOptions, opts []TaskOption) (*Task, error) {
	if ctx == nil {
		return nil, invalid("ctx is nil")
	}
	if fn == nil {
		return nil, invalid("fn is nil")
	}
	if err := o.validate(name, opts); err != nil {
		return nil, err
	}
	t := &Task{
		m:        m,
		group:    g,
		id:       o.id,
		name:     name,
		metadata: o.metadata,
		timeout:  g.cfg.TaskTimeout,
		grace:    g.cfg.DrainGrace,
		result:   o.result,
		fn:       fn,
	}
	if !o.idSet {
		t.id = m.ids.next()
	}
	if o.timeoutSet {
		t.timeout = o.timeout
	}
	if o.graceSet {
		t.grace = o.grace
	}
	t.ctx = newTaskContext(t, ctx)
	return t, nil
}

// admitLocked takes in t, or gives the task that t joins. Who calls it settles afterwards.
func (r *registry) admitLocked(t *Task, policy DuplicatePolicy, chosen bool, now time.Time, then *aftermath) (*Task, error) {
	g := t.group
	if r.all.state != Open || g.state != Open {
		return nil, ErrShuttingDown
	}
	r.pruneLocked(now)
	var old *Task
	if chosen {
		old = r.byID[t.id]
	}
	switch {
	case old != nil && policy == Join:
		return old, checkJoin(old, t)
	case old != nil && policy == Reject && !old.status.Finished():
		return nil, fmt.Errorf("%w: %q", ErrDuplicateID, t.id)
	case !r.acceptsLocked(g, old):
		return nil, ErrQueueFull
	}
	if old != nil {
		r.replaceLocked(old, t, now, then)
	}
	r.addLocked(t, now)
	if t.predecessor != nil {
		r.successors.pushBack(t)
	} else {
		g.pending.pushBack(t)
	}
	return t, nil
}

// acceptsLocked says whether a new task of g can start at once or has room to wait, given that it
// takes the place of old, unless that is nil.
func (r *registry) acceptsLocked(g *Group, old *Task) bool {
	freed, freedOfGroup := 0, 0
	if old != nil && old.status == Pending {
		freed = 1
		if old.group == g {
			freedOfGroup = 1
		}
	}
	starts := (old == nil || old.status.Finished()) && r.all.hasSlot() && g.hasSlot()
	return starts || r.all.hasRoom(freed) && g.hasRoom(freedOfGroup)
}

// replaceLocked makes way for t, which takes over the ID of old.
func (r *registry) replaceLocked(old, t *Task, now time.Time, then *aftermath) {
	waitsFor := old.predecessor
	switch {
	case old.status == Pending:
		r.dropLocked(old, endReplaced, now, then)
	case old.status == Running:
		waitsFor = old
		r.requestLocked(old, endReplaced, now, then)
	}
	if r.byID[old.id] == old && old.status.Finished() {
		r.forgetLocked(old)
	}
	if waitsFor != nil {
		t.predecessor, waitsFor.successor = waitsFor, t
	}
}

// checkJoin refuses to join tasks whose results are of different types.
func checkJoin(old, t *Task) error {
	if t.result == nil || reflect.TypeOf(old.result) == reflect.TypeOf(t.result) {
		return nil
	}
	has := "no result"
	if old.result != nil {
		has = "a result of type " + old.result.(resultTyper).resultType().String()
	}
	return invalid("cannot join task %q (%s) for a result of type %v: it has %s",
		old.name, old.id, t.result.(resultTyper).resultType(), has)
}

// queueLocked lines s up for room in its group.
func (r *registry) queueLocked(s *submission) *list.Element {
	r.tickets++
	r.blocked++
	s.ticket, s.settled = r.tickets, make(chan struct{})
	return s.task.group.blocked.PushBack(s)
}

// unqueueLocked takes out the submit that waits at e.
func (r *registry) unqueueLocked(e *list.Element) *submission {
	s := e.Value.(*submission)
	s.task.group.blocked.Remove(e)
	r.blocked--
	return s
}

// admitOneLocked settles the submit that has waited longest, of those that need not wait on.
func (r *registry) admitOneLocked(now time.Time, then *aftermath) bool {
	if r.blocked == 0 {
		return false
	}
	g := r.earliestLocked(func(g *Group) (uint64, bool) {
		if g.blocked.Len() == 0 {
			return 0, false
		}
		s := g.blocked.Front().Value.(*submission)
		return s.ticket, r.fitsLocked(s)
	})
	if g == nil {
		return false
	}
	s := r.unqueueLocked(g.blocked.Front())
	won, err := r.admitLocked(s.task, s.policy, s.chosen, now, then)
	r.settleSubmissionLocked(s, won, err, now)
	return true
}

// fitsLocked says whether s would be taken in now, or has another reason not to wait.
func (r *registry) fitsLocked(s *submission) bool {
	var old *Task
	if s.chosen {
		old = r.byID[s.task.id]
	}
	return old != nil && s.policy != Replace || r.acceptsLocked(s.task.group, old)
}

func (r *registry) settleSubmissionLocked(s *submission, won *Task, err error, now time.Time) {
	if err != nil {
		r.rejectLocked(s.task.group, s.task.name, err, now)
		err = fmt.Errorf("%w: task %q", err, s.task.name)
	}
	s.won, s.err = won, err
	close(s.settled)
}

// awaitRoom blocks until the submit that waits at e has been settled, or ctx ends.
func (m *Manager) awaitRoom(ctx context.Context, e *list.Element) (*Task, error) {
	s := e.Value.(*submission)
	if err := await(ctx, s.settled, nil); err != nil {
		var then aftermath
		r, now := m.reg, time.Now()
		r.mu.Lock()
		select {
		case <-s.settled: // just now
		default:
			now = r.tickLocked(now)
			r.unqueueLocked(e)
			r.settleSubmissionLocked(s, nil, err, now)
			r.settleLocked(now, &then) // the next in line may be easier to please
		}
		r.mu.Unlock()
		then.do(m)
	}
	return s.won, s.err
}

// reject counts a submit that was refused for its arguments. A bad name is not counted by name.
func (r *registry) reject(g *Group, name string) {
	if checkLabel("name", name) != nil {
		name = ""
	}
	now := time.Now()
	r.mu.Lock()
	defer r.mu.Unlock()
	r.rejectLocked(g, name, nil, r.tickLocked(now))
}

// rejectLocked counts a submit that failed. It gives the number of rejects that are to be logged
// now.
func (r *registry) rejectLocked(g *Group, name string, err error, now time.Time) uint64 {
	r.all.counts.Rejected++
	g.counts.Rejected++
	if name != "" {
		r.labelLocked(name).counts.Rejected++
	}
	if err != ErrQueueFull {
		return 0
	}
	return r.full.add(now)
}
