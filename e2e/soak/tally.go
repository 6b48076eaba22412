package main

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/fxtasks/background/fxtasks"
)

// tally adds up what is reported in the end.
type tally struct {
	beats atomic.Uint64 // how often anything went on, for the watchdog

	mu     sync.Mutex // protects what follows
	rounds int
	whole  int // rounds of which a subscription has told everything
	counts fxtasks.Counts

	schedules     int
	runs, skipped uint64 // of schedules

	faults map[string]int
}

func newTally() *tally { return &tally{faults: make(map[string]int)} }

// fault counts one that is injected.
func (t *tally) fault(kind string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.faults[kind]++
}

// round counts one that is over. Of a whole one a subscription has told everything.
func (t *tally) round(s fxtasks.Stats, whole bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.rounds++
	if whole {
		t.whole++
	}
	c := &t.counts
	c.Submitted += s.Submitted
	c.Completed += s.Completed
	c.Failed += s.Failed
	c.Cancelled += s.Cancelled
	c.TimedOut += s.TimedOut
	c.Retried += s.Retried
	c.Rejected += s.Rejected
}

// schedule counts one that has ended.
func (t *tally) schedule(i fxtasks.PeriodicInfo) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.schedules++
	t.runs += i.Runs
	t.skipped += i.Skipped
}

// print writes the report, less the verdict.
func (t *tally) print(out io.Writer, start, end footprint) {
	t.mu.Lock()
	defer t.mu.Unlock()
	c := t.counts
	fmt.Fprintf(out, "rounds      %d, of %d of them a subscription told everything\n", t.rounds, t.whole)
	fmt.Fprintf(out, "tasks       %d submitted: %d completed, %d failed, %d cancelled, %d timed out; %d attempts retried, %d rejected\n",
		c.Submitted, c.Completed, c.Failed, c.Cancelled, c.TimedOut, c.Retried, c.Rejected)
	fmt.Fprintf(out, "schedules   %d with %d runs, and %d skipped\n", t.schedules, t.runs, t.skipped)
	fmt.Fprintln(out, "faults")
	for _, kind := range slices.Sorted(maps.Keys(t.faults)) {
		fmt.Fprintf(out, "  %8d  %s\n", t.faults[kind], kind)
	}
	fmt.Fprintf(out, "goroutines  %d at the start, %d at the end\n", start.goroutines, end.goroutines)
	fmt.Fprintf(out, "heap        %d KiB after the first round, %d KiB at the end\n", start.heap>>10, end.heap>>10)
}
