package main

import (
	"fmt"
	"slices"
	"time"
)

// row is the same work done by several contenders, and what ours is to reach.
type row struct {
	key   string // for -only
	title string
	note  string // one sentence: what is compared
	unit  unit
	most  int     // rounds at most; 0: as many as are asked for
	apart bool    // the figures are shown without their ratios, which would say nothing
	goal  float64 // for our own figure, in the row's unit; 0: none
	ours  contender
	peers []contender
}

// contender does the work of a row.
type contender struct {
	name   string
	goal   float64        // for ours ÷ this one's; 0: none, it is shown for comparison
	sample func() float64 // does it once, in a process of its own, and gives the figure
}

func (r row) contenders() []contender { return append([]contender{r.ours}, r.peers...) }

// contender finds one by its name.
func (r row) contender(name string) (contender, error) {
	all := r.contenders()
	i := slices.IndexFunc(all, func(c contender) bool { return c.name == name })
	if i < 0 {
		return contender{}, fmt.Errorf("row %s has no contender %q", r.key, name)
	}
	return all[i], nil
}

// sizes says how much work there is in a sample of each kind.
type sizes struct {
	batch    int // no-ops
	oneByOne int // no-ops, each waited for
	parked   int // tasks that wait for their contexts to end
	crowd    int // the same, but more
	idle     int // subscriptions that nobody reads
	known    int // finished tasks that are kept
	queued   int // no-ops at a limit
	requests int // over HTTP
	records  int // finished tasks that are kept, of the rows about the mutex
	replaced int // tasks that have a successor
	groups   int
	blocked  int // submits that wait for room
	past     int // no-ops that go past them
	waiters  int // goroutines that wait for one task

	asking    time.Duration // for which the same question is asked again and again
	repeating time.Duration // for which a scene is repeated
}

var full = sizes{
	batch:    200_000,
	oneByOne: 100_000,
	parked:   100_000,
	crowd:    1_000_000,
	idle:     1_000,
	known:    100_000,
	queued:   100_000,
	requests: 30_000,
	records:  1_000_000,
	replaced: 200,
	groups:   10_000,
	blocked:  10_000,
	past:     1_000,
	waiters:  200_000,

	asking:    200 * time.Millisecond,
	repeating: 2 * time.Second,
}

// rows gives all rows, in the order of the table.
func rows(n sizes) []row {
	return slices.Concat(
		submitRows(n),
		parkedRows(n),
		watchRows(n),
		listRows(n),
		limitRows(n),
		nestedRows(n),
		retryRows(n),
		echoRows(n),
		waitRows(n),
		telemetryRows(n),
	)
}
