package main

import (
	"context"
	"fmt"
	"sync"

	"github.com/fxtasks/background/fxtasks"
)

// watchRows is about what it costs a submit that somebody watches.
func watchRows(n sizes) []row {
	return []row{{
		key:   "subscriber",
		title: "submit with 1 live subscriber",
		note: "The first row's batch while a goroutine reads the events as fast as it can. What it is too slow for it " +
			"misses, and is told how much that was.",
		unit:  duration,
		ours:  contender{name: "1 that reads", sample: batch(openFollowed, 1, n.batch, nanoseconds)},
		peers: []contender{{"no subscriber", 1.3, batch(openOurs, 1, n.batch, nanoseconds)}},
	}, {
		key:   "subscribers-idle",
		title: fmt.Sprintf("submit with %s subscribers that never read", thousands(n.idle)),
		note:  "The first row's batch again.",
		unit:  duration,
		ours:  contender{name: "all idle", sample: batch(func() pool { return openIgnored(n.idle) }, 1, n.batch, nanoseconds)},
		peers: []contender{{"no subscriber", 1.05, batch(openOurs, 1, n.batch, nanoseconds)}},
	}}
}

// followed has a subscriber that reads all that happens.
type followed struct {
	ours
	read   int // events; to be read after close
	reader sync.WaitGroup
}

func openFollowed() pool {
	f := &followed{ours: open(defaults)}
	events := f.m.Subscribe(fxtasks.Latest)
	f.reader.Go(func() {
		for range events.All(context.Background()) {
			f.read++
		}
	})
	return f
}

// close ends the subscription too, by the end of all events.
func (f *followed) close() {
	f.ours.close()
	f.reader.Wait()
}

// ignored has subscriptions that nobody reads.
type ignored struct {
	ours
	subscriptions []*fxtasks.Subscription
}

func openIgnored(n int) *ignored {
	i := &ignored{ours: open(defaults)}
	for range n {
		i.subscriptions = append(i.subscriptions, i.m.Subscribe(fxtasks.Latest))
	}
	return i
}
