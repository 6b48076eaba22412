package main

import "runtime"

// submitRows is about what a task costs that does nothing.
func submitRows(n sizes) []row {
	all := runtime.GOMAXPROCS(0)
	return []row{{
		key:   "submit",
		title: "submit to finish of a no-op, one submitter",
		note:  "One goroutine submits a batch of tasks that do nothing, and waits until all have ended.",
		unit:  duration,
		ours:  contender{name: "ours", sample: batch(openOurs, 1, n.batch, nanoseconds)},
		peers: []contender{
			{"by hand", 1.0, batch(openByHand, 1, n.batch, nanoseconds)},
			{"raw", 2.0, batch(openRaw, 1, n.batch, nanoseconds)},
			{"raw, one parent", 2.0, batch(openParent, 1, n.batch, nanoseconds)},
			{"pond", 0.7, batch(openPond(poolSize), 1, n.batch, nanoseconds)},
			{"ants", 0, batch(openAnts, 1, n.batch, nanoseconds)},
			{"conc", 0, batch(openConc, 1, n.batch, nanoseconds)},
			{"errgroup", 0, batch(openErrGroup, 1, n.batch, nanoseconds)},
		},
	}, {
		key:   "submit-parallel",
		title: "submit to finish of a no-op, GOMAXPROCS submitters",
		note:  "The same batch, submitted by as many goroutines as there are processors.",
		unit:  duration,
		ours:  contender{name: "ours", sample: batch(openOurs, all, n.batch, nanoseconds)},
		peers: []contender{
			{"by hand", 0.9, batch(openByHand, all, n.batch, nanoseconds)},
			{"raw", 1.3, batch(openRaw, all, n.batch, nanoseconds)},
			{"raw, one parent", 1.3, batch(openParent, all, n.batch, nanoseconds)},
			{"pond", 0.7, batch(openPond(poolSize), all, n.batch, nanoseconds)},
			{"ants", 0, batch(openAnts, all, n.batch, nanoseconds)},
			{"conc", 0, batch(openConc, all, n.batch, nanoseconds)},
			{"errgroup", 0, batch(openErrGroup, all, n.batch, nanoseconds)},
		},
	}, {
		key:   "one-by-one",
		title: "submit and wait, one at a time",
		note:  "Each task is waited for, by itself, before the next one is submitted.",
		unit:  duration,
		ours:  contender{name: "ours", sample: oneByOne(func() waitingPool { return open(defaults) }, n.oneByOne)},
		peers: []contender{
			{"by hand", 1.2, oneByOne(func() waitingPool { return newByHand() }, n.oneByOne)},
			{"raw", 0, oneByOne(func() waitingPool { return newRaw() }, n.oneByOne)},
			{"pond", 0, oneByOne(func() waitingPool { return openPond(poolSize)().(pondPool) }, n.oneByOne)},
		},
	}, {
		key:   "allocations",
		title: "allocations per task",
		note:  "All that is allocated during the first row's batch, by number.",
		unit:  count,
		most:  3, // they hardly differ
		goal:  5,
		ours:  contender{name: "ours", sample: batch(openOurs, 1, n.batch, allocations)},
		peers: []contender{
			{"by hand", 0, batch(openByHand, 1, n.batch, allocations)},
			{"raw", 0, batch(openRaw, 1, n.batch, allocations)},
			{"pond", 0, batch(openPond(poolSize), 1, n.batch, allocations)},
			{"ants", 0, batch(openAnts, 1, n.batch, allocations)},
			{"conc", 0, batch(openConc, 1, n.batch, allocations)},
			{"errgroup", 0, batch(openErrGroup, 1, n.batch, allocations)},
		},
	}}
}
