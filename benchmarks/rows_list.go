package main

import (
	"fmt"
	"runtime"
	"sync"
	"time"

	"github.com/fxtasks/background/fxtasks"
)

// listRows is about asking a manager that knows many tasks.
func listRows(n sizes) []row {
	return []row{{
		key:   "list",
		title: fmt.Sprintf("List of 100 out of %s, unfiltered", thousands(n.known)),
		note:  fmt.Sprintf("The first page of a manager that keeps so many finished tasks, of %d names.", len(names)),
		unit:  duration,
		goal:  float64(30 * time.Microsecond),
		ours:  contender{name: "ours", sample: ask(n, (*library).list)},
	}, {
		key:   "list-by-name",
		title: fmt.Sprintf("List of 100 out of %s, by name", thousands(n.known)),
		note:  "The first page of the tasks that have one of the names.",
		unit:  duration,
		goal:  float64(100 * time.Microsecond),
		ours:  contender{name: "ours", sample: ask(n, (*library).listByName)},
	}, {
		key:   "pages",
		title: "all pages of 1,000, per record, of " + thousands(n.records) + " records",
		note:  "One after the other, from the newest record to the oldest. It shall cost the same at the end of a long list as at its beginning.",
		unit:  duration,
		most:  5, // it takes its time
		ours:  contender{name: thousands(n.records), sample: turn(n.records, 1)},
		peers: []contender{{thousands(n.known) + " records", 1.2, turn(n.known, n.records/n.known)}},
	}, {
		key:   "stats",
		title: "Stats",
		note:  "The counters of the same manager.",
		unit:  duration,
		goal:  float64(2 * time.Microsecond),
		ours:  contender{name: "ours", sample: ask(n, (*library).stats)},
	}, {
		key:   "submit-listed",
		title: "submit while others list",
		note:  fmt.Sprintf("A batch of no-ops for the same manager, of which all three are asked every %v meanwhile.", refresh),
		unit:  duration,
		ours:  contender{name: "listed", sample: disturbed(n, (*library).browse)},
		peers: []contender{{"undisturbed", 1.2, disturbed(n, func(*library) (stop func()) { return func() {} })}},
	}}
}

// refresh is how often the lists are asked for: as often as by a hundred pages that are each refreshed
// once a second.
const refresh = 10 * time.Millisecond

var names = [...]string{"mail", "report", "import", "export", "thumbnail", "index", "backup", "webhook", "invoice", "cleanup"}

// library is a manager that keeps many finished tasks, as many of each name.
type library struct {
	ours
	size int
}

func openLibrary(n int) *library {
	l := &library{open(fxtasks.Config{RetainFinished: n}), n}
	l.fill(n)
	return l
}

func (l *library) fill(n int) {
	for i := range n {
		l.submit(names[i%len(names)], nothing)
	}
	l.wait()
}

func (l *library) list()       { l.expect(l.m.List(fxtasks.Filter{}), l.size) }
func (l *library) listByName() { l.expect(l.m.List(fxtasks.Filter{Name: names[0]}), l.size/len(names)) }

func (l *library) expect(p fxtasks.Page, total int) {
	if len(p.Tasks) != min(100, total) || p.Total < total {
		panic(fmt.Sprintf("a page has %d tasks of %d", len(p.Tasks), p.Total))
	}
}

func (l *library) stats() {
	if s := l.m.Stats(); len(s.ByName) != len(names) {
		panic(fmt.Sprintf("%d names", len(s.ByName)))
	}
}

// turnPages lists all records.
func (l *library) turnPages() {
	seen, f := 0, fxtasks.Filter{Limit: 1000}
	for {
		p := l.m.List(f)
		seen += len(p.Tasks)
		if p.Next == "" {
			break
		}
		f.After = p.Next
	}
	if seen != l.size {
		panic(fmt.Sprintf("all pages have %d tasks of %d", seen, l.size))
	}
}

// turn measures how long it takes to list all records so many times, per record.
func turn(records, times int) func() float64 {
	return func() float64 {
		l := openLibrary(records)
		defer l.close()
		return nanoseconds(func() {
			for range times {
				l.turnPages()
			}
		}) / float64(records*times)
	}
}

// ask measures how long a question takes, asked again and again.
func ask(n sizes, question func(l *library)) func() float64 {
	return func() float64 {
		l := openLibrary(n.known)
		defer l.close()
		question(l)
		runtime.GC()
		began, times := time.Now(), 0
		for ; time.Since(began) < n.asking; times++ {
			question(l)
		}
		return float64(time.Since(began)) / float64(times)
	}
}

// browse asks all questions every refresh, until it is stopped.
func (l *library) browse() (stop func()) {
	var browser sync.WaitGroup
	stopped := make(chan struct{})
	browser.Go(func() {
		ticks := time.NewTicker(refresh)
		defer ticks.Stop()
		for {
			select {
			case <-ticks.C:
				l.m.List(fxtasks.Filter{})
				l.m.List(fxtasks.Filter{Name: names[0]})
				l.m.Stats()
			case <-stopped:
				return
			}
		}
	})
	return func() {
		close(stopped)
		browser.Wait()
	}
}

func disturbed(n sizes, disturb func(l *library) (stop func())) func() float64 {
	return func() float64 {
		l := openLibrary(n.known)
		defer l.close()
		defer disturb(l)()
		return nanoseconds(func() { l.fill(n.batch) }) / float64(n.batch)
	}
}
