package main

import (
	"context"
	"fmt"
	"runtime"
	"sync"
)

// parkedRows is about tasks that are many and long.
func parkedRows(n sizes) []row {
	return []row{{
		key:   "parked",
		title: fmt.Sprintf("heap and stack per parked task, %s parked", thousands(n.parked)),
		note: "Bytes in use after two garbage collections while all tasks wait for their contexts to end. All but some 50 bytes " +
			"of raw's are its goroutine, stack, context and channel, which ours has too: to track anything at all costs more than that.",
		unit: memory,
		ours: contender{name: "ours", sample: weigh(openOurs, n.parked)},
		peers: []contender{
			{"raw, one parent", 1.0, weigh(openParent, n.parked)},
			{"by hand", 0, weigh(openByHand, n.parked)},
		},
	}, {
		key:   "drain",
		title: fmt.Sprintf("cancel and drain %s parked tasks", thousands(n.parked)),
		note:  "From the call of Shutdown, or the cancel of raw's parent context, until all tasks have returned.",
		unit:  duration,
		ours:  contender{name: "ours", sample: drain(openOurs, n.parked)},
		peers: []contender{
			{"raw, one parent", 1.1, drain(openParent, n.parked)},
			{"by hand", 0, drain(openByHand, n.parked)},
		},
	}, {
		key:   "drain-crowd",
		title: fmt.Sprintf("cancel and drain %s parked tasks", thousands(n.crowd)),
		note:  "The same, of more tasks.",
		unit:  duration,
		most:  3, // it takes some 3 GB, and its time
		ours:  contender{name: "ours", sample: drain(openOurs, n.crowd)},
		peers: []contender{{"raw, one parent", 1.1, drain(openParent, n.crowd)}},
	}}
}

// park starts n tasks and returns when all of them wait for their contexts to end.
func park(p pool, n int) {
	var parked sync.WaitGroup
	parked.Add(n)
	forever := work{run: func(ctx context.Context) error {
		parked.Done()
		<-ctx.Done()
		return ctx.Err()
	}}
	for range n {
		p.start(forever)
	}
	parked.Wait()
}

func weigh(open func() pool, n int) func() float64 {
	return func() float64 {
		before := inUse()
		p := open()
		defer p.close()
		park(p, n)
		return (inUse() - before) / float64(n)
	}
}

// inUse gives the bytes of heap and stacks in use.
func inUse() float64 {
	runtime.GC()
	runtime.GC() // what the first has found dead, the second has swept
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return float64(m.HeapInuse + m.StackInuse)
}

func drain(open func() pool, n int) func() float64 {
	return func() float64 {
		p := open()
		park(p, n)
		return nanoseconds(p.close)
	}
}
