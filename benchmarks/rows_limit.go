package main

import (
	"context"

	"github.com/fxtasks/background/fxtasks"
)

const workers = 4

// limitRows is about tasks that must wait for their turn.
func limitRows(n sizes) []row {
	ours := func() pool { return open(fxtasks.Config{MaxRunning: workers}) }
	return []row{{
		key:   "limit",
		title: "limit of 4, " + thousands(n.queued) + " no-ops",
		note:  "One goroutine submits the batch, and waits until all have ended.",
		unit:  duration,
		ours:  contender{name: "ours", sample: batch(ours, 1, n.queued, nanoseconds)},
		peers: []contender{{"pond", 1.0, batch(openPond(workers), 1, n.queued, nanoseconds)}},
	}, {
		key:   "limit-queued",
		title: "limit of 4, " + thousands(n.queued) + " no-ops, all queued first",
		note: "The same, but four tasks hold all slots until the last no-op is submitted. The difference is the garbage collector's, " +
			"which follows the links by which a queued task can be found, listed and cancelled: with GOGC=off the ratio was 1.09.",
		unit:  duration,
		ours:  contender{name: "ours", sample: perTask(ours, n.queued, nanoseconds, queue)},
		peers: []contender{{"pond", 1.0, perTask(openPond(workers), n.queued, nanoseconds, queue)}},
	}}
}

// queue starts n no-ops behind tasks that do not end before all are queued.
func queue(p pool, n int) {
	queued := make(chan struct{})
	hold := work{
		run:   func(context.Context) error { <-queued; return nil },
		plain: func() error { <-queued; return nil },
	}
	for range workers {
		p.start(hold)
	}
	for range n {
		p.start(nothing)
	}
	close(queued)
	p.wait()
}
