package fxtasks

import (
	"context"
	"errors"
	"runtime"
	"strconv"
	"testing"
	"testing/synctest"
	"time"
)

// The drain ends a long queue in steps. A group whose queue is being ended meanwhile holds up no other.
func TestAGroupWhoseTasksAreCutOffHoldsUpNoOther(t *testing.T) {
	for name, c := range map[string]struct {
		maxPending int
		opts       []TaskOption
	}{
		"queued":  {0, nil},
		"blocked": {-1, []TaskOption{WithBlocking()}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				m, err := New(Config{MaxRunning: 1, MaxPending: c.maxPending})
				if err != nil {
					t.Fatal(err)
				}
				first, err := m.Group("first", GroupConfig{})
				if err != nil {
					t.Fatal(err)
				}
				free := make(chan struct{})
				if _, err := m.Submit(t.Context(), "busy", func(context.Context) error { <-free; return nil }); err != nil {
					t.Fatal(err)
				}
				started := map[string]bool{}
				submit := func(into Submitter, name string) {
					go func() {
						_, _ = into.Submit(context.Background(), name, func(context.Context) error { started[name] = true; return nil }, c.opts...)
					}()
					synctest.Wait()
				}
				submit(first, "of the group")
				submit(m, "of no group")
				clock := newDrainClock(m, time.Now(), time.Now().Add(time.Hour))
				cs := m.reg.enter()
				cs.startClock(clock, first) // and it has not looked at the task of the group yet
				cs.leave()
				close(free)
				synctest.Wait()
				if started["of the group"] || !started["of no group"] {
					t.Errorf("started: %v, want the task of no group alone", started)
				}
				if _, err := m.Shutdown(context.Background()); err != nil {
					t.Error(err)
				}
			})
		})
	}
}

// One section does not look past all groups that are cut off. The slot that it leaves free is not for a submit that would then
// be pending where nothing may be.
func TestNothingIsPendingWhereNothingMayBehindManyGroupsThatAreCutOff(t *testing.T) {
	m, release := newWithQueue(t, Config{DrainGrace: time.Hour}, 0)
	none, err := m.Group("none", GroupConfig{MaxPending: -1})
	if err != nil {
		t.Fatal(err)
	}
	work := func(context.Context) error { return nil }
	for i := range 5 * batch {
		g, err := m.Group(strconv.Itoa(i), GroupConfig{})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := g.Submit(t.Context(), "cut off", work); err != nil {
			t.Fatal(err)
		}
	}
	clock := newDrainClock(m, time.Now().Add(-time.Hour), time.Now().Add(time.Hour))
	cs := m.reg.enter()
	cs.startClock(clock, nil)
	cs.leave()
	release()
	if task, err := none.Submit(t.Context(), "late", work, WithDrainGrace(2*time.Hour)); !errors.Is(err, ErrQueueFull) {
		t.Errorf("Submit gave %v, %v", task, err)
	}
	clock.collect(nil)
	clock.run()
	if err := m.Wait(t.Context()); err != nil {
		t.Error(err)
	}
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
