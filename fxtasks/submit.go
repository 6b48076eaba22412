package fxtasks

import (
	"context"
	"fmt"
	"runtime"
	"time"

	"go.uber.org/zap"
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
// WithBlocking. fn has then not been run, and nothing but a counter, and a log line where the queue
// is full, tells of the call.
func (m *Manager) Submit(ctx context.Context, name string, fn Func, opts ...TaskOption) (*Task, error) {
	return m.submit(ctx, m.ungrouped, name, fn, opts)
}

func (m *Manager) submit(ctx context.Context, g *Group, name string, fn Func, opts []TaskOption) (*Task, error) {
	t, err := m.newTask(ctx, g, name, fn, opts)
	if err != nil {
		m.reject(g, name)
		return nil, err
	}
	if m.submitQuickly(t) {
		return t, nil
	}

	var self *taskContext
	if t.opts.blocking {
		self = m.ownTaskContext(ctx) // not in the section: a context can be the user's code
	}
	cs := m.reg.enter()
	cs.schedule() // tasks that were submitted quickly before, and whoever waits for a slot, come first
	cs.startedByCaller = t
	won, err := cs.submit(t)
	var blocked *blockedSubmit
	if t.opts.blocking && err == ErrQueueFull && !(t.opts.delay > 0 && (cs.r.all.maxPending < 0 || g.maxPending < 0)) {
		cs.startedByCaller = nil
		blocked, err = cs.blockSubmit(t, self)
	}
	var count uint64 // how many rejects are to be logged now
	if err != nil {
		count = cs.reject(g, name, err)
	}
	cs.schedule()
	starts := won == t && t.status == Running
	cs.leave()

	switch {
	case blocked != nil:
		return m.awaitRoom(ctx, blocked)
	case err != nil:
		m.logRejected(t, count)
		return nil, fmt.Errorf("%w: task %q", err, name)
	case won == t:
		t.announce(starts)
	}
	return won, nil
}

// announce writes the line of a submit and then starts t, if starts is set: in this order, so that the lines
// are in order. It starts t also when the logger panics or ends the goroutine.
func (t *Task) announce(starts bool) {
	if !t.logsDebug {
		if starts {
			go t.group.m.work(t)
		}
		return
	}
	if starts {
		defer func() { go t.group.m.work(t) }()
	}
	t.writeSubmitted()
}

// maxUnrecorded is how many submitted tasks may wait to be recorded before their submitter enters a section. It
// bounds what one section has to record.
const maxUnrecorded = 64

// maxAhead is how many tasks may wait to be put on record before a submitter lets other goroutines go first, once.
// A burst of no-ops then takes half the time: its tasks are still in the processor's cache when they run. A
// submitter that is not that far ahead of the tasks is not held up.
const maxAhead = 8

// submitQuickly submits t without a section to decide about it, if there is nothing to decide: the ID of t was not
// chosen, t cannot be refused for lack of room, and its name has been seen before. The next section records it.
func (m *Manager) submitQuickly(t *Task) bool {
	r, g := m.reg, t.group
	if t.stats == nil || t.opts.delay > 0 || t.opts.idSet || t.opts.periodic != nil ||
		g.cfg.MaxRunning > 0 || g.cfg.MaxPending != 0 || r.cfg.MaxPending != 0 {
		return false
	}
	if _, ok := r.submitted.push(t, &g.open); !ok {
		return false
	}
	unlimited := r.cfg.MaxRunning == 0
	t.announce(unlimited) // under a limit a section starts it
	if t.depth >= maxUnrecorded || r.watched.Load() || !unlimited && !r.full.Load() {
		cs := r.enter()
		cs.leave()
	}
	if unlimited && t.depth == maxAhead {
		runtime.Gosched()
	}
	return true
}

// newTask checks what Submit was given, and makes the task of it.
func (m *Manager) newTask(ctx context.Context, g *Group, name string, fn Func, opts []TaskOption) (*Task, error) {
	if ctx == nil {
		return nil, invalid("ctx is nil")
	}
	if fn == nil {
		return nil, invalid("fn is nil")
	}
	stats := m.reg.nameStats(name)
	if stats == nil { // a name that has been seen before was checked then
		if err := checkName("name", name); err != nil {
			return nil, err
		}
	}
	o := &g.defaults
	if len(opts) > 0 {
		own := *o
		if err := own.apply(opts); err != nil {
			return nil, err
		}
		o = &own
	}
	now := time.Now()
	t := &Task{group: g, name: name, stats: stats, opts: o, created: now, fn: fn, logsDebug: m.logs(zap.DebugLevel)}
	if !o.idSet {
		t.generatedID = m.reg.ids.New(now)
	}
	t.ctx = newTaskContext(t, ctx)
	t.attempts = newAttempts(o, t.ctx)
	if len(opts) > 0 {
		o.retry.If, o.retry.Delay = nil, nil // t.attempts has them, and drops them when t has finished
	}
	return t, nil
}

// submit accepts t, or returns the task that t joins.
func (cs *section) submit(t *Task) (*Task, error) {
	r := cs.r
	if !cs.isOpenFor(t) || t.opts.periodic != nil && t.opts.periodic.stopped {
		return nil, ErrShuttingDown
	}
	old := r.duplicateOf(t)
	switch {
	case t.joins(old):
		return old, joinResult(old, t.opts.result)
	case t.rejects(old):
		return nil, fmt.Errorf("%w: %q", ErrDuplicateID, t.ID())
	case !r.hasRoomFor(t, old):
		return nil, ErrQueueFull
	}
	cs.accept(t, old)
	return t, nil
}

// accept puts t on record and in the queue. It replaces old, unless that is nil.
func (cs *section) accept(t, old *Task) {
	if t.opts.delay > 0 {
		t.attempts.notBefore = cs.now().Add(t.opts.delay)
	}
	if p := t.opts.periodic; p != nil {
		p.addRun(t)
	}
	cs.add(t, cs.now()) // before old ends: whoever waits until nothing is active must not see a gap
	if old != nil {
		cs.replace(old, t)
	}
	cs.addCutoffs(t)
	if t.predecessor != nil {
		if t.group.successors == nil {
			t.group.successors = make(map[*Task]struct{})
		}
		t.group.successors[t] = struct{}{}
	}
	cs.enqueueWhenDue(t)
}

// hasRoomFor reports whether t can start at once or has room to be pending. It replaces old, unless that is nil.
func (r *registry) hasRoomFor(t, old *Task) bool {
	g := t.group
	freed, freedOfGroup := 0, 0
	if old != nil && old.status == Pending && !old.isBetweenAttempts() {
		freed = 1
		if old.group == g {
			freedOfGroup = 1
		}
	}
	starts := t.opts.delay <= 0 && runningPredecessor(old) == nil && r.hasFreeSlot(g)
	return starts || r.all.hasRoom(freed) && g.hasRoom(freedOfGroup)
}

// hasFreeSlot reports whether a task of g would start at once. It would not while a task that is ready has a slot and does
// not start, since it is cut off and the clock of the drain has not come to end it.
func (r *registry) hasFreeSlot(g *Group) bool {
	return r.all.hasSlot() && g.hasSlot() && r.ready.Len() == 0
}

// reject counts a submit that was refused for its arguments. A bad name is not counted by name.
func (m *Manager) reject(g *Group, name string) {
	if checkName("name", name) != nil {
		name = ""
	}
	cs := m.reg.enter()
	defer cs.leave()
	cs.reject(g, name, nil)
}

// reject counts a submit that failed. It returns the number of rejects that are to be logged now.
func (cs *section) reject(g *Group, name string, err error) uint64 {
	cs.r.all.counts.Rejected++
	g.counts.Rejected++
	if name != "" {
		cs.r.addNameStats(name).counts.Rejected++
	}
	if err != ErrQueueFull {
		return 0
	}
	return cs.r.fullLog.add(cs.now())
}
