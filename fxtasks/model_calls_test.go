package fxtasks_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync/atomic"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"github.com/fxtasks/background/fxtasks"
)

// modelCall is a call that may wait.
type modelCall struct {
	what     string
	by       *modelTask // whose context it is given; nil: nobody's
	ctx      context.Context
	cancel   context.CancelFunc // nil: ctx is by's own, or never ends
	deadline time.Time          // of ctx; zero: none

	// What the contract says of it.
	over      func() bool // whether what it waits for has come
	want      []error     // what its error then matches, none for nil; may be set by over or look
	cancelled bool        // cancel was called
	cancels   bool        // it is a Cancel or CancelAll
	counts    bool        // its task counts as waiting
	phase     callPhase
	submit    *modelSubmit      // that it makes
	runs      *modelTask        // on its goroutine
	reader    *modelReader      // that it reads with
	drain     *modelDrain       // that it carries out
	look      func(rt *rapid.T) // looks at what else it gave; may be nil

	// Written by the goroutine that makes it.
	returned atomic.Bool
	got      error
}

type callPhase int

const (
	waiting callPhase = iota
	done
)

func (c *modelCall) String() string   { return fmt.Sprintf("%s by %v", c.what, c.by) }
func (c *modelCall) GoString() string { return c.String() } // for rapid

// ended says whether the call's context has ended.
func (c *modelCall) ended() bool {
	return c.cancelled || !c.deadline.IsZero() && !time.Now().Before(c.deadline) || c.by != nil && c.by.cause != nil
}

// isFree says whether the task's function is in no call, and can be told what to do.
func (md *model) isFree(t *modelTask) bool {
	return t.isRunning() && !slices.ContainsFunc(md.calls, func(c *modelCall) bool { return c.by == t })
}

// caller draws who makes a call: a task for which may holds, or nobody.
func (md *model) caller(rt *rapid.T, may func(*modelTask) bool) *modelTask {
	if rapid.Bool().Draw(rt, "by nobody") {
		return nil
	}
	return md.pick(rt, "by", func(t *modelTask) bool { return md.isFree(t) && may(t) })
}

func anybody(*modelTask) bool { return true }

// waiter draws who makes a call in which a task counts as waiting. What waiting tasks make possible under a
// limit has tests of its own: here a task waits only where nothing is limited, and one at a time, so that there
// are no cycles but those with itself.
func (md *model) waiter(rt *rapid.T) *modelTask {
	limited := slices.ContainsFunc(md.scopes, func(s *modelScope) bool { return s.cfg.MaxRunning > 0 || s.cfg.MaxPending != 0 })
	if limited || slices.ContainsFunc(md.calls, func(c *modelCall) bool { return c.by != nil && c.runs == nil }) {
		return nil
	}
	if rapid.SampledFrom([]string{"a task", "a task", "nobody"}).Draw(rt, "who waits") == "nobody" {
		return nil
	}
	return md.pick(rt, "by", md.isFree)
}

// newCall draws the context of a call.
func (md *model) newCall(rt *rapid.T, what string, by *modelTask, timeout time.Duration, contexts ...string) *modelCall {
	c := &modelCall{what: what, by: by, ctx: context.Background()}
	if by != nil {
		c.ctx = by.ctx
	}
	if len(contexts) == 0 {
		contexts = []string{"as it is", "has a deadline", "can end", "ended before"}
	}
	switch rapid.SampledFrom(contexts).Draw(rt, "context") {
	case "has a deadline":
		c.deadline = time.Now().Add(timeout)
		c.ctx, c.cancel = context.WithDeadline(c.ctx, c.deadline)
	case "can end":
		c.ctx, c.cancel = context.WithCancel(c.ctx)
	case "ended before":
		c.ctx, c.cancel = context.WithCancel(c.ctx)
		c.cancel()
		c.cancelled = true
	}
	return c
}

// ask makes the call, for real, until it returns or waits.
func (md *model) ask(c *modelCall, do func(ctx context.Context) error) {
	call := func() error {
		defer c.returned.Store(true)
		c.got = fxtasks.ErrGoexit // unless it returns
		c.got = do(c.ctx)
		return nil
	}
	if c.by == nil {
		go call()
	} else {
		c.by.orders <- call
	}
	synctest.Wait()
}

// await is what the contract says of a call: it waits until it is over, or its context has ended.
func (md *model) await(rt *rapid.T, c *modelCall, over func() bool) {
	c.over = over
	md.calls = append(md.calls, c)
	if md.isOver(c) {
		c.phase = done
	} else if c.by != nil && !c.ended() {
		c.counts = c.reader == nil && !c.cancels && c.runs == nil
		if c.counts {
			md.met["a task waits"]++
		}
	}
	md.settle(rt)
}

// isOver says whether the call need not wait any more.
func (md *model) isOver(c *modelCall) bool {
	switch {
	case c.over():
	case c.ended() && c.drain == nil && c.runs == nil: // a drain and a task that is run are not over with their context
		c.want = []error{c.ctx.Err()}
		if c.submit != nil {
			md.met["a submit gives up"]++
			md.refuse(c.submit.task)
		}
	default:
		return false
	}
	return true
}

// settle follows up what has happened: what can go on does, and calls that are over return.
func (md *model) settle(rt *rapid.T) {
	synctest.Wait()
	graces := md.passOn(rt)
	for woken := true; woken; { // again, because some wait for others to be over: for a shutdown
		woken = false
		for _, c := range md.calls {
			if c.phase == waiting && md.isOver(c) {
				c.phase, woken = done, true
			}
		}
	}
	for _, c := range md.calls {
		md.checkCall(rt, c)
	}
	md.calls = slices.DeleteFunc(md.calls, func(c *modelCall) bool { return c.phase == done })
	if graces {
		md.forgetAll()
	}
	if rt.Failed() {
		rt.FailNow()
	}
}

// passOn lets go on what can go on: pending tasks, then submits that wait for room; of each, who came first. Calls that are only woken now come after all
// these. It says whether graces have ended, too.
func (md *model) passOn(rt *rapid.T) (graces bool) {
	for {
		for md.start() || md.admit() || md.endRuns() {
		}
		if !md.endGraces() { // perhaps because a task was asked to end that shuts down a group
			return graces
		}
		graces = true
	}
}

// checkCall sees to it that the call has returned, if it is done, and what it gave.
func (md *model) checkCall(rt *rapid.T, c *modelCall) {
	if c.returned.Load() != (c.phase == done) {
		rt.Errorf("%v has returned: %v, with %v; want %v", c, c.returned.Load(), c.got, c.want)
	}
	if !c.returned.Load() || c.phase != done {
		return
	}
	if c.look != nil {
		c.look(rt)
	}
	if !matches(c.got, c.want) {
		rt.Errorf("%v gave %v, want %v", c, c.got, c.want)
	}
}

// matches says whether err matches all that is wanted, or is nil when nothing is.
func matches(err error, want []error) bool {
	return (err == nil) == (len(want) == 0) && !slices.ContainsFunc(want, func(w error) bool { return !errors.Is(err, w) })
}

// stepEndContext ends the context of a call that waits.
func (md *model) stepEndContext(rt *rapid.T) {
	calls := slices.DeleteFunc(slices.Clone(md.calls), func(c *modelCall) bool { return c.cancel == nil || c.ended() })
	if len(calls) == 0 {
		return
	}
	c := rapid.SampledFrom(calls).Draw(rt, "call")
	c.cancel()
	c.cancelled = true
	md.settle(rt)
}
