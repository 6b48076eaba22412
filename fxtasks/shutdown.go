package fxtasks

import (
	"cmp"
	"context"
	"runtime"
	"slices"
	"time"

	"go.uber.org/zap"
)

// What a ShutdownReport says in Status.
const (
	shutdownCompleted = "completed"
	shutdownTimeout   = "timeout"
	shutdownAlready   = "already_shutdown"
)

// ShutdownReport tells what came of the tasks that were active when Shutdown began.
type ShutdownReport struct {
	Status    string // "completed", "timeout", "already_shutdown"
	Initial   int    // active when it began
	Returned  int    // of those, ended in time, of which:
	Cancelled int    // ended as cancelled
	Remaining int    // still running
	Duration  time.Duration
	Stuck     []StuckTask // the remaining ones, the newest first
}

// StuckTask is a task that had not returned when Shutdown gave up on it.
type StuckTask struct {
	Info  Info
	Age   time.Duration // since it was started
	Stack string        // of its goroutine, and of goroutines that this one started, as runtime.Stack formats them
}

// Shutdown ends the manager, in four steps.
//
//  1. Close: Submit gives ErrShuttingDown from here on.
//  2. Finish: each task may go on for its drain grace. Pending tasks still start meanwhile; those
//     that have not when their grace is over are cancelled.
//  3. Cancel: then its context ends with ErrShutdown, and it has the rest of the budget to return.
//     A grace ends at the latest when a tenth of the budget is left.
//  4. Abandon: when the budget is spent, Shutdown returns a *ShutdownError whose report names each
//     task that is left, with the stack on which it hangs. Nothing can end a goroutine.
//
// The budget is the shorter of Config.ShutdownTimeout and the time that ctx has left; it is spent
// at once when ctx is cancelled. A second Shutdown waits for the first, or for its own ctx, and
// reports "already_shutdown" with a nil error. A task of this manager that calls it with its own
// context gets ErrInvalid, and nothing is shut down.
//
// Afterwards the manager still answers Task, List and Stats, and no goroutine of it is left but
// those of the tasks reported.
func (m *Manager) Shutdown(ctx context.Context) (ShutdownReport, error) {
	return m.shutdown(ctx, nil)
}

// shutdown drains g, or all when g is nil.
func (m *Manager) shutdown(ctx context.Context, g *Group) (ShutdownReport, error) {
	d := &drain{m: m, group: g, scope: &m.reg.all, log: m.log}
	waitsFor := anyTask
	if g != nil {
		d.scope, d.log, waitsFor = &g.scope, m.log.With(zap.String("group", g.name)), g.has
	}
	if err := m.checkWait(ctx, waitsFor); err != nil {
		return ShutdownReport{}, err
	}
	d.began = time.Now()
	d.deadline = d.began.Add(m.cfg.ShutdownTimeout)
	if end, ok := ctx.Deadline(); ok && end.Before(d.deadline) {
		d.deadline = end
	}
	if other := d.begin(); other != nil {
		_ = await(ctx, other) // whichever comes first: it is already shut down either way
		return ShutdownReport{Status: shutdownAlready, Duration: time.Since(d.began)}, nil
	}
	if !isClosed(d.idle) {
		defer lend(ctx)() // once: a slot that is taken back in between could cost the budget
	}
	for _, step := range d.graces {
		d.sleep(ctx, step.end)
		m.request(endShutdown, step.tasks...)
	}
	d.sleep(ctx, d.deadline.Add(-d.stackTime()))
	stacks := stacksOf(m.reg.active(g))
	d.sleep(ctx, d.deadline)
	return d.end(stacks)
}

// drain is one Shutdown on its way. Only the goroutine that shuts down uses it.
type drain struct {
	m     *Manager
	group *Group // nil: all
	scope *scope // the group's, or the manager's
	log   *zap.Logger

	began, deadline time.Time
	initial         int
	cancelledBefore uint64
	idle            <-chan struct{} // closed when nothing is active
	graces          []graceStep
}

// graceStep is the tasks whose grace ends at the same time.
type graceStep struct {
	end   time.Time
	tasks []*Task
}

// begin closes the scope for new tasks and cancels those without grace. When a Shutdown has begun
// before, it gives a channel that is closed when that one is over.
func (d *drain) begin() (other <-chan struct{}) {
	var then aftermath
	r := d.m.reg
	r.lock()
	for _, s := range [...]*scope{&r.all, d.scope} { // a manager's Shutdown is its groups' too
		if s.state != Open {
			r.mu.Unlock()
			return s.stopped
		}
	}
	d.scope.state = Draining
	for _, g := range r.groups {
		if d.group == nil || d.group == g {
			g.open.Store(false)
		}
	}
	r.recordLocked(r.submitted.renewLocked())
	now := r.tickLocked(d.began)
	d.initial = d.scope.active()
	d.cancelledBefore = d.scope.counts.Cancelled
	d.idle = r.idleLocked(d.scope)
	pending, running, rejected := d.scope.counts.Pending, d.scope.counts.Running, d.scope.counts.Rejected

	r.refuseBlockedLocked(d.group, now)
	tasks := r.activeLocked(d.group)
	d.planGraces(now, tasks)
	for _, t := range tasks {
		if t.opts.grace == 0 {
			r.requestLocked(t, endShutdown, now, &then)
		}
	}
	r.settleLocked(now, &then)
	r.mu.Unlock()

	then.act(d.m)
	d.log.Info("shutdown begins", zap.Int("pending", pending), zap.Int("running", running),
		zap.Uint64("rejected", rejected), zap.Duration("budget", max(0, d.deadline.Sub(d.began))))
	then.log()
	return nil
}

// planGraces sorts the tasks that have a grace by its end.
func (d *drain) planGraces(now time.Time, tasks []*Task) {
	budget := d.deadline.Sub(now)
	latest := budget - budget/10
	byGrace := make(map[time.Duration][]*Task)
	for _, t := range tasks {
		if t.opts.grace > 0 {
			grace := min(t.opts.grace, latest)
			byGrace[grace] = append(byGrace[grace], t)
		}
	}
	for grace, tasks := range byGrace {
		d.graces = append(d.graces, graceStep{now.Add(grace), tasks})
	}
	slices.SortFunc(d.graces, func(a, b graceStep) int { return a.end.Compare(b.end) })
}

// sleep blocks until the time has come, nothing is active, or ctx ends.
func (d *drain) sleep(ctx context.Context, until time.Time) {
	ctx, cancel := context.WithDeadline(ctx, until)
	defer cancel()
	_ = block(ctx, d.idle)
}

// stackTime is how long before the deadline the stacks are taken, so that they are within the
// budget: what was measured for 100 frames each, and half the budget at the most.
func (d *drain) stackTime() time.Duration {
	need := 5*time.Millisecond + time.Duration(runtime.NumGoroutine())*50*time.Microsecond
	return max(0, min(need, d.deadline.Sub(d.began)/2))
}

// end closes the books.
func (d *drain) end(stacks map[*Task]string) (ShutdownReport, error) {
	r, now := d.m.reg, time.Now()
	r.lock()
	now = r.tickLocked(now)
	tasks := r.activeLocked(d.group)
	report := ShutdownReport{
		Status:    shutdownCompleted,
		Initial:   d.initial,
		Returned:  d.initial - len(tasks),
		Cancelled: int(d.scope.counts.Cancelled - d.cancelledBefore),
		Remaining: len(tasks),
		Duration:  now.Sub(d.began),
	}
	for _, t := range tasks {
		stack := cmp.Or(stacks[t], "stack not found")
		report.Stuck = append(report.Stuck, StuckTask{t.infoLocked().own(), now.Sub(t.at(t.started)), stack})
	}
	d.scope.state = Stopped
	close(d.scope.stopped)
	if d.group == nil {
		r.wakeReadersLocked()
		if r.expiry != nil {
			r.expiry.Stop()
			r.expiry = nil
		}
	}
	r.mu.Unlock()

	counts := []zap.Field{zap.Int("initial", report.Initial), zap.Int("returned", report.Returned),
		zap.Int("cancelled", report.Cancelled), zap.Int("remaining", report.Remaining), zap.Duration("duration", report.Duration)}
	if len(tasks) == 0 {
		d.log.Info("shutdown over", counts...)
		return report, nil
	}
	if left := d.logStuck(tasks, report.Stuck); left > 0 {
		counts = append(counts, zap.Int("not_logged", left))
	}
	report.Status = shutdownTimeout
	d.log.Error("shutdown over: tasks still running", counts...)
	return report, &ShutdownError{Report: report}
}

// logStuck names the tasks that are left, with a line each. It stops when half of the reserve for
// later stop hooks is gone, and gives how many it has not come to: a thousand stacks in a slow log
// would else keep the database from being closed.
func (d *drain) logStuck(tasks []*Task, stuck []StuckTask) (left int) {
	reserve := d.m.cfg.StopReserve
	began := time.Now()
	for i, t := range tasks {
		if reserve > 0 && time.Since(began) > reserve/2 {
			return len(tasks) - i
		}
		d.m.log.Warn("task still running", append(taskFields(t),
			zap.Duration("age", stuck[i].Age), zap.String("stack", stuck[i].Stack))...)
	}
	return 0
}
