package fxtasks

import (
	"context"
	"errors"
	"runtime"
	"slices"
	"testing"
	"testing/synctest"
	"time"
)

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

// A Shutdown refuses the blocked submits of its group in steps. Those of other groups need not wait for that.
func TestBlockedSubmitsOfAGroupThatIsClosedHoldUpNoOther(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, err := New(Config{MaxRunning: 1, MaxPending: -1})
		if err != nil {
			t.Fatal(err)
		}
		closed, err := m.Group("closed", GroupConfig{})
		if err != nil {
			t.Fatal(err)
		}
		free := make(chan struct{})
		if _, err := m.Submit(t.Context(), "busy", func(context.Context) error { <-free; return nil }); err != nil {
			t.Fatal(err)
		}
		var started []string
		submit := func(into Submitter, name string) {
			go func() {
				fn := func(context.Context) error { started = append(started, name); return nil }
				_, _ = into.Submit(context.Background(), name, fn, WithBlocking())
			}()
			synctest.Wait()
		}
		submit(closed, "of the closed group")
		submit(m, "of no group")
		cs := m.reg.enter()
		closed.closed = true // as by Shutdown, which has not come to refuse them
		cs.leave()
		close(free)
		synctest.Wait()
		if !slices.Equal(started, []string{"of no group"}) {
			t.Errorf("started: %q", started)
		}
		if _, err := m.Shutdown(context.Background()); err != nil {
			t.Error(err)
		}
	})
}

// A slot that has just become free is for those who wait, also when the section that finds it free is that of a submit.
// Where nothing may be pending, the submit is refused.
func TestASubmitOvertakesNobodyWhoWaitsForTheSlotThatItFindsFree(t *testing.T) {
	for name, c := range map[string]struct {
		maxPending int
		opts       []TaskOption
	}{
		"queued":  {0, nil},
		"blocked": {-1, []TaskOption{WithBlocking()}},
	} {
		t.Run(name, func(t *testing.T) {
			for range 100 { // the task that returns may be the first to have the mutex
				m, err := New(Config{MaxRunning: 1, MaxPending: c.maxPending})
				if err != nil {
					t.Fatal(err)
				}
				none, err := m.Group("none", GroupConfig{MaxPending: -1})
				if err != nil {
					t.Fatal(err)
				}
				returns, free := make(chan struct{}), make(chan struct{})
				if _, err := m.Submit(t.Context(), "first", func(context.Context) error { <-returns; return nil }); err != nil {
					t.Fatal(err)
				}
				go func() {
					_, _ = m.Submit(context.Background(), "waits", func(context.Context) error { <-free; return nil }, c.opts...)
				}()
				for countBlocked(m)+m.Stats().Pending == 0 {
					runtime.Gosched()
				}
				m.reg.mu.Lock()
				close(returns)
				for m.reg.returned.top.Load().isSentinel() {
					runtime.Gosched()
				}
				m.reg.mu.Unlock()
				if _, err := none.Submit(t.Context(), "late", func(context.Context) error { return nil }); !errors.Is(err, ErrQueueFull) {
					t.Fatalf("Submit gave %v", err)
				}
				close(free)
				if _, err := m.Shutdown(context.Background()); err != nil {
					t.Fatal(err)
				}
			}
		})
	}
}
