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

var noTaskOptions taskOptions // shared by all submits without options: never written

func (m *Manager) submit(ctx context.Context, g *Group, name string, fn Func, opts []TaskOption) (*Task, error) {
	o := &noTaskOptions
	if len(opts) > 0 {
		o = new(taskOptions)
	}
	now := time.Now()
	t, err := m.newTask(ctx, g, name, fn, o, opts, now)
	if err != nil {
		m.reg.reject(g, name)
		return nil, err
	}

	if m.runAtOnce(t, o) {
		return t, nil
	}

	var self *Task
	if o.blocking {
		self, _ = FromContext(ctx) // not in the critical section: a context can be the user's code
	}
	var then aftermath
	var waiting *submission
	var count uint64 // of rejects that the log has not told of yet
	r := m.reg
	r.lock()
	now = r.tickLocked(now)
	won, err := r.admitLocked(t, o, now, &then)
	if o.blocking && err == ErrQueueFull {
		waiting, err = r.queueLocked(t, o, self)
	}
	if err != nil {
		count = r.rejectLocked(g, name, err, now)
	}
	r.settleLocked(now, &then)
	r.mu.Unlock()
	if won == t {
		t.logSubmitted() // before it starts, for the order of the lines
	}
	then.do(m)

	switch {
	case waiting != nil:
		return m.awaitRoom(ctx, waiting)
	case err != nil:
		t.logRejected(count)
		return nil, fmt.Errorf("%w: task %q", err, name)
	}
	return won, nil
}

// runAtOnce starts t without entering a critical section, if nothing needs to be decided in one: no
// limit, no rival for its ID, no reason to refuse it. The next critical section records it.
func (m *Manager) runAtOnce(t *Task, o *taskOptions) bool {
	r := m.reg
	if o.idSet || t.group != m.ungrouped || r.cfg.MaxRunning > 0 {
		return false
	}
	if t.label = r.label(t.name); t.label == nil {
		return false
	}
	if _, ok := r.submitted.push(t); !ok {
		return false
	}
	t.logSubmitted() // before it starts, for the order of the lines
	go m.work(t)
	if r.unrecorded.Add(1) >= maxUnrecorded || r.watched.Load() {
		r.lock()
		r.mu.Unlock()
	}
	return true
}

// newTask checks what Submit was given, and makes the task of it.
func (m *Manager) newTask(ctx context.Context, g *Group, name string, fn Func, o *taskOptions, opts []TaskOption, now time.Time) (*Task, error) {
	if ctx == nil {
		return nil, invalid("ctx is nil")
	}
	if fn == nil {
		return nil, invalid("fn is nil")
	}
	if err := o.apply(name, opts); err != nil {
		return nil, err
	}
	t := &Task{
		m:        m,
		created:  now,
		group:    g,
		id:       o.id,
		name:     name,
		metadata: o.metadata,
		timeout:  g.cfg.TaskTimeout,
		grace:    g.cfg.DrainGrace,
		fn:       fn,
	}
	if !o.idSet {
		t.id = newID(now)
	}
	if o.timeoutSet {
		t.timeout = o.timeout
	}
	if o.graceSet {
		t.grace = o.grace
	}
	if o.result != nil {
		t.result = o.result.own()
	}
	t.ctx = newTaskContext(t, ctx)
	return t, nil
}

// admitLocked takes in t, or gives the task that t joins. Who calls it settles afterwards.
func (r *registry) admitLocked(t *Task, o *taskOptions, now time.Time, then *aftermath) (*Task, error) {
	g := t.group
	if r.all.state != Open || g.state != Open {
		return nil, ErrShuttingDown
	}
	r.pruneLocked(now)
	old := r.rivalLocked(t, o)
	switch {
	case o.joins(old):
		return old, joinResult(old, o.result)
	case o.rejects(old):
		return nil, fmt.Errorf("%w: %q", ErrDuplicateID, t.id)
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
	return r.full.add(now)
}
