package main

import (
	"context"
	"time"

	"github.com/fxtasks/background/benchmarks/soak/checks"
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
	r.trickle()
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

// trickle submits one task after the other, and wants the follower to be told of all that happens
// before anything else does: an event may not wait for the next one.
func (r *round) trickle() {
	for range 10 {
		p := r.place(context.Background(), r.plain("", &acts[0]))
		if p.Task() == nil {
			r.findings.Addf("Submit gave %v while nothing is active", p.Refusal())
			return
		}
		r.within("the follower to be told of everything", func() {
			for <-p.Task().Done(); r.followed.Load() < r.manager.List(checks.Active()).Seq; {
				time.Sleep(100 * time.Microsecond)
			}
		})
	}
}
