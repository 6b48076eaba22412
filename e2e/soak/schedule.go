package main

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"sync"
	"time"

	"github.com/fxtasks/background/e2e/soak/checks"
	"github.com/fxtasks/background/fxtasks"
)

// schedule is a task that runs on a schedule.
type schedule struct {
	r        *round
	sub      submission // of each run
	periodic *fxtasks.Periodic
	last     fxtasks.PeriodicInfo // as it was known before

	runs    checks.Gauge // at a time
	entries sync.Map     // *checks.Entry of each run, by Seq

	mu   sync.Mutex      // protects what follows
	seen checks.Schedule // what is known of it less Info
}

// schedule makes one that runs what sub says, or gives nil when the shutdown has begun.
func (r *round) schedule(l luck, sub submission, every time.Duration) *schedule {
	name := nameOf(fmt.Sprint("tick", r.ticks.Add(1)), sub.order.Group)
	sub.order.Name, sub.order.Scheduled, sub.order.Bare = name, true, true
	s := &schedule{r: r, sub: sub, runs: checks.Gauge{Findings: r.findings, What: "runs of " + name, Limit: 1}}
	s.seen = checks.Schedule{Name: name, Group: sub.order.Group, Every: every, Began: time.Now()}
	captured := r.cargo.load(int(r.ticks.Load()), "the function of a schedule, as submit")
	fn := func(ctx context.Context) error {
		defer runtime.KeepAlive(captured)
		return s.perform(ctx)
	}
	into := r.target(sub.order.Group)
	if l.oneIn(10) {
		r.tally.fault("invalid schedule")
		bad := pick(l, fxtasks.WithBlocking(), fxtasks.WithDelay(1), fxtasks.WithID("one"), fxtasks.WithTimeout(-1))
		if p, err := into.Schedule(name, fxtasks.Every(every), fn, bad); !errors.Is(err, fxtasks.ErrInvalid) {
			r.findings.Addf("Schedule gave %v, %v, want ErrInvalid", p, err)
		}
	}
	p, err := into.Schedule(name, fxtasks.Every(every), fn, sub.opts...)
	if err != nil {
		if !errors.Is(err, fxtasks.ErrShuttingDown) {
			r.findings.Addf("Schedule gave %v", err)
		}
		return nil
	}
	s.periodic = p
	r.mu.Lock()
	defer r.mu.Unlock()
	r.schedules = append(r.schedules, s)
	return s
}

// perform is the function of every run, in every attempt.
func (s *schedule) perform(ctx context.Context) error {
	s.runs.Enter()
	defer s.runs.Leave()
	self, _ := fxtasks.FromContext(ctx)
	seq := self.Info().Seq
	e, known := s.entries.Load(seq)
	if !known {
		e = s.r.ledger.Open(s.sub.order)
		s.entries.Store(seq, e)
	}
	return s.r.perform(ctx, e.(*checks.Entry), s.sub)
}

// tend reads what is known of s, or triggers a run.
func (s *schedule) tend(l luck) {
	if l.oneIn(3) {
		s.trigger()
		return
	}
	now := s.periodic.Info()
	s.r.findings.Due(s.seen.Every, s.last, now)
	s.last = now
}

// trigger wants a run, or a reason why there is none.
func (s *schedule) trigger() {
	cargo := s.r.cargo.load(0, "the ctx of Trigger, as submit")
	_, err := s.periodic.Trigger(context.WithValue(context.Background(), cargoKey{}, cargo))
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case err == nil:
		s.seen.Triggers++
	case errors.Is(err, fxtasks.ErrStillRunning):
	case errors.Is(err, fxtasks.ErrShuttingDown), errors.Is(err, fxtasks.ErrQueueFull) && s.sub.order.MaxPending != 0:
		s.seen.Refused++
	default:
		s.r.findings.Addf("Trigger gave %v", err)
	}
	s.r.tally.beats.Add(1)
}

// stop ends s, while others trigger and stop it too.
func (s *schedule) stop() {
	var all sync.WaitGroup
	all.Go(s.trigger)
	all.Go(s.periodic.Stop)
	s.periodic.Stop()
	stopped := time.Now()
	all.Wait()
	s.mu.Lock()
	s.seen.Stopped, s.seen.Ended = stopped, time.Now()
	s.mu.Unlock()
	if _, err := s.periodic.Trigger(context.Background()); !errors.Is(err, fxtasks.ErrShuttingDown) {
		s.r.findings.Addf("Trigger gave %v for a schedule that was stopped", err)
	}
	if slices.Contains(s.r.manager.Periodics(), s.periodic) {
		s.r.findings.Addf("schedule %q was stopped, and is among Periodics", s.seen.Name)
	}
}

// timekeeper makes schedules, one after the other.
func (r *round) timekeeper(l luck) {
	for !r.closing.Load() {
		time.Sleep(l.upTo(5 * time.Millisecond))
		sub := r.plain(pick(l, r.targets...), pickAct(l, func(a *act) bool { return !a.hangs && atDepth(1)(a) }))
		sub.depth = 1
		sub.limitTime(l)
		if r.retries > 0 && l.oneIn(3) {
			r.retry(l, &sub, atDepth(1))
		}
		s := r.schedule(l, sub, pick(l, time.Millisecond, 3*time.Millisecond, 7*time.Millisecond))
		if s == nil {
			continue
		}
		for end := time.Now().Add(l.upTo(200 * time.Millisecond)); time.Now().Before(end) && !r.closing.Load(); {
			time.Sleep(l.upTo(4 * time.Millisecond))
			s.tend(l)
		}
		s.stop()
	}
}

// tick wants a schedule to run again and again while nothing else goes on.
func (r *round) tick(l luck) {
	s := r.schedule(l, r.plain("", &returning), l.upTo(3*time.Millisecond))
	if s == nil {
		r.findings.Addf("Schedule made none, and the manager is %v", r.manager.State())
		return
	}
	r.within("three runs of a schedule", func() {
		for s.periodic.Info().Runs < 3 {
			time.Sleep(100 * time.Microsecond)
		}
	})
	s.stop()
}

// auditSchedules notes what came of all schedules, when nobody uses them any more.
func (r *round) auditSchedules() {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, s := range r.schedules { // all have ended: by Stop, or by a shutdown
		s.seen.Info = s.periodic.Info()
		r.ledger.Schedule(s.seen)
		r.tally.schedule(s.seen.Info)
	}
}
