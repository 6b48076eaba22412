package main

import (
	"context"
	"sync"

	"github.com/fxtasks/background/fxtasks"
)

// nestedRows is about tasks that wait for tasks.
func nestedRows(n sizes) []row {
	limited := func() pool { return open(fxtasks.Config{MaxRunning: workers}) }
	return []row{{
		key:   "nested",
		title: "limit of 4, " + thousands(n.queued) + " tasks that each submit another one and wait for it",
		note:  "Both tasks together. conc has no limit, because a pool of 4 would hang as soon as four tasks wait.",
		unit:  duration,
		ours:  contender{name: "ours", sample: perTask(limited, n.queued, nanoseconds, nest)},
		peers: []contender{{"conc", 0, perTask(openConcNested, n.queued, nanoseconds, nest)}},
	}}
}

// nestingPool can start a task that starts a no-op and waits until that has ended.
type nestingPool interface {
	pool
	startNested()
}

func nest(p pool, n int) {
	for range n {
		p.(nestingPool).startNested()
	}
	p.wait()
}

func (o ours) startNested() {
	o.submit("outer", work{run: func(ctx context.Context) error {
		return must(o.m.Submit(ctx, "inner", nothing.run)).Wait(ctx)
	}})
}

// concNested counts its outer tasks, because a conc pool that is being waited for takes no more tasks.
type concNested struct {
	*concPool
	outer sync.WaitGroup
}

func openConcNested() pool { return &concNested{concPool: openConc().(*concPool)} }

func (p *concNested) startNested() {
	p.outer.Add(1)
	p.p.Go(func() error {
		defer p.outer.Done()
		ended := make(chan struct{})
		p.p.Go(func() error { close(ended); return nil })
		<-ended
		return nil
	})
}

func (p *concNested) wait()  { p.outer.Wait(); p.concPool.wait() }
func (p *concNested) close() { p.wait() }
