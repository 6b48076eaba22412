package fxtasks

import (
	"context"
	"runtime"
	"time"
)

// Shutdown ends the manager, in four steps.
//
//  1. Close: Submit returns ErrShuttingDown from here on.
//  2. Finish: each task may go on for its drain grace. Pending tasks still start meanwhile, and those
//     that have not started when their grace is over are cancelled. Delayed tasks, and tasks between two
//     attempts, are cancelled at once.
//  3. Cancel: then its context ends with ErrShutdown, and it has the rest of the budget to return.
//     A grace ends at the latest when a tenth of the budget is left.
//  4. Abandon: when the budget is spent, Shutdown returns a *ShutdownError whose report names each
//     task that is left, with the stack on which it hangs. Nothing can end a goroutine.
//
// The budget is the shorter of Config.ShutdownTimeout and the time that ctx has left; it is spent
// at once when ctx is cancelled. After StartDrain it is no more than what that has left.
//
// A second Shutdown waits for the first, and reports "already_shutdown" with the tasks that are still running,
// without their stacks. If there are any it returns a *ShutdownError. If its own ctx ends first it returns ctx's
// error. A task of this manager that calls Shutdown with its own context gets ErrInvalid, and nothing is shut down.
//
// Afterwards the manager still answers Task, List and Stats. No goroutine of it is left but those of the tasks
// reported, and those that hang in the logger: Shutdown waits for its lines no longer than half of
// Config.StopReserve. The Shutdowns of groups after StartDrain, and that of the manager, share this time.
func (m *Manager) Shutdown(ctx context.Context) (ShutdownReport, error) {
	return m.shutdown(ctx, nil)
}

// shutdown drains g, or all when g is nil.
func (m *Manager) shutdown(ctx context.Context, g *Group) (ShutdownReport, error) {
	if err := m.refuseSelfWait(ctx, func(self *Task) bool { return g == nil || g.has(self) }); err != nil {
		return ShutdownReport{}, err
	}
	d := &shutdownCall{m: m, group: g, limits: &m.reg.all}
	if g != nil {
		d.limits = &g.limits
	}
	d.log = newShutdownLog(m, g)
	other, err := d.begin(ctx)
	if err != nil {
		return ShutdownReport{}, err
	}
	if other != nil {
		if err := d.await(ctx, other); err != nil {
			return ShutdownReport{}, err
		}
		return d.reportAgain()
	}
	m.reg.refuseBlocked(g)
	finished := false
	defer func() { // ctx is the caller's code, and may panic or end the goroutine
		if !finished {
			d.cutOff()
			d.end()
		}
	}()
	d.finish(ctx)
	finished = true
	return d.end()
}

// shutdownCall is the state of one call of Shutdown. Only the goroutine that calls uses it.
type shutdownCall struct {
	m      *Manager
	group  *Group  // nil: all
	limits *limits // the group's, or the manager's
	log    *shutdownLog

	clock           *drainClock
	ownClock        bool // clock began with this Shutdown, not with StartDrain
	began, deadline time.Time
	initial         int             // see ShutdownReport
	cancelledBefore uint64          // how many tasks had been cancelled when the drain began
	idle            <-chan struct{} // closed when nothing is active; nil: nothing is
	wait            *wait           // of the task that calls Shutdown of a group
	stacks          map[*Task]string
}

// begin closes the manager or the group for new tasks. When a Shutdown has begun before, it returns a channel
// that is closed when that one is over.
func (d *shutdownCall) begin(ctx context.Context) (other <-chan struct{}, err error) {
	self, budget := d.m.ownTaskContext(ctx), d.m.budget(ctx) // not in the section: a context can be the user's code
	cs := d.m.reg.enter()
	defer cs.leave()
	r := cs.r
	d.began = cs.now()
	if self != nil && self.task.ctx == self && d.group != nil {
		d.wait = &wait{waiter: self.task, group: d.group} // without a check for cycles: the budget ends them
	}
	switch {
	case d.group != nil && d.group.closed:
		other = d.limits.stopped
	case r.closed: // a manager's Shutdown is its groups' too
		other = r.all.stopped
		if d.group != nil { // the manager's may wait for the task that calls
			if d.idle = r.idleOf(d.group); d.idle == nil {
				d.idle = closedChan
			}
		}
	}
	if other != nil {
		if d.wait != nil {
			cs.beginWait(d.wait)
		}
		return other, nil
	}
	d.deadline = d.began.Add(budget)
	if c := r.clock; c != nil {
		d.clock = c
		if c.end.Before(d.deadline) {
			d.deadline = c.end
		}
	} else {
		d.clock, d.ownClock = newDrainClock(d.m, d.began, d.deadline), true
	}
	d.limits.state = Draining
	if d.group == nil {
		r.closed = true
	} else {
		d.group.closed = true
	}
	if d.ownClock {
		cs.startClock(d.clock, d.group)
	}
	at := d.limits.atDrain // not the counts of now: what StartDrain has cancelled since is part of this drain
	d.initial = at.Pending + at.Running + int(d.limits.counts.Submitted-at.Submitted)
	d.cancelledBefore = at.Cancelled
	if idle := r.idleOf(d.group); idle == nil {
		d.wait = nil
	} else if d.idle = idle; d.wait != nil {
		cs.beginWait(d.wait)
	}
	d.log.writeBegin(at, max(0, d.deadline.Sub(d.began)))
	return nil, nil
}

// await blocks until done is closed, or d.idle, as a wait of the task that calls.
func (d *shutdownCall) await(ctx context.Context, done <-chan struct{}) error {
	if d.wait != nil {
		defer d.m.endWait(d.wait)
	}
	select {
	case <-done:
	case <-d.idle:
	case <-ctx.Done():
		if !isClosed(done) && !isClosed(d.idle) {
			return ctx.Err()
		}
	}
	return nil
}

// finish lets tasks go on for their grace, then cancels them, and waits for them until the budget is spent.
func (d *shutdownCall) finish(ctx context.Context) {
	if d.wait != nil {
		defer d.m.endWait(d.wait)
	}
	if d.ownClock {
		d.clock.collect(d.group)
	}
	d.clock.run()
	if d.idle == nil {
		return
	}
	if d.sleep(ctx, d.endOfGraces()) {
		return
	}
	d.cutOff() // the clock would let them go on when this budget ends before the clock's, or ctx has
	if d.sleep(ctx, d.deadline.Add(-d.stackTime())) {
		return
	}
	d.stacks = stacksOf(d.m.reg.activeTasks(d.group))
	d.sleep(ctx, d.deadline)
}

// endOfGraces returns when all graces are over: by the clock, and at the latest when a tenth of the budget is left.
// After StartDrain the budget of this call can be the shorter one.
func (d *shutdownCall) endOfGraces() time.Time {
	byClock, byBudget := d.clock.began.Add(d.clock.maxGrace), d.deadline.Add(-max(0, d.deadline.Sub(d.began))/10)
	if byBudget.Before(byClock) {
		return byBudget
	}
	return byClock
}

// cutOff ends all that is still active.
func (d *shutdownCall) cutOff() {
	tasks := d.m.reg.activeTasks(d.group)
	for i := 0; i < len(tasks); i += batch {
		d.m.ask(endShutdown, tasks[i:min(i+batch, len(tasks))]...)
	}
}

// sleep blocks until the time has come, ctx ends, or nothing is active any more. It returns true in the last case.
func (d *shutdownCall) sleep(ctx context.Context, until time.Time) bool {
	ctx, cancel := context.WithDeadline(ctx, until)
	defer cancel()
	return awaitClosed(ctx, d.idle) == nil
}

// stackTime returns how long before the deadline the stacks are taken, so that they are within the
// budget. It is what was measured for stacks of 100 frames, and half the budget at the most.
func (d *shutdownCall) stackTime() time.Duration {
	need := 5*time.Millisecond + time.Duration(runtime.NumGoroutine())*50*time.Microsecond
	return max(0, min(need, d.deadline.Sub(d.began)/2))
}
