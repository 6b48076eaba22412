package fxtasks

import (
	"context"
	"fmt"
	"time"
)

// Submit hands fn over to run in the background: at once, or when the limits allow. It does not
// wait for that, unless WithBlocking is given.
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

func (m *Manager) submit(ctx context.Context, g *Group, name string, fn Func, opts []TaskOption) (*Task, error) {
	now := time.Now()
	t, err := m.newTask(ctx, g, name, fn, opts, now)
	if err != nil {
		m.reg.reject(g, name)
		return nil, err
	}

	if m.submitQuickly(t) {
		return t, nil
	}

	var self *Task
	if t.opts.blocking {
		self, _ = FromContext(ctx) // not in the critical section: a context can be the user's code
	}
	var then aftermath
	var waiting *submission
	var count uint64 // of rejects that the log has not told of yet
	r := m.reg
	r.lock()
	now = r.tickLocked(now)
	r.settleLocked(now, &then) // what was submitted quickly comes first
	now = r.tickLocked(now)
	won, err := r.admitLocked(t, now, &then)
	if t.opts.blocking && err == ErrQueueFull {
		waiting, err = r.queueLocked(t, self)
	}
	if err != nil {
		count = r.rejectLocked(g, name, err, now)
	}
	r.settleLocked(now, &then)
	starts := won == t && t.status == Running
	if starts { // last, after its line is written, for the order of the lines
		then.starts.remove(t)
	}
	r.mu.Unlock()
	then.act(m)
	if won == t {
		t.logSubmitted()
	}
	if starts {
		go m.work(t)
	}
	then.log()

	switch {
	case waiting != nil:
		return m.awaitRoom(ctx, waiting)
	case err != nil:
		t.logRejected(count)
		return nil, fmt.Errorf("%w: task %q", err, name)
	}
	return won, nil
}

// submitQuickly submits t without entering a critical section, if nothing needs to be decided in
// one: t has no rival for its ID, cannot be refused for lack of room, and its name has been seen
// before. The next critical section records it.
func (m *Manager) submitQuickly(t *Task) bool {
	r, g := m.reg, t.group
	if t.opts.idSet || g.maxRunning > 0 || g.maxPending != 0 || r.all.maxPending != 0 {
		return false
	}
	if t.label = r.label(t.name); t.label == nil {
		return false
	}
	if _, ok := r.submitted.push(t, &g.open); !ok {
		return false
	}
	t.logSubmitted() // before it starts, for the order of the lines; under a limit others may start it meanwhile
	unlimited := r.all.maxRunning == 0
	if unlimited {
		go m.work(t)
	}
	if t.depth >= maxUnrecorded || r.watched.Load() || !unlimited && !r.full.Load() {
		m.settle()
	}
	return true
}

// newTask checks what Submit was given, and makes the task of it.
func (m *Manager) newTask(ctx context.Context, g *Group, name string, fn Func, opts []TaskOption, now time.Time) (*Task, error) {
	if ctx == nil {
		return nil, invalid("ctx is nil")
	}
	if fn == nil {
		return nil, invalid("fn is nil")
	}
	if err := checkLabel("name", name); err != nil {
		return nil, err
	}
	o := &g.defaults
	if len(opts) > 0 {
		own := *o
		if err := own.apply(opts); err != nil {
			return nil, err
		}
		o = &own
	}
	t := &Task{group: g, name: name, opts: o, created: now, fn: fn}
	if !o.idSet {
		t.madeID = newID(now)
	}
	t.ctx = newTaskContext(t, ctx)
	return t, nil
}

// admitLocked takes in t, or gives the task that t joins. Who calls it settles afterwards.
func (r *registry) admitLocked(t *Task, now time.Time, then *aftermath) (*Task, error) {
	g := t.group
	if r.all.state != Open || g.state != Open {
		return nil, ErrShuttingDown
	}
	r.pruneLocked(now)
	old := r.rivalLocked(t)
	switch {
	case t.joins(old):
		return old, joinResult(old, t.opts.result)
	case t.rejects(old):
		return nil, fmt.Errorf("%w: %q", ErrDuplicateID, t.ID())
	case !r.acceptsLocked(g, old):
		return nil, ErrQueueFull
	}
	r.addLocked(t, now) // before the old one goes: whoever waits until nothing is active must not see a gap
	if old != nil {
		r.replaceLocked(old, t, now, then)
	}
	switch {
	case t.predecessor != nil:
		r.successors.pushBack(t)
	case r.all.hasSlot() && g.hasSlot(): // nothing waits for it: all was settled before
		r.startLocked(t, now, then)
	default:
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
	starts := waitsFor(old) == nil && r.all.hasSlot() && g.hasSlot()
	return starts || r.all.hasRoom(freed) && g.hasRoom(freedOfGroup)
}

// reject counts a submit that was refused for its arguments. A bad name is not counted by name.
func (r *registry) reject(g *Group, name string) {
	if checkLabel("name", name) != nil {
		name = ""
	}
	now := time.Now()
	r.lock()
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
	return r.fullLog.add(now)
}
