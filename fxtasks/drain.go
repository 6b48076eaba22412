package fxtasks

import (
	"context"
	"math"
	"time"

	"github.com/fxtasks/background/fxtasks/internal/heap"
)

// drainClock times the drain of the tasks of a manager or a group. Each task may go on for its grace from
// began on, and all have to return by end.
type drainClock struct {
	m          *Manager
	began, end time.Time
	maxGrace   time.Duration // the longest grace; it leaves a tenth of the budget to the tasks that are then cancelled

	// Protected by the registry's mutex.
	patience time.Duration // how long the drains by this clock may still wait for their lines, all together
	cutoffs  *heap.Heap[*cutoff]
	timer    *time.Timer // for the first of cutoffs; nil: not set
}

// cutoff is the end of the grace of a task, or of a blocked submit.
type cutoff struct {
	at      time.Time
	task    *Task
	blocked *blockedSubmit // the submit of task that is blocked; nil: task is on record
}

func newDrainClock(m *Manager, began, end time.Time) *drainClock {
	budget := end.Sub(began)
	return &drainClock{
		m: m, began: began, end: end, maxGrace: max(0, budget-budget/10), patience: max(0, m.cfg.StopReserve/2),
		cutoffs: heap.New(func(a, b *cutoff) bool { return a.at.Before(b.at) }, func(*cutoff, int) {}),
	}
}

// StartDrain starts the clock by which all drains of the manager and its groups run, unless it runs
// already, and returns the end of its budget: the shorter of Config.ShutdownTimeout and the time that ctx has
// left. From then on the grace of every task runs, and when it is over the task's context ends with
// ErrShutdown; tasks without a grace are cancelled at once. Submit goes on taking a task for as long as
// its grace would last, and returns ErrShuttingDown after that. StartDrain does not wait for tasks:
// Group.Shutdown and Manager.Shutdown do, by this clock.
//
// Of ctx only the deadline counts. A nil ctx has none.
func (m *Manager) StartDrain(ctx context.Context) (end time.Time) {
	budget := m.budget(ctx) // not in the section: a context can be the user's code
	r := m.reg
	cs := r.enter()
	if r.clock != nil {
		defer cs.leave()
		return r.clock.end
	}
	c := newDrainClock(m, cs.now(), cs.now().Add(budget))
	cs.startClock(c, nil)
	cs.leave()
	c.collect(nil)
	c.run()
	return c.end
}

// budget returns the shorter of ShutdownTimeout and what ctx has left.
func (m *Manager) budget(ctx context.Context) time.Duration {
	if ctx != nil {
		if deadline, ok := ctx.Deadline(); ok {
			return min(m.cfg.ShutdownTimeout, max(0, time.Until(deadline)))
		}
	}
	return m.cfg.ShutdownTimeout
}

// startClock begins the drain of the tasks of g, or of all when g is nil, by c.
func (cs *section) startClock(c *drainClock, g *Group) {
	r := cs.r
	if g == nil {
		r.clock = c
		r.all.state = max(r.all.state, Draining)
	} else {
		g.clock = c
	}
	for _, of := range r.groupsOf(g) {
		of.open.Store(false)
	}
	cs.record(r.submitted.replaceSentinelLocked())
	if g == nil {
		r.all.atDrain = r.all.counts
	}
	for _, of := range r.groupsOf(g) {
		of.atDrain = of.counts
	}
	cs.stopSchedules(g)
}

// collect adds the cutoff of each blocked submit and each active task of g, or of all when g is nil.
func (c *drainClock) collect(g *Group) {
	for _, of := range c.m.reg.groupsOf(g) {
		c.collectBlocked(of)
	}
	tasks := c.m.reg.activeTasks(g)
	for i := 0; i < len(tasks); i += batch {
		cs := c.m.reg.enter()
		for _, t := range tasks[i:min(i+batch, len(tasks))] {
			if t.status.Finished() {
				continue
			}
			if t.opts.grace <= 0 || t.status == Pending && (t.isDelayed() || t.isBetweenAttempts()) {
				cs.ask(t, endShutdown) // here, in the order of activeTasks, so that no queued one starts
				continue
			}
			c.add(&cutoff{task: t})
		}
		cs.leave()
	}
}

// collectBlocked adds the cutoff of each blocked submit of g.
func (c *drainClock) collectBlocked(g *Group) {
	next := uint64(0)
	c.m.reg.inSteps(func(*section) bool {
		next = c.addBlocked(g, next)
		return next != math.MaxUint64
	})
}

// addBlocked adds the cutoffs of the next blocked submits of g, from a ticket on, and returns the ticket to go on from:
// MaxUint64 when there are no more. One that changes its queue between two calls keeps its ticket and is not missed,
// since both queues are read up to the same ticket.
func (c *drainClock) addBlocked(g *Group, from uint64) (next uint64) {
	next = math.MaxUint64
	for _, queue := range g.blocked.both() {
		n := 0
		for ticket, s := range queue.Ascend(from) {
			if n++; n > batch {
				next = min(next, ticket)
			}
			if ticket >= next {
				break
			}
			c.add(&cutoff{task: s.task, blocked: s})
		}
	}
	return next
}

// add adds x, and sets when it is. It is called in a section.
func (c *drainClock) add(x *cutoff) {
	x.at = c.cutoffOf(x.task)
	c.cutoffs.Push(x)
}

// cutoffOf returns when the grace of t ends.
func (c *drainClock) cutoffOf(t *Task) time.Time {
	if t.opts.delay > 0 && t.seq == 0 { // not on record yet: a delayed task would be cancelled at once, so its submit is refused
		return c.began
	}
	return c.began.Add(min(t.opts.grace, c.maxGrace))
}

// run ends the tasks whose grace is over, and sets the timer for the next.
func (c *drainClock) run() {
	c.m.reg.inSteps(func(cs *section) bool {
		for range batch {
			x, ok := c.cutoffs.Top()
			if !ok {
				return false
			}
			if left := x.at.Sub(cs.now()); left > 0 {
				c.setTimer(left)
				return false
			}
			c.cutoffs.Pop()
			cs.cutOff(x)
		}
		return true
	})
}

func (c *drainClock) setTimer(d time.Duration) {
	if c.timer == nil {
		c.timer = time.AfterFunc(d, c.run)
	} else {
		c.timer.Reset(d)
	}
}

// stop stops the timer and drops all references to tasks. It is called in a section, when the drain is over.
func (c *drainClock) stop() {
	if c.timer != nil {
		c.timer.Stop()
	}
	for c.cutoffs.Len() > 0 {
		c.cutoffs.Pop()
	}
}

// spendPatience takes the time that a drain has waited for its lines off the patience of its clock. A logger that
// hangs would otherwise hold up the drain of each group, until nothing is left for the stop hooks after them.
func (c *drainClock) spendPatience(waited time.Duration) {
	cs := c.m.reg.enter()
	defer cs.leave()
	c.patience = max(0, c.patience-waited)
}

func (cs *section) cutOff(x *cutoff) {
	switch {
	case x.blocked == nil:
		cs.ask(x.task, endShutdown)
	case !x.blocked.done:
		cs.decide(x.blocked, nil, ErrShuttingDown)
	}
}

// groupsOf returns g alone, or all groups when g is nil. No group is added once the drain of the manager has begun.
func (r *registry) groupsOf(g *Group) []*Group {
	if g != nil {
		return []*Group{g}
	}
	return r.groups
}

// clocks returns the clocks that time the drain of t: the manager's and its group's, nil if not started.
func (r *registry) clocks(t *Task) [2]*drainClock { return [...]*drainClock{r.clock, t.group.clock} }

// isOpenFor reports whether t may be submitted: always before a drain, never once Shutdown has begun, and after
// StartDrain for as long as its grace would last.
func (cs *section) isOpenFor(t *Task) bool {
	return !cs.r.closed && !t.group.closed && !cs.isCutOff(t)
}

// isCutOff reports whether the shutdown has come so far that t may not start any more.
func (cs *section) isCutOff(t *Task) bool {
	for _, c := range cs.r.clocks(t) {
		if c != nil && !cs.now().Before(c.cutoffOf(t)) {
			return true
		}
	}
	return false
}

// addCutoffs adds the cutoffs of t, which has been submitted while a drain runs.
func (cs *section) addCutoffs(t *Task) {
	for _, c := range cs.r.clocks(t) {
		cs.addCutoff(c, &cutoff{task: t})
	}
}

// addCutoffsOfBlocked is addCutoffs for a submit that waits for room.
func (cs *section) addCutoffsOfBlocked(s *blockedSubmit) {
	for _, c := range cs.r.clocks(s.task) {
		cs.addCutoff(c, &cutoff{task: s.task, blocked: s})
	}
}

func (cs *section) addCutoff(c *drainClock, x *cutoff) {
	if c == nil {
		return
	}
	c.add(x)
	if first, _ := c.cutoffs.Top(); first == x {
		c.setTimer(max(0, x.at.Sub(cs.now())))
	}
}
