package fxtasks_test

import (
	"context"
	"slices"
	"time"

	"pgregory.net/rapid"

	"github.com/fxtasks/background/fxtasks"
)

// refuseSelf is for a call that would wait for the task that makes it: it is over at once.
func (md *model) refuseSelf(c *modelCall) bool {
	md.met["a task waits for itself"]++
	c.want = []error{fxtasks.ErrInvalid}
	return true
}

// stepWait waits for a task, or for its value.
func (md *model) stepWait(rt *rapid.T) {
	t := md.pick(rt, "task", (*modelTask).hasHandle)
	if t == nil {
		return
	}
	c := md.newCall(rt, "Wait for "+t.String(), md.waiter(rt), modelCallTimeout)
	cycle := c.by != nil && (t == c.by || t.after == c.by)
	wait := t.task.Wait
	var value any
	want := modelValue(t.kind, 0) // of a call that does not wait until the end
	if valueOf := t.value; valueOf != nil {
		wait = func(ctx context.Context) (err error) { value, err = valueOf(ctx); return err }
		c.look = func(rt *rapid.T) {
			if value != want {
				rt.Errorf("%v gave the value %v, want %v", c, value, want)
			}
		}
	}
	md.ask(c, wait)
	md.await(rt, c, func() bool {
		switch {
		case cycle && t.isActive():
			return md.refuseSelf(c)
		case t.isActive():
			return false
		}
		c.want, want = t.err().matches, t.result()
		return true
	})
}

// stepWaitIdle waits until nothing of the manager or a group is active.
func (md *model) stepWaitIdle(rt *rapid.T) {
	s := rapid.SampledFrom(md.scopes).Draw(rt, "scope")
	c := md.newCall(rt, "Wait for all of "+s.name, md.waiter(rt), modelCallTimeout)
	cycle := md.has(s, c.by) || c.by != nil && len(md.of(s, func(t *modelTask) bool { return t.isActive() && t.after == c.by })) > 0
	md.ask(c, s.into.(interface{ Wait(context.Context) error }).Wait)
	md.await(rt, c, func() bool {
		if cycle {
			return md.refuseSelf(c)
		}
		return len(md.of(s, (*modelTask).isActive)) == 0
	})
}

func drawCause(rt *rapid.T) (given, want error) {
	if rapid.Bool().Draw(rt, "own cause") {
		return errModelCause, errModelCause
	}
	return nil, fxtasks.ErrCancelled
}

// stepCancel cancels a task by its handle, which does not wait.
func (md *model) stepCancel(rt *rapid.T) {
	t := md.pick(rt, "task", (*modelTask).hasHandle)
	if t == nil {
		return
	}
	cause, want := drawCause(rt)
	t.task.Cancel(cause)
	md.request(t, want)
	md.settle(rt)
}

func (md *model) stepCancelByID(rt *rapid.T) {
	id := rapid.SampledFrom([]string{"x", "y"}).Draw(rt, "id")
	if t := md.pick(rt, "task", (*modelTask).hasHandle); t != nil {
		id = t.id
	}
	t := md.holder(id)
	by := md.caller(rt, anybody)
	cause, want := drawCause(rt)
	var info fxtasks.Info
	c := md.newCall(rt, "Cancel of "+id, by, modelCallTimeout)
	c.cancels = true
	c.look = func(rt *rapid.T) {
		if t != nil && (info.Metadata["serial"] != t.metadata["serial"] || info.Status != t.status) {
			rt.Errorf("%v gave %+v, want that of %v, which is %v", c, info, t, t.status)
		}
	}
	md.ask(c, func(ctx context.Context) (err error) { info, err = md.m.Cancel(ctx, id, cause); return err })
	switch {
	case t == nil:
		md.await(rt, c, func() bool { c.want = []error{fxtasks.ErrNotFound}; return true })
	case t == by:
		md.await(rt, c, func() bool { return md.refuseSelf(c) })
	case t.status.Finished():
		md.await(rt, c, func() bool { c.want = []error{fxtasks.ErrFinished}; return true })
	default:
		md.request(t, want)
		md.awaitEnd(rt, c, t)
	}
}

func (md *model) stepCancelAll(rt *rapid.T) {
	cause, want := drawCause(rt)
	c := md.newCall(rt, "CancelAll", md.caller(rt, anybody), modelCallTimeout)
	c.cancels = true
	md.ask(c, func(ctx context.Context) error { return md.m.CancelAll(ctx, cause) })
	if c.by != nil {
		md.await(rt, c, func() bool { return md.refuseSelf(c) })
		return
	}
	tasks := md.of(md.all, (*modelTask).isActive)
	md.requestAll(tasks, want)
	md.awaitEnd(rt, c, tasks...)
	md.forgetAll()
}

// awaitEnd is for a call that has cancelled tasks: it waits until they have returned, or for
// CancelTimeout.
func (md *model) awaitEnd(rt *rapid.T, c *modelCall, tasks ...*modelTask) {
	limit := time.Now().Add(modelCancelTimeout)
	md.await(rt, c, func() bool {
		switch {
		case !slices.ContainsFunc(tasks, (*modelTask).isActive):
			return true
		case time.Now().Before(limit):
			return false
		}
		md.met["CancelTimeout passes"]++
		c.want = []error{fxtasks.ErrStillRunning}
		return true
	})
}
