package fxtasks_test

import (
	"context"
	"errors"
	"reflect"
	"slices"
	"strings"
	"time"

	"pgregory.net/rapid"

	"github.com/fxtasks/background/fxtasks"
)

// stepShutdown shuts down the manager, which is drawn seldom since not much can happen afterwards, or
// a group. Where a submit waits for room, it may start the drain instead.
func (md *model) stepShutdown(rt *rapid.T) {
	if md.drain == nil && slices.ContainsFunc(md.calls, (*modelCall).waitsForRoom) && rapid.Bool().Draw(rt, "drain first") {
		md.stepStartDrain(rt)
		return
	}
	var scopes []*modelScope // preferably, and so first, where something waits
	for _, c := range md.calls {
		if c.submit != nil {
			scopes = append(scopes, c.submit.task.group)
		}
	}
	for _, t := range md.of(md.all, (*modelTask).isPending) {
		scopes = append(scopes, t.group)
	}
	scopes = slices.Concat(scopes, md.scopes[1:], md.scopes[1:], md.scopes[:1])
	s := rapid.SampledFrom(scopes).Draw(rt, "scope")
	switch {
	case s != md.all && s.closed && md.all.closed:
		return // whether it waits for the group's or for the manager's is not promised
	case slices.ContainsFunc(md.drains, func(d *modelDrain) bool { return d.call != nil && d.began.Equal(time.Now()) }):
		return // their graces would end at once
	}
	tasks := md.of(s, (*modelTask).isActive)
	lasts := slices.ContainsFunc(tasks, func(t *modelTask) bool { return t.grace != tasks[0].grace })
	by := md.waiter(rt)
	if by != nil && (by.timeout != 0 || lasts) {
		by = nil // a timeout would be the shutdown's budget, too
	}
	contexts := []string{"as it is", "has a deadline", "can end", "ended before"}
	if lasts { // an early end would end several graces, one after the other but all at once
		contexts = contexts[:2]
	}
	budget := modelShortBudget
	if md.drain != nil { // less time than that has left, as a rule
		budget = modelShortestBudget
	}
	c := md.newCall(rt, "Shutdown of "+s.name, by, budget, contexts...)
	var report fxtasks.ShutdownReport
	shutdown := s.into.(interface {
		Shutdown(context.Context) (fxtasks.ShutdownReport, error)
	}).Shutdown
	md.ask(c, func(ctx context.Context) (err error) { report, err = shutdown(ctx); return err })

	first := s // the scope whose shutdown it waits for, if there is one already
	if md.all.closed {
		first = md.all
	}
	switch {
	case md.has(s, by):
		md.await(rt, c, func() bool { return md.refuseSelf(c) })
	case first.closed:
		c.look = func(rt *rapid.T) {
			var still *fxtasks.ShutdownError
			switch {
			case c.ended() && c.got == c.ctx.Err():
				c.want = []error{c.got}
			case report.Status != "already_shutdown" || report.Remaining != len(report.Stuck) || errors.As(c.got, &still) != (report.Remaining > 0):
				rt.Errorf("%v gave %+v, %v", c, report, c.got)
			case still != nil:
				c.want = []error{c.got}
			}
		}
		idle := func() bool { return s != first && len(md.of(s, (*modelTask).isActive)) == 0 } // a group need not wait for the manager's
		md.await(rt, c, func() bool { return first.state == fxtasks.Stopped || idle() || c.ended() })
	default:
		d := &modelDrain{call: c, scope: s}
		c.drain = d
		c.look = func(rt *rapid.T) { d.check(rt, report) }
		md.beginShutdown(d)
		md.passOn(rt) // before it waits
		md.await(rt, c, func() bool { return md.endDrain(d) })
		md.forgetAll()
	}
}

// beginShutdown closes the scope for new tasks, and begins its drain, unless StartDrain has.
func (md *model) beginShutdown(d *modelDrain) {
	d.scope.closed, d.scope.state = true, fxtasks.Draining
	for _, c := range md.calls {
		if c.waitsForRoom() && md.has(d.scope, c.submit.task) {
			md.met["a submit that waited is refused"]++
			md.decided(c.submit, nil, fxtasks.ErrShuttingDown)
		}
	}
	md.beginDrain(d, d.call.ctx)
}

// endDrain says whether the shutdown is over: when nothing is active any more, or the budget is spent.
func (md *model) endDrain(d *modelDrain) bool {
	active := md.of(d.scope, (*modelTask).isActive)
	asked := !slices.ContainsFunc(active, func(t *modelTask) bool { return t.cause == nil })
	if len(active) > 0 && (!asked || !d.call.ended() && time.Now().Before(d.deadline)) {
		return false
	}
	d.scope.state = fxtasks.Stopped
	md.drains = slices.DeleteFunc(md.drains, func(other *modelDrain) bool { return other == d })
	d.want = fxtasks.ShutdownReport{
		Status:    "completed",
		Initial:   len(d.tasks),
		Returned:  len(d.tasks) - len(active),
		Remaining: len(active),
		Duration:  time.Since(d.began),
	}
	for _, t := range d.tasks {
		if t.status == fxtasks.Cancelled {
			d.want.Cancelled++
		}
	}
	if len(active) > 0 {
		md.met["a shutdown gives up"]++
		d.want.Status = "timeout"
	}
	for _, t := range slices.Backward(active) {
		d.want.Stuck = append(d.want.Stuck, fxtasks.StuckTask{Info: t.info(md), Age: time.Since(t.started)})
	}
	return true
}

// check compares what Shutdown gave with what it must give. A stack must show where the task hangs,
// unless it is only just being started.
func (d *modelDrain) check(rt *rapid.T, got fxtasks.ShutdownReport) {
	var stuck *fxtasks.ShutdownError
	if errors.As(d.call.got, &stuck) {
		d.call.want = []error{d.call.got}
	}
	if (stuck != nil) != (len(d.want.Stuck) > 0) || stuck != nil && !reflect.DeepEqual(stuck.Report, got) {
		rt.Errorf("%v gave %+v and the error %v", d.call, got, d.call.got)
	}
	got.Stuck = slices.Clone(got.Stuck)
	for i, s := range got.Stuck {
		if s.Age > 0 && !strings.Contains(s.Stack, "(*modelTask).run") {
			rt.Errorf("the stack of stuck task %d does not show where it hangs: %q", i, s.Stack)
		}
		got.Stuck[i].Info, got.Stuck[i].Stack = plain(s.Info), ""
	}
	if !reflect.DeepEqual(got, d.want) {
		rt.Errorf("%v gave %+v, want %+v", d.call, got, d.want)
	}
}
