package fxtasks_test

import (
	"context"
	"slices"
	"time"

	"pgregory.net/rapid"

	"github.com/fxtasks/background/fxtasks"
)

// modelDrain is the drain of all tasks that StartDrain has begun, or a Shutdown on its way.
type modelDrain struct {
	call            *modelCall // of Shutdown; nil: it is StartDrain's
	scope           *modelScope
	tasks           []*modelTask // that were active when it began, or were submitted since
	graces          time.Time    // from when the graces of its tasks count
	began, deadline time.Time
	want            fxtasks.ShutdownReport
}

// stepStartDrain starts the drain, preferably where a submit waits for room, or asks once more when the one that runs is
// over.
func (md *model) stepStartDrain(rt *rapid.T) {
	switch {
	case md.drain != nil:
	case slices.ContainsFunc(md.drains, func(d *modelDrain) bool { return d.began.Equal(time.Now()) }):
		return // the graces of both would end at once
	case !slices.ContainsFunc(md.calls, (*modelCall).waitsForRoom) && rapid.Bool().Draw(rt, "not now"):
		return
	}
	var ctx context.Context
	cancel := func() {}
	switch rapid.SampledFrom([]string{"none", "has a deadline", "has ended"}).Draw(rt, "context") {
	case "has a deadline":
		ctx, cancel = context.WithTimeout(context.Background(), modelShortBudget)
	case "has ended":
		ctx, cancel = context.WithCancel(context.Background())
		cancel()
	}
	end := md.m.StartDrain(ctx)
	cancel() // of the context only the deadline counts
	if md.drain == nil {
		md.met["a drain is started"]++
		md.all.state = fxtasks.Draining
		md.beginDrain(&modelDrain{scope: md.all}, ctx)
	} else {
		md.met["a drain is started once more"]++
	}
	if !end.Equal(md.drain.deadline) {
		rt.Errorf("StartDrain gave %v, want %v", end, md.drain.deadline)
	}
	md.settle(rt)
	md.forgetAll()
}

// beginDrain stops the schedules of the scope, and asks those of its tasks to end that have no grace, are not due, or wait
// for another attempt. ctx limits its budget; nil: it does not.
func (md *model) beginDrain(d *modelDrain, ctx context.Context) {
	d.began = time.Now()
	d.graces, d.deadline = d.began, d.began.Add(modelBudget)
	if ctx != nil {
		if end, ok := ctx.Deadline(); ok && end.Before(d.deadline) {
			d.deadline = end
		}
	}
	active := md.of(d.scope, (*modelTask).isActive)
	if first := md.drain; first == nil {
		d.tasks = active
	} else { // it is part of that one, on one clock
		d.graces = first.began
		if first.deadline.Before(d.deadline) {
			d.deadline = first.deadline
		}
		for _, t := range first.tasks {
			if md.has(d.scope, t) {
				d.tasks = append(d.tasks, t)
			}
		}
		md.metDrain(d)
	}
	if md.drain == nil && d.scope == md.all {
		md.drain = d
	}
	for _, s := range md.schedules {
		if d.scope == md.all || d.scope == s.group {
			s.stop()
		}
	}
	md.drains = append(md.drains, d)
	var over []*modelTask
	for _, t := range active {
		if t.grace == 0 || t.isDelayed() || t.isBetweenAttempts() {
			over = append(over, t)
		}
	}
	md.requestAll(over, fxtasks.ErrShutdown)
}

// metDrain notes that d is part of the drain that runs.
func (md *model) metDrain(d *modelDrain) {
	if d.scope == md.all {
		md.met["the manager is shut down during a drain"]++
	} else {
		md.met["a group is shut down during a drain"]++
	}
	if d.deadline.Before(md.drain.deadline) && len(d.tasks) > 0 {
		md.met["a shutdown has less time than the drain that it is part of"]++
	}
}

// isOverFor says whether the grace of t is over. It ends at the latest when a tenth of the budget is left, which of a
// Shutdown during the drain can be less than that of StartDrain.
func (d *modelDrain) isOverFor(t *modelTask) bool {
	last := d.deadline.Add(-d.deadline.Sub(d.began) / 10)
	return d.call != nil && d.call.ended() || !time.Now().Before(d.graces.Add(t.grace)) || !time.Now().Before(last)
}

// takes says whether t may be submitted now: for as long as its grace would last in a drain, and never once its group,
// or the manager, shuts down. A delayed one would be cancelled at once.
func (md *model) takes(t *modelTask) bool {
	switch {
	case md.all.closed || t.group.closed:
		return false
	case md.drain == nil:
		return true
	case t.delay > 0 || md.drain.isOverFor(t):
		md.met["a submit during a drain is refused"]++
		return false
	}
	return true
}

// endGraces ends the graces that are over: of tasks, which are asked to end, and of submits that wait for room. It says
// whether there were such.
func (md *model) endGraces() (some bool) {
	for _, d := range md.drains {
		over := md.of(d.scope, func(t *modelTask) bool { return t.isActive() && t.cause == nil && d.isOverFor(t) })
		if len(over) > 0 {
			md.met["a grace ends"]++
			md.requestAll(over, fxtasks.ErrShutdown)
			some = true
		}
	}
	for _, c := range md.calls {
		if c.waitsForRoom() && !md.takes(c.submit.task) {
			md.met["a submit that waits is refused when its grace ends"]++
			md.decided(c.submit, nil, fxtasks.ErrShuttingDown)
			some = true
		}
	}
	return some
}
