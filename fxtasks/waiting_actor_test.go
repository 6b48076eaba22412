package fxtasks_test

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/fxtasks/background/fxtasks"
)

// What the tasks of a random program do; see waiting_random_test.go.

func (a *actor) chance(n int) bool { return a.rng.IntN(n) == 0 }

// act is the function of the task.
func (a *actor) act(ctx context.Context) error {
	p := a.p
	p.mu.Lock()
	a.running = true
	a.attempts++
	again := a.fails && a.attempts == 1
	p.mu.Unlock()
	var background sync.WaitGroup
	defer func() {
		background.Wait()
		p.mu.Lock()
		a.running = false
		p.mu.Unlock()
	}()
	if again {
		a.work()
		return errModel
	}
	steps := []func(){a.work, a.work, func() { a.spawn(ctx, a.lock) }, func() { a.spawn(ctx, a.lock) }, func() { a.await(ctx) }, func() { a.awaitAll(ctx) }}
	add := func(may bool, step func()) {
		if may {
			steps = append(steps, step, step)
		}
	}
	add(p.may.share, func() { a.awaitAny(ctx) })
	add(p.may.background, func() { background.Go(a.waitFor(ctx, a.child())); a.work() })
	add(p.may.awaitGroup, func() { a.awaitGroup(ctx) })
	add(p.may.closeGroup && a.chance(4), func() { a.closeGroup(ctx) })
	add(p.may.lock && a.lock < len(p.locks), func() { a.holdLock(ctx, a.lock) })
	add(p.may.cancel, func() {
		if other := p.anyActor(a.rng); other != nil {
			other.task.Cancel(nil)
		}
	})
	for range 1 + a.rng.IntN(5) {
		steps[a.rng.IntN(len(steps))]()
	}
	return nil
}

// work is what no more actors than the limit may do at once.
func (a *actor) work() {
	a.p.beginWork(a)
	time.Sleep(time.Duration(1+a.rng.IntN(4)) * programTick)
	a.p.endWork(a)
}

func (a *actor) spawn(ctx context.Context, lock int) {
	p, group := a.p, a.group
	if p.may.leave {
		group = a.rng.IntN(len(p.groups))
		if p.may.lock && p.limits[group].MaxRunning > 0 {
			group = a.group // of its own group or of one without a limit
		}
	}
	ctx, cancel := a.mayEnd(ctx)
	defer cancel()
	p.submit(ctx, a, p.newActor(a.rng, group, lock))
}

// child gives a child that was not waited for yet.
func (a *actor) child() *actor {
	if len(a.children) == 0 {
		return nil
	}
	i := a.rng.IntN(len(a.children))
	c := a.children[i]
	a.children = append(a.children[:i:i], a.children[i+1:]...)
	return c
}

func (a *actor) await(ctx context.Context) { a.waitFor(ctx, a.child())() }

// awaitAll waits for all children at once, as an errgroup would.
func (a *actor) awaitAll(ctx context.Context) {
	var all sync.WaitGroup
	for _, c := range a.children {
		all.Go(a.waitFor(ctx, c))
	}
	a.children = nil
	all.Wait()
}

func (a *actor) awaitAny(ctx context.Context) { a.waitFor(ctx, a.p.anyActor(a.rng))() }

// waitFor gives the wait for another, which any goroutine may do.
func (a *actor) waitFor(ctx context.Context, other *actor) func() {
	if other == nil {
		return func() {}
	}
	ctx, cancel := a.mayEnd(ctx)
	return func() {
		defer cancel()
		err := a.waits(ctx, call{target: other, group: other.group}, other.task.Wait)
		if errors.Is(err, fxtasks.ErrInvalid) && !a.p.may.share && !a.p.may.awaitGroup && !a.p.may.closeGroup && !a.p.may.replace {
			a.p.errorf("%s waited for its child and got %v", a.name, err)
		}
	}
}

func (a *actor) awaitGroup(ctx context.Context) {
	i := 1 + a.rng.IntN(len(a.p.groups)-1)
	ctx, cancel := a.mayEnd(ctx)
	defer cancel()
	_ = a.waits(ctx, call{group: i}, a.p.groups[i].Wait)
}

func (a *actor) closeGroup(ctx context.Context) {
	i := 1 + a.rng.IntN(len(a.p.groups)-1)
	_ = a.waits(ctx, call{group: i}, func(ctx context.Context) error {
		_, err := a.p.groups[i].Shutdown(ctx)
		return err
	})
}

// holdLock waits for children while it holds a lock, which those and theirs do not want.
func (a *actor) holdLock(ctx context.Context, from int) {
	i := from + a.rng.IntN(len(a.p.locks)-from)
	select {
	case a.p.locks[i] <- struct{}{}:
	case <-a.p.abort:
		return
	}
	defer func() { <-a.p.locks[i] }()
	outer := a.children
	a.children = nil
	for range 1 + a.rng.IntN(2) {
		a.spawn(ctx, i+1)
	}
	if a.chance(2) {
		a.work()
	}
	if i+1 < len(a.p.locks) && a.chance(2) {
		a.holdLock(ctx, i+1)
	}
	if a.chance(2) {
		a.await(ctx)
	}
	a.awaitAll(ctx)
	a.children = outer
}

// mayEnd gives a context that ends soon, if contexts may.
func (a *actor) mayEnd(ctx context.Context) (context.Context, context.CancelFunc) {
	if !a.p.may.giveUp || !a.chance(2) {
		return ctx, func() {}
	}
	return context.WithTimeout(ctx, time.Duration(a.rng.IntN(8))*programTick)
}

// waits makes a call in which a waits. A nil actor is a plain goroutine.
func (a *actor) waits(ctx context.Context, c call, do func(context.Context) error) error {
	if a == nil {
		return do(ctx)
	}
	c.ctx = ctx
	p := a.p
	p.mu.Lock()
	a.calls[&c] = struct{}{}
	if c.target != nil {
		c.target.awaited = true
	}
	p.mu.Unlock()
	defer func() {
		p.mu.Lock()
		delete(a.calls, &c)
		p.mu.Unlock()
	}()
	return do(ctx)
}
