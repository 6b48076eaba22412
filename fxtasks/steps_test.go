package fxtasks

import (
	"context"
	"errors"
	"testing"
	"time"
)

// These tests count what one critical section does, since that bounds how long others wait for the mutex: a
// millisecond or two. A stopwatch would measure the machine.

const (
	many = 5_000
	few  = 1_000 // at most, for one section
)

// newWithQueue makes a manager whose one slot is taken, and whose queue has n tasks. release frees the slot.
func newWithQueue(t *testing.T, cfg Config, n int, opts ...TaskOption) (m *Manager, release func()) {
	cfg.MaxRunning, cfg.RetainFinished = 1, 2*n
	m, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	free := make(chan struct{})
	busy, err := m.Submit(t.Context(), "busy", func(context.Context) error { <-free; return nil })
	if err != nil {
		t.Fatal(err)
	}
	for range n {
		if _, err := m.Submit(t.Context(), "queued", func(context.Context) error { return nil }, opts...); err != nil {
			t.Fatal(err)
		}
	}
	t.Cleanup(func() {
		if _, err := m.Shutdown(context.Background()); err != nil {
			t.Error(err)
		}
	})
	return m, func() { close(free); <-busy.Done() }
}

// countEnded returns how many tasks have ended.
func countEnded(m *Manager) int {
	m.reg.mu.Lock()
	defer m.reg.mu.Unlock()
	return int(m.reg.ends)
}

// Whoever frees the slot does not end the whole queue, though the grace of all tasks in it is over.
func TestAQueueWhoseGraceIsOverIsNotEndedByOneSection(t *testing.T) {
	m, release := newWithQueue(t, Config{DrainGrace: time.Hour}, many)
	clock := newDrainClock(m, time.Now().Add(-time.Hour), time.Now().Add(time.Hour)) // in which the grace has just ended
	cs := m.reg.enter()
	cs.startClock(clock, nil)
	cs.leave()
	release()
	if n := countEnded(m) - 1; n > few {
		t.Errorf("the section that freed the slot ended %d tasks", n)
	}
	clock.collect(nil)
	clock.run()
	if n := countEnded(m) - 1; n != many {
		t.Errorf("the clock ended %d tasks of %d", n, many)
	}
}

// Until the clock of a drain has ended what is cut off, nothing starts ahead of that. So where nothing may be pending, no submit
// is taken.
func TestNothingIsPendingWhereNothingMayBehindAQueueWhoseGraceIsOver(t *testing.T) {
	m, release := newWithQueue(t, Config{DrainGrace: time.Hour}, few)
	none, err := m.Group("none", GroupConfig{MaxPending: -1})
	if err != nil {
		t.Fatal(err)
	}
	clock := newDrainClock(m, time.Now().Add(-time.Hour), time.Now().Add(time.Hour))
	cs := m.reg.enter()
	cs.startClock(clock, nil)
	cs.leave()
	release()
	long := WithDrainGrace(2 * time.Hour)
	fn := func(context.Context) error { return nil }
	if task, err := none.Submit(t.Context(), "early", fn, long); !errors.Is(err, ErrQueueFull) {
		t.Errorf("Submit gave %v, %v", task, err)
	}
	waits := make(chan error, 1)
	go func() {
		task, err := none.Submit(t.Context(), "waits", fn, long, WithBlocking())
		if err == nil {
			err = task.Wait(t.Context())
		}
		waits <- err
	}()
	for countBlocked(m)+none.Stats().Pending == 0 {
		time.Sleep(time.Millisecond)
	}
	if n := none.Stats().Pending; n != 0 {
		t.Errorf("%d tasks are pending where none may be", n)
	}
	clock.collect(nil)
	clock.run()
	if err := <-waits; err != nil {
		t.Errorf("the submit that waited gave %v", err)
	}
}

// The clock refuses blocked submits, too, in steps.
func TestBlockedSubmitsWhoseGraceIsOverAreNotRefusedByOneSection(t *testing.T) {
	m, release := newWithQueue(t, Config{MaxPending: -1, DrainGrace: time.Hour}, 0)
	refused := make(chan error, many)
	for i := range many {
		go func() {
			_, err := m.Submit(t.Context(), "blocked", func(context.Context) error { return nil },
				WithBlocking(), WithID("same"), WithDuplicate(DuplicatePolicy(i%2)*Replace))
			refused <- err
		}()
	}
	for countBlocked(m) < many {
		time.Sleep(time.Millisecond)
	}
	clock := newDrainClock(m, time.Now().Add(-time.Hour), time.Now().Add(time.Hour))
	cs := m.reg.enter()
	cs.startClock(clock, nil)
	cs.leave()
	release()
	if n := many - countBlocked(m); n > few {
		t.Errorf("the section that freed the slot refused %d submits", n)
	}
	clock.run()
	for range many {
		if err := <-refused; !errors.Is(err, ErrShuttingDown) {
			t.Fatalf("a blocked submit got %v", err)
		}
	}
}

// countBlocked returns how many submits wait for room.
func countBlocked(m *Manager) int {
	m.reg.mu.Lock()
	defer m.reg.mu.Unlock()
	return m.reg.blocked.len
}

// A page costs the same wherever it is, and a search looks at a few records at a time.
func TestAPageLooksAtAsManyRecordsAtTheEndOfTheListAsAtItsBeginning(t *testing.T) {
	m, release := newWithQueue(t, Config{}, many-1)
	defer release()
	steps := func(f Filter) (n int, next string) {
		from, ok := f.Order.parseToken(f.After)
		if !ok {
			t.Fatalf("the token %q is not read", f.After)
		}
		l := listing{f: &f, r: m.reg, from: from, limit: f.Limit, text: f.Text, next: from}
		for more := true; more; n++ {
			before := l.next
			more = l.step()
			if looked := max(l.next, before) - min(l.next, before); before != f.Order.start() && looked > few {
				t.Errorf("one section looked at %d records", looked)
			}
		}
		if l.more {
			next = f.Order.token(l.last)
		}
		return n, next
	}
	for _, order := range []Order{NewestFirst, OldestFirst} {
		f := Filter{Limit: 100, Order: order}
		for page := 0; page == 0 || f.After != ""; page++ {
			var n int
			if n, f.After = steps(f); n > 1 {
				t.Errorf("page %d in order %v needs %d sections", page, order, n)
			}
		}
	}
	if n, _ := steps(Filter{Limit: 100, Text: "nowhere"}); n < many/few {
		t.Errorf("a search in %d records needs %d sections", many, n)
	}
}

// What ends or forgets many tasks lets others in between, if they wait for the mutex. Which of them comes first is
// left to the runtime, so that they get several chances: a call of one section gives them none.
func TestOthersGetInBetweenTheStepsOfACall(t *testing.T) {
	const n = 25_000
	for name, c := range map[string]struct {
		finished bool // the tasks have ended before the call
		call     func(m *Manager)
		left     func(m *Manager) int // of what the call ends or forgets
	}{
		"CancelAll": {false, func(m *Manager) { _ = m.CancelAll(context.Background(), nil) }, func(m *Manager) int { return m.Stats().Pending }},
		"Shutdown":  {false, func(m *Manager) { _, _ = m.Shutdown(context.Background()) }, func(m *Manager) int { return m.Stats().Pending }},
		"Cleanup":   {true, func(m *Manager) { m.Cleanup() }, func(m *Manager) int { return m.List(Filter{Limit: 1}).Total }},
	} {
		t.Run(name, func(t *testing.T) {
			seen := false
			for range 20 {
				m, release := newWithQueue(t, Config{}, n)
				if c.finished {
					release()
					if err := m.Wait(t.Context()); err != nil {
						t.Fatal(err)
					}
				}
				m.reg.entering.Add(1) // as if somebody always waited
				go c.call(m)
				for left := n; left > 0 && !seen; left = c.left(m) {
					seen = left < n
				}
				m.reg.entering.Add(-1)
				if !c.finished {
					release()
				}
				if seen {
					return
				}
			}
			t.Error("nobody saw an intermediate state")
		})
	}
}

// Others also get in between when many tasks have returned together: whoever comes first does not record all of
// them in one section.
func TestOthersGetInBetweenWhenManyTasksHaveReturnedTogether(t *testing.T) {
	seen := false
	for range 20 {
		m, err := New(Config{})
		if err != nil {
			t.Fatal(err)
		}
		release := returnTogether(t, m, many)
		m.reg.mu.Lock()
		release()
		m.reg.entering.Add(1) // as if somebody always waited
		m.reg.mu.Unlock()
		for left := many; left > 0 && !seen; left = m.Stats().Running {
			seen = left < many
		}
		m.reg.entering.Add(-1)
		if _, err := m.Shutdown(context.Background()); err != nil {
			t.Error(err)
		}
		if seen {
			return
		}
	}
	t.Error("nobody saw an intermediate state")
}

// returnTogether submits tasks that return when release is called, which has to be with the mutex held. It
// returns when all are in the inbox.
func returnTogether(t *testing.T, m *Manager, n int) (release func()) {
	free := make(chan struct{})
	for range n {
		if _, err := m.Submit(t.Context(), "work", func(context.Context) error { <-free; return nil }); err != nil {
			t.Fatal(err)
		}
	}
	m.Stats() // puts all on record
	return func() {
		close(free)
		for returned := 0; returned < n; { // nobody takes them out meanwhile
			time.Sleep(time.Millisecond)
			returned = 0
			for t := m.reg.returned.top.Load(); !t.isSentinel(); t = t.next {
				returned++
			}
		}
	}
}
