package fxtasks_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fxtasks/background/fxtasks"
)

// Random programs of tasks that start later, fail, time out, are tried again and are cancelled on the way,
// beside a schedule. What becomes of each is worked out from its plan alone, and compared. FXTASKS_PROGRAMS and
// FXTASKS_FIRST are as for TestRandomProgramsOfTasksThatWait.

// tryPlan is what one attempt does.
type tryPlan struct {
	what string // "complete", "fail", "fail for good" or "panic"
	work time.Duration
	wait time.Duration // before the next attempt
}

type taskPlan struct {
	delay, timeout time.Duration
	tries          []tryPlan
	cancelAt       time.Duration // after the submit; 0: never
}

// fate is what becomes of a task.
type fate struct {
	status   fxtasks.Status
	attempts int
	retried  int           // how often it was put back
	at       time.Duration // when it ends, if nothing holds it up
}

func (p taskPlan) fate() fate {
	f := fate{at: p.delay}
	cancelled := func(by time.Duration) bool { return p.cancelAt > 0 && p.cancelAt < by }
	for i, try := range p.tries {
		if cancelled(f.at) {
			break
		}
		f.attempts++
		end, status := f.at+try.work, fxtasks.Failed
		switch {
		case p.timeout > 0 && p.timeout < try.work:
			end, status = f.at+p.timeout, fxtasks.TimedOut
		case try.what == "complete":
			status = fxtasks.Completed
		}
		if cancelled(end) {
			break
		}
		f.at, f.status = end, status
		if status == fxtasks.Completed || i == len(p.tries)-1 || status == fxtasks.Failed && try.what == "fail for good" {
			return f
		}
		f.retried++
		f.at += try.wait
	}
	f.status, f.at = fxtasks.Cancelled, p.cancelAt
	return f
}

func randomPlan(r *rand.Rand, cancels bool) taskPlan {
	upTo := func(d time.Duration) time.Duration { return 1 + time.Duration(r.Int64N(int64(d))) } // to the nanosecond: nothing happens at once
	var p taskPlan
	if r.IntN(3) == 0 {
		p.delay = upTo(time.Minute)
	}
	if r.IntN(2) == 0 {
		p.timeout = upTo(20 * time.Second)
	}
	for range 1 + r.IntN(4) {
		what := []string{"complete", "fail", "fail", "fail", "fail for good", "panic"}[r.IntN(6)]
		p.tries = append(p.tries, tryPlan{what, upTo(20 * time.Second), upTo(time.Minute)})
	}
	if cancels && r.IntN(3) == 0 {
		p.cancelAt = upTo(2 * time.Minute)
	}
	return p
}

// planned is a task on its way.
type planned struct {
	taskPlan
	task *fxtasks.Task

	mu     sync.Mutex
	begins []time.Time
	ends   []time.Time
}

func (p *planned) perform(ctx context.Context) error {
	p.mu.Lock()
	n := len(p.begins)
	p.begins = append(p.begins, time.Now())
	p.mu.Unlock()
	defer func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		p.ends = append(p.ends, time.Now())
	}()
	try := p.tries[n]
	select {
	case <-time.After(try.work):
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	switch err := errors.New(try.what); try.what {
	case "complete":
		return nil
	case "fail for good":
		return fxtasks.Permanent(err)
	case "panic":
		panic(err)
	default:
		return err
	}
}

func (p *planned) options() []fxtasks.TaskOption {
	return []fxtasks.TaskOption{
		fxtasks.WithDelay(p.delay), fxtasks.WithTimeout(p.timeout),
		fxtasks.WithRetry(fxtasks.Retry{
			MaxAttempts: len(p.tries),
			Delay:       func(attempt int) time.Duration { return p.tries[attempt-1].wait },
		}),
	}
}

func TestRandomRetries(t *testing.T) {
	first := numberOr("FXTASKS_FIRST", 1)
	for n := first; n < first+numberOr("FXTASKS_PROGRAMS", 200); n++ {
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { runPlans(t, rand.New(rand.NewPCG(uint64(n), 1)), n%2 == 0) })
		})
	}
}

func runPlans(t *testing.T, r *rand.Rand, limited bool) {
	cfg, group := fxtasks.Config{RetainFor: 10 * time.Hour}, fxtasks.GroupConfig{}
	if limited {
		cfg.MaxRunning, group.MaxRunning = 1+r.IntN(4), 1+r.IntN(3)
	}
	m := newManager(t, cfg)
	g := newGroup(t, m, "group", group)
	began := time.Now()
	const tick = 7 * time.Second
	ticks, err := m.Schedule("tick", fxtasks.Every(tick), func(context.Context) error {
		time.Sleep(time.Duration(time.Now().Unix()*7919%20) * time.Second) // some are over before the next one, some are not
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	var all []*planned
	for range 1 + r.IntN(20) {
		p := &planned{taskPlan: randomPlan(r, !limited)}
		into := []fxtasks.Submitter{m, g}[r.IntN(2)]
		p.task = submit(t, into, "planned", p.perform, p.options()...)
		if p.cancelAt > 0 {
			time.AfterFunc(p.cancelAt, func() { p.task.Cancel(nil) })
		}
		all = append(all, p)
	}
	for range r.IntN(20) {
		time.Sleep(1 + time.Duration(r.Int64N(int64(20*time.Second))))
		checkSums(t, m, cfg, g, group)
	}
	retried := uint64(0)
	for _, p := range all {
		<-p.task.Done()
		p.check(t, began, limited)
		retried += uint64(p.fate().retried)
	}
	synctest.Wait()
	info := ticks.Info()
	if due := uint64(multiples(time.Now(), tick) - multiples(began, tick)); info.Runs+info.Skipped != due {
		t.Errorf("the schedule has run %d times and skipped %d, want %d together", info.Runs, info.Skipped, due)
	}
	ticks.Stop()
	if err := m.Wait(t.Context()); err != nil {
		t.Error(err)
	}
	checkSums(t, m, cfg, g, group)
	if n := m.Stats().Retried; n != retried {
		t.Errorf("Retried is %d, want %d", n, retried)
	}
}

// multiples returns how many multiples of d have passed since 1970.
func multiples(now time.Time, d time.Duration) int64 { return now.UnixNano() / int64(d) }

func (p *planned) check(t *testing.T, began time.Time, limited bool) {
	t.Helper()
	want, info := p.fate(), p.task.Info()
	if info.Status != want.status || info.Attempt != want.attempts || len(p.begins) != want.attempts {
		t.Errorf("%+v is %v after %d attempts, of which %d began, want %+v", p.taskPlan, info.Status, info.Attempt, len(p.begins), want)
		return
	}
	if at := info.FinishedAt.Sub(began); !limited && at != want.at {
		t.Errorf("%+v ended after %v, want %+v", p.taskPlan, at, want)
	}
	due := began.Add(p.delay)
	for i, start := range p.begins {
		if start.Before(due) || !limited && start.After(due) {
			t.Errorf("%+v: attempt %d began at %v, and was due at %v", p.taskPlan, i+1, start.Sub(began), due.Sub(began))
		}
		due = p.ends[i].Add(p.tries[i].wait)
	}
	if failed := want.status == fxtasks.Failed || want.status == fxtasks.TimedOut; failed != (info.Err != nil && want.status != fxtasks.Cancelled) {
		t.Errorf("%+v: Err is %v, and it is %v", p.taskPlan, info.Err, want.status)
	}
}

// checkSums compares what is counted in different places.
func checkSums(t *testing.T, m *fxtasks.Manager, cfg fxtasks.Config, g *fxtasks.Group, group fxtasks.GroupConfig) {
	t.Helper()
	synctest.Wait()
	s := m.Stats()
	if s.Submitted != uint64(s.Pending+s.Running)+s.Completed+s.Failed+s.Cancelled+s.TimedOut {
		t.Errorf("the counters do not add up: %+v", s.Counts)
	}
	var minutes fxtasks.Minute
	for _, minute := range m.History().Minutes {
		minutes.Completed += minute.Completed
		minutes.Failed += minute.Failed
		minutes.Cancelled += minute.Cancelled
		minutes.TimedOut += minute.TimedOut
	}
	if uint64(minutes.Completed) != s.Completed || uint64(minutes.Failed) != s.Failed ||
		uint64(minutes.Cancelled) != s.Cancelled || uint64(minutes.TimedOut) != s.TimedOut {
		t.Errorf("the history has %+v, the counters %+v", minutes, s.Counts)
	}
	if n := g.Stats().Running; cfg.MaxRunning > 0 && s.Running > cfg.MaxRunning || group.MaxRunning > 0 && n > group.MaxRunning {
		t.Errorf("%d run, %d of them in the group", s.Running, n)
	}
	for _, info := range m.List(fxtasks.Filter{Statuses: []fxtasks.Status{fxtasks.Pending}, Limit: 1000}).Tasks {
		if between := info.Attempt > 0; between && (info.LastErr == nil || info.NotBefore.IsZero() || !info.CancelRequestedAt.IsZero()) {
			t.Errorf("between two attempts it is %+v", info)
		}
	}
}
