package main

import (
	"context"
	"io"
	"time"

	"github.com/fxtasks/background/e2e/soak/checks"
	"github.com/fxtasks/background/fxtasks"
)

// mayOvertake says whether a task may have waited for the one with that Seq.
func (r *round) mayOvertake(seq uint64) bool {
	_, awaited := r.awaited.Load(seq)
	return awaited || r.pushing.Load()
}

// told is a story that was read to the end.
type told struct {
	story        *checks.Story
	missed, last uint64
}

// follower reads all events as they come.
func (r *round) follower(luck) {
	r.readToEnd(func(e fxtasks.Event) { r.followed.Store(e.Seq) })
}

// sleeper does too, but falls asleep over it until the round comes to its end.
func (r *round) sleeper(l luck) {
	r.readToEnd(func(fxtasks.Event) {
		if l.oneIn(50) && !r.closing.Load() {
			time.Sleep(l.upTo(300 * time.Millisecond))
		}
	})
}

// readToEnd reads until the manager has stopped, and then what became of the tasks that were stuck.
func (r *round) readToEnd(then func(fxtasks.Event)) {
	sub := r.manager.Subscribe(0)
	story := &checks.Story{Findings: r.findings, Awaited: r.mayOvertake}
	r.checkEOF(r.read(context.Background(), sub, story, then))
	<-r.over
	r.checkEOF(r.read(context.Background(), sub, story, then))
	r.mu.Lock()
	defer r.mu.Unlock()
	r.stories = append(r.stories, told{story, sub.Missed(), r.manager.List(fxtasks.Filter{Limit: 1}).Seq})
}

// read reads until Next gives an error.
func (r *round) read(ctx context.Context, sub *fxtasks.Subscription, story *checks.Story, then func(fxtasks.Event)) error {
	for {
		e, err := sub.Next(ctx)
		if err != nil {
			return err
		}
		story.Add(e)
		clear(e.Task.Metadata) // a reader's own
		then(e)
	}
}

// checkEOF wants err to be io.EOF, and that to be true.
func (r *round) checkEOF(err error) {
	if state := r.manager.State(); err != io.EOF || state != fxtasks.Stopped {
		r.findings.Addf("Next gave %v, and the manager is %v", err, state)
	}
}

// joiner takes a list of what is active, and reads on from there.
func (r *round) joiner(l luck) {
	for !r.closing.Load() && r.manager.State() != fxtasks.Stopped {
		few := r.isOfOneMoment()
		if page := r.manager.List(checks.Active()); few && page.Next == "" {
			story := &checks.Story{Findings: r.findings, After: page.Seq, Awaited: r.mayOvertake}
			story.Seed(page.Tasks)
			ctx, cancel := context.WithTimeout(context.Background(), l.upTo(100*time.Millisecond))
			if err := r.read(ctx, r.manager.Subscribe(page.Seq), story, func(fxtasks.Event) {}); ctx.Err() == nil {
				r.checkEOF(err)
			}
			cancel()
		}
		time.Sleep(l.upTo(20 * time.Millisecond))
	}
}

// latecomer ranges over the events from now on.
func (r *round) latecomer(l luck) {
	one := fxtasks.Filter{Limit: 1}
	for !r.closing.Load() && r.manager.State() != fxtasks.Stopped {
		now := r.manager.List(one).Seq
		sub := r.manager.Subscribe(fxtasks.Latest)
		if r.manager.List(one).Seq == now { // else it is not known where it begins
			ctx, cancel := context.WithTimeout(context.Background(), l.upTo(50*time.Millisecond))
			story := &checks.Story{Findings: r.findings, After: now, Awaited: r.mayOvertake}
			for e := range sub.All(ctx) {
				story.Add(e)
				if l.oneIn(300) {
					break
				}
			}
			cancel()
		}
		time.Sleep(l.upTo(20 * time.Millisecond))
	}
}
