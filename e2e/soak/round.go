package main

import (
	"context"
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"go.uber.org/zap"

	"github.com/fxtasks/background/e2e/soak/checks"
	"github.com/fxtasks/background/fxtasks"
)

// round is one manager from New to the end of Shutdown, and all that is done to it.
type round struct {
	settings
	tally    *tally
	findings *checks.Findings
	ledger   *checks.Ledger
	lines    *checks.Lines // nil: no logger
	cargo    manifest

	manager *fxtasks.Manager
	group   map[string]*fxtasks.Group
	targets []string // to submit to: "" for the manager, and the groups
	hogs    hogs
	slots   map[string]*checks.Gauge // by group; "": the manager's
	alone   map[string]*checks.Gauge // by chosen ID

	ticks atomic.Uint64 // schedules made so far

	drainEnd time.Time // that StartDrain gave

	actors    sync.WaitGroup // who come to their end when closing is set
	listeners sync.WaitGroup // who come to theirs when the manager has stopped
	closing   atomic.Bool
	over      chan struct{} // closed when every task has returned
	followed  atomic.Uint64 // Seq of the last event that the follower has read
	awaited   sync.Map      // of the Seqs of tasks that a task has waited for: they may start ahead of their turn
	lent      atomic.Bool   // a task has waited for tasks
	pushing   atomic.Bool   // a task has waited for room: any task may then have started ahead of its turn

	patience  time.Duration
	mu        sync.Mutex // protects what follows
	stories   []told
	schedules []*schedule
}

// A round waits so long for what should not take long, since the machine may be slow; and not so
// long again once that was in vain.
const (
	patience   = 15 * time.Second
	impatience = time.Second
)

// newRound makes the manager and its groups.
func newRound(s settings, t *tally, f *checks.Findings) *round {
	r := &round{
		settings: s,
		tally:    t,
		findings: f,
		ledger:   checks.NewLedger(f),
		group:    make(map[string]*fxtasks.Group),
		targets:  []string{""},
		hogs:     hogs{most: s.stubborn},
		slots:    map[string]*checks.Gauge{"": {Findings: f, What: "running tasks", Limit: int64(s.config.MaxRunning)}},
		alone:    make(map[string]*checks.Gauge),
		over:     make(chan struct{}),
		patience: patience,
	}
	for _, id := range sharedIDs {
		r.alone[id] = &checks.Gauge{Findings: f, What: "running tasks with the ID " + id, Limit: 1}
	}
	var opts []fxtasks.Option
	if s.logs {
		r.lines = checks.NewLines(f)
		opts = append(opts, fxtasks.WithLogger(zap.New(r.lines)))
	}
	if s.middleware {
		opts = append(opts, fxtasks.WithMiddleware(marks(f, 0), marks(f, 1)))
	}
	manager, err := fxtasks.New(s.config, opts...)
	if err != nil {
		f.Addf("New gave %v", err)
		return nil
	}
	r.manager = manager
	for _, name := range groupNames {
		c, ok := s.groups[name]
		if !ok {
			continue
		}
		group, err := manager.Group(name, c)
		if err != nil {
			f.Addf("Group gave %v", err)
			return nil
		}
		r.group[name] = group
		r.targets = append(r.targets, name)
		r.slots[name] = &checks.Gauge{Findings: f, What: "running tasks of group " + name, Limit: int64(c.MaxRunning)}
	}
	for _, g := range r.slots {
		g.Loose = r.lent.Load
	}
	return r
}

// gauges gives those that count the running tasks of a group.
func (r *round) gauges(group string) []*checks.Gauge {
	if group == "" {
		return []*checks.Gauge{r.slots[""]}
	}
	return []*checks.Gauge{r.slots[""], r.slots[group]}
}

// play runs one round, which ends early with ctx.
func play(ctx context.Context, s settings, t *tally, f *checks.Findings) {
	goroutines := runtime.NumGoroutine()
	r := newRound(s, t, f)
	if r == nil {
		return
	}
	left := r.playAll(ctx, goroutines)
	left.check(f) // nothing holds r any more, and with it the accounts, which hold contexts
}

// playAll goes through the phases of a round. The process had so many goroutines before it.
func (r *round) playAll(ctx context.Context, goroutines int) *remains {
	r.begin()
	select {
	case <-time.After(r.length):
	case <-ctx.Done():
	}
	l := newLuck(r.seed, uint64(r.number)<<32)
	r.set(r.stop.scene, l)
	r.shutDown(l)
	r.afterShutdown()
	r.settle()
	close(r.over)
	r.within("the subscribers to come to the end", r.listeners.Wait)
	r.within(fmt.Sprintf("no more than %d goroutines to be left", goroutines), func() {
		for runtime.NumGoroutine() > goroutines+1 { // one is this
			time.Sleep(time.Millisecond)
		}
	})
	r.audit()
	return &remains{r.manager, r.ledger.Tasks(), r.cargo.list}
}

// begin starts all actors.
func (r *round) begin() {
	n := uint64(0)
	start := func(all *sync.WaitGroup, act func(luck)) {
		n++
		l := newLuck(r.seed, uint64(r.number)<<32+n)
		all.Go(func() { act(l) })
	}
	for range r.submitters {
		start(&r.actors, r.submitter)
	}
	for range r.crowds {
		start(&r.actors, r.crowd)
	}
	for range r.timekeepers {
		start(&r.actors, r.timekeeper)
	}
	for range r.callers {
		start(&r.actors, r.caller)
	}
	for range 2 {
		start(&r.actors, r.canceller)
		start(&r.actors, r.waiter)
	}
	start(&r.actors, r.attendant)
	if !r.watched {
		return
	}
	start(&r.actors, r.reader)
	start(&r.actors, r.reader)
	start(&r.listeners, r.follower)
	start(&r.listeners, r.sleeper)
	start(&r.listeners, r.joiner)
	start(&r.listeners, r.latecomer)
}

// settle lets everything come to its end, by itself.
func (r *round) settle() {
	r.closing.Store(true)
	r.hogs.letAllGo()
	r.within("the actors to come to the end", r.actors.Wait)
	r.within("the manager to have nothing active", func() {
		if err := r.manager.Wait(context.Background()); err != nil {
			r.findings.Addf("Manager.Wait gave %v", err)
		}
	})
	if s := r.manager.Stats(); s.Pending+s.Running > 0 {
		r.findings.Addf("Stats are %+v after Manager.Wait, want nothing active", s)
	}
}

// within waits for f, and does not wait for ever: what f waits for is expected to come.
func (r *round) within(what string, f func()) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		f()
	}()
	select {
	case <-done:
	case <-time.After(r.patience):
		r.stall("waited %v for %s, in vain", r.patience, what)
	}
}

// stall notes that something hangs, and the first time where all goroutines are.
func (r *round) stall(format string, args ...any) {
	active := r.manager.List(checks.Active())
	r.findings.Addf(format+"; active are %d tasks", append(args, active.Total)...)
	for _, i := range active.Tasks[:min(5, len(active.Tasks))] {
		r.findings.Addf("active: %+v", i)
	}
	if r.patience == patience {
		r.patience = impatience
		r.findings.Addf("all goroutines:\n%s", stacks())
	}
}
