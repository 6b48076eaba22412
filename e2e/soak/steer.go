package main

import (
	"context"
	"errors"
	"time"

	"github.com/fxtasks/background/e2e/soak/checks"
	"github.com/fxtasks/background/fxtasks"
)

// cause gives one for a cancel of the task that has the ID, or of all for "". It can be none.
func (r *round) cause(l luck, id string) error {
	own := !l.oneIn(3)
	r.ledger.Asks(id, own)
	if !own {
		return nil
	}
	return &checks.Cause{For: id}
}

// anyOf gives what was submitted not long ago and became a task, or nil.
func (r *round) anyOf(l luck) *checks.Entry {
	if e := r.ledger.Recent(l.IntN(100)); e != nil && e.Task() != nil {
		return e
	}
	return nil
}

// someTime gives a context that ends after a while, or never.
func someTime(l luck, d time.Duration) (context.Context, context.CancelFunc) {
	if l.oneIn(3) {
		return context.WithCancel(context.Background())
	}
	return context.WithTimeout(context.Background(), l.upTo(d))
}

// canceller cancels tasks.
func (r *round) canceller(l luck) {
	for !r.closing.Load() {
		time.Sleep(l.upTo(10 * time.Millisecond))
		e := r.anyOf(l)
		switch {
		case l.oneIn(100):
			r.cancelAll(l)
		case e == nil:
		case l.oneIn(2):
			r.tally.fault("cancel")
			e.Task().Cancel(r.cause(l, e.Task().ID()))
			r.checkAsked(e)
		default:
			ctx, cancel := someTime(l, 10*time.Millisecond)
			r.cancelByID(ctx, l, e.Task().ID())
			cancel()
		}
	}
}

// cancelByID cancels whatever task has the ID by now, and waits for it with ctx.
func (r *round) cancelByID(ctx context.Context, l luck, id string) {
	r.tally.fault("cancel")
	asked := time.Now()
	info, err := r.manager.Cancel(ctx, id, r.cause(l, id))
	r.findings.Cancelled(info, err, ctx.Err(), time.Since(asked), r.manager.Config().CancelTimeout)
	if _, err := r.manager.Cancel(ctx, "no task has this ID", nil); !errors.Is(err, fxtasks.ErrNotFound) {
		r.findings.Addf("Cancel gave %v for an unknown ID", err)
	}
}

func (r *round) cancelAll(l luck) {
	r.tally.fault("cancel of all")
	ctx, cancel := someTime(l, 50*time.Millisecond)
	defer cancel()
	asked, recent := time.Now(), r.recent("")
	err := r.manager.CancelAll(ctx, r.cause(l, ""))
	late := errors.Is(err, fxtasks.ErrStillRunning) && time.Since(asked) >= r.manager.Config().CancelTimeout
	if err != nil && !late && !errors.Is(err, ctx.Err()) {
		r.findings.Addf("CancelAll gave %v after %v, and its ctx has %v", err, time.Since(asked), ctx.Err())
	}
	for _, e := range recent {
		r.checkAsked(e)
	}
	if err == nil {
		r.checkOver("CancelAll", recent)
	}
}

func (r *round) checkAsked(e *checks.Entry) {
	info := e.Task().Info()
	r.findings.Asked(info, r.ledger.Owner(e, info).Ended())
}

// waiter waits for one task, or until nothing is active.
func (r *round) waiter(l luck) {
	for !r.closing.Load() {
		time.Sleep(l.upTo(2 * time.Millisecond))
		ctx, cancel := someTime(l, 20*time.Millisecond)
		e := r.anyOf(l)
		switch group := pick(l, r.targets...); {
		case e != nil && !l.oneIn(10):
			r.findings.Waited("Wait", e.Task(), e.Task().Wait(ctx), ctx.Err())
		case group != "":
			r.waitIdle(ctx, "Group.Wait", group, r.group[group].Wait)
		default:
			r.waitIdle(ctx, "Manager.Wait", "", r.manager.Wait)
		}
		cancel()
	}
}

func (r *round) waitIdle(ctx context.Context, call, group string, wait func(context.Context) error) {
	recent := r.recent(group)
	switch err := wait(ctx); {
	case err == nil:
		r.checkOver(call, recent)
	case !errors.Is(err, ctx.Err()):
		r.findings.Addf("%s gave %v, and its ctx has %v", call, err, ctx.Err())
	}
}

// recent gives what was submitted to a group, or to any for "", not long ago, and became a task.
func (r *round) recent(group string) (list []*checks.Entry) {
	for n := range 30 {
		if e := r.ledger.Recent(n); e != nil && e.Task() != nil && (group == "" || e.Task().Info().Group == group) {
			list = append(list, e)
		}
	}
	return list
}

// checkOver wants tasks that were submitted before a call to have finished, now that the call says so.
func (r *round) checkOver(call string, list []*checks.Entry) {
	for _, e := range list {
		if info := e.Task().Info(); !info.Status.Finished() {
			r.findings.Addf("%s gave no error, and a task that was submitted before has not finished: %+v", call, info)
		}
	}
}

// attendant lets go of tasks that ignore their contexts, and now and then shuts down a group. It is
// one actor, so that it lets go of none while the group's Shutdown looks where they hang.
func (r *round) attendant(l luck) {
	for !r.closing.Load() {
		time.Sleep(l.upTo(50 * time.Millisecond))
		r.hogs.letOneGo()
		if group := pick(l, r.targets...); group != "" && l.oneIn(30) {
			r.shutDownOne(group, l)
		}
	}
}
