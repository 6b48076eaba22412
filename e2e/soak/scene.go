package main

import (
	"context"
	"time"

	"github.com/fxtasks/background/e2e/soak/checks"
)

// scene is what the manager is in when it is shut down.
type scene string

const (
	storm scene = "storm" // all goes on
	siege scene = "siege" // tasks hang, and no others are active but those that wait for them
	calm  scene = "calm"  // nothing is active
)

// set makes the scene.
func (r *round) set(s scene, l luck) {
	if s == storm {
		return
	}
	r.settle()
	if s == siege {
		r.besiege(l)
		return
	}
	r.tick(l)
	r.settle()
	r.trickle(l)
	r.settle()
	for _, group := range r.targets {
		r.probe(group)
	}
}

// besiege submits tasks that wait for tasks that hang, some more of those, and some that wait for room
// that there is not.
func (r *round) besiege(l luck) {
	r.hogs.keep(16)
	for range 1 + l.IntN(4) {
		sub := r.compose(l, 1, nests)
		sub.then = hangs
		r.actors.Go(func() { r.place(context.Background(), sub) })
	}
	time.Sleep(l.upTo(2 * time.Millisecond)) // so that most have begun
	for range l.IntN(16) {
		sub := r.compose(l, 1, hangs)
		if l.oneIn(2) {
			sub.block()
		}
		r.actors.Go(func() { r.place(context.Background(), sub) })
	}
	time.Sleep(l.upTo(2 * time.Millisecond))
}

// trickle submits a few tasks at a time, and asks the manager for nothing: they must run, and the
// follower must be told, without any further call that could bring it about.
func (r *round) trickle(l luck) {
	told := r.manager.List(checks.Active()).Seq
	for range 30 {
		told += 3 * r.volley(l, told) // submitted, started, finished
	}
}

// volley submits a few tasks, after so many events, and gives how many were accepted.
func (r *round) volley(l luck, told uint64) (accepted uint64) {
	n, stay := 1+l.IntN(4), l.oneIn(2)
	if stay && r.config.MaxRunning > 0 {
		n = min(n, r.config.MaxRunning)
	}
	ran, over := make(chan struct{}, n), make(chan struct{})
	if !stay {
		close(over)
	}
	sub := r.plain("", &act{name: "run", play: func(*stage) error {
		ran <- struct{}{}
		<-over
		return nil
	}})
	sub.order.Bare = true
	for range n {
		if r.place(context.Background(), sub).Task() != nil { // else those before have just run, and hold their slots still
			accepted++
		}
	}
	r.within("tasks to run", func() {
		for range accepted {
			<-ran
		}
	})
	if stay {
		r.expectTold(told + 2*accepted)
		close(over)
	}
	r.expectTold(told + 3*accepted)
	return accepted
}

// expectTold wants the follower to be told of so many events. Where records expire within a round, their events do too,
// and he may come too late for them.
func (r *round) expectTold(events uint64) {
	if !r.watched || r.config.RetainFor > 0 {
		return
	}
	r.within("the follower to be told", func() {
		for r.followed.Load() < events {
			time.Sleep(100 * time.Microsecond)
		}
	})
}
