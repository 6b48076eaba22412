package fxtasks_test

import (
	"context"
	"io"
	"slices"

	"pgregory.net/rapid"

	"github.com/fxtasks/background/fxtasks"
)

const modelRing = 1024 // events that are kept

// modelReader is a subscription.
type modelReader struct {
	sub    *fxtasks.Subscription
	next   int // Seq of what it reads next
	missed int
}

// modelEvent is an event, with the attempt that the task was at.
type modelEvent struct {
	kind    fxtasks.EventKind
	task    *modelTask
	attempt int
}

// stepSubscribe makes a reader of all events after one, or of those that are still to come.
func (md *model) stepSubscribe(rt *rapid.T) {
	if rapid.Bool().Draw(rt, "latest") {
		md.subscribe(fxtasks.Latest, md.events+1)
	} else {
		after := rapid.IntRange(0, md.events).Draw(rt, "after")
		md.subscribe(uint64(after), after+1)
	}
}

func (md *model) subscribe(after uint64, next int) *modelReader {
	r := &modelReader{sub: md.m.Subscribe(after), next: next}
	md.readers = append(md.readers, r)
	return r
}

// skip moves on to the oldest event that is kept.
func (md *model) skip(r *modelReader) {
	if first := max(1, md.events-modelRing+1); r.next < first {
		r.missed += first - r.next
		r.next = first
	}
}

// pickReader draws a reader that nobody waits with, or gives nil if there is none.
func (md *model) pickReader(rt *rapid.T) *modelReader {
	readers := slices.DeleteFunc(slices.Clone(md.readers), func(r *modelReader) bool {
		return slices.ContainsFunc(md.calls, func(c *modelCall) bool { return c.reader == r })
	})
	if len(readers) == 0 {
		return nil
	}
	return rapid.SampledFrom(readers).Draw(rt, "reader")
}

// stepRead reads some of the events that are there.
func (md *model) stepRead(rt *rapid.T) {
	r := md.pickReader(rt)
	if r == nil || !md.hasNext(r) {
		return
	}
	n := rapid.IntRange(1, 20).Draw(rt, "events")
	for e := range r.sub.All(context.Background()) {
		md.checkEvent(rt, r, e)
		md.checkInfo(rt, md.logged[e.Seq-1].task, e.Task)
		if n--; n == 0 || !md.hasNext(r) {
			return
		}
	}
}

// stepNext waits for an event.
func (md *model) stepNext(rt *rapid.T) {
	r := md.pickReader(rt)
	if r == nil || rapid.Bool().Draw(rt, "new reader") {
		r = md.subscribe(fxtasks.Latest, md.events+1)
	}
	by := md.caller(rt, func(t *modelTask) bool { return t.timeout == 0 && !t.external }) // others time out with it, and that are events
	c := md.newCall(rt, "Next", by, modelCallTimeout)
	c.reader = r
	var event fxtasks.Event
	c.look = func(rt *rapid.T) {
		switch {
		case c.ended() && c.got == c.ctx.Err(): // though there may be one: that it was asked to end
			c.want = []error{c.got}
		case !md.hasNext(r):
			c.want = []error{io.EOF}
		case c.got == nil:
			md.checkEvent(rt, r, event)
		}
	}
	md.ask(c, func(ctx context.Context) (err error) { event, err = r.sub.Next(ctx); return err })
	md.await(rt, c, func() bool { return md.hasNext(r) || md.all.state == fxtasks.Stopped })
}

func (md *model) hasNext(r *modelReader) bool { return r.next <= md.events }

// checkEvent checks an event that r gave. Its task may be newer than the event, but not older.
func (md *model) checkEvent(rt *rapid.T, r *modelReader, e fxtasks.Event) {
	md.readLog(rt)
	md.skip(r)
	want := md.logged[r.next-1]
	isRunning := e.Task.Status == fxtasks.Running
	older := e.Task.Attempt < want.attempt || e.Task.Attempt == want.attempt && map[fxtasks.EventKind]bool{
		fxtasks.EventStarted:    e.Task.StartedAt.IsZero(),
		fxtasks.EventProgress:   isRunning && e.Task.Progress.UpdatedAt.IsZero(),
		fxtasks.EventCancelling: isRunning && e.Task.CancelRequestedAt.IsZero(),
		fxtasks.EventRetrying:   isRunning,
		fxtasks.EventFinished:   !e.Task.Status.Finished(),
	}[e.Kind]
	if e.Seq != uint64(r.next) || e.Kind != want.kind || md.tasks[e.Task.Seq-1] != want.task || older {
		rt.Errorf("got the event %+v, want %q of %v, with Seq %d", e, want.kind, want.task, r.next)
	}
	r.next++
}
