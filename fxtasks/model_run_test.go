package fxtasks_test

import (
	"context"
	"errors"
	"strconv"

	"pgregory.net/rapid"

	"github.com/fxtasks/background/fxtasks"
)

// errModelPanicked stands for the panic of a Run. The call gives it, joined with the value of the panic, as its error.
var errModelPanicked = errors.New("a panic in Run")

// runner is a manager or a group.
type runner interface {
	Run(ctx context.Context, name string, fn fxtasks.Func, opts ...fxtasks.TaskOption) error
}

// stepRun runs a task on the goroutine of another one, or on one of its own.
func (md *model) stepRun(rt *rapid.T) {
	md.serial++
	t := &modelTask{
		serial:   md.serial,
		id:       rapid.SampledFrom([]string{"", "x", "y"}).Draw(rt, "id"),
		name:     rapid.SampledFrom([]string{"work", "other"}).Draw(rt, "name"),
		group:    rapid.SampledFrom(md.scopes).Draw(rt, "group"),
		metadata: map[string]string{"serial": strconv.Itoa(md.serial)},
		carries:  md.serial,
		orders:   make(chan func() error),
		external: true,
		retry:    &modelRetry{attempts: 1},
	}
	opts := t.drawOptions(rt)
	by := md.caller(rt, func(t *modelTask) bool { return t.timeout == 0 }) // else both may time out at once
	t.runBy = by
	c := md.newCall(rt, "Run of "+t.String(), by, modelCallTimeout)
	ctx := context.WithValue(c.ctx, carriedKey{}, t.carries)
	if by != nil && rapid.Bool().Draw(rt, "context of its own") {
		ctx, t.carries = c.ctx, by.carries
	}
	md.ask(c, func(context.Context) (err error) {
		defer func() {
			if v := recover(); v != nil {
				err = errors.Join(errModelPanicked, v.(error))
			}
		}()
		return t.group.into.(runner).Run(ctx, t.name, t.run(md.over), opts...)
	})

	switch old := md.holder(t.id); {
	case !md.takes(t):
		c.want = []error{fxtasks.ErrShuttingDown}
	case old != nil && old.isActive():
		c.want = []error{fxtasks.ErrDuplicateID}
	default:
		md.takeIn(t, old)
		md.begin(t)
		if self, ok := fxtasks.FromContext(t.ctx); ok {
			t.adopt(rt, self, nil)
		}
		if by != nil {
			md.met["a task runs another"]++
		}
		c.runs = t
		md.await(rt, c, func() bool { c.want = t.returned(); return !t.isActive() })
		return
	}
	md.refuse(t)
	md.await(rt, c, func() bool { return true })
}

// returned gives what Run returns, when t has ended: what its function has returned, if it has.
func (t *modelTask) returned() []error {
	switch t.how {
	case "nil", "":
		return nil
	case "Goexit":
		return []error{fxtasks.ErrGoexit}
	case "panic":
		return []error{errModelPanicked, errModel}
	}
	return []error{errModel}
}

// endRuns asks a task of Run to end because the context that Run was given has ended. It says whether there was
// such a task.
func (md *model) endRuns() bool {
	for _, c := range md.calls {
		if t := c.runs; t != nil && t.isRunning() && t.cause == nil && c.ended() {
			md.met["a context ends what was run with it"]++
			t.byContext = true
			md.request(t, context.Cause(c.ctx))
			return true
		}
	}
	return false
}
