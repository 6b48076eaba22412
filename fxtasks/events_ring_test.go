package fxtasks_test

import (
	"context"
	"runtime"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fxtasks/background/fxtasks"
)

const eventsKept = 1024 // as documented

// publish makes n events happen: three for each task, or four for one that is cancelled.
func publish(t *testing.T, m *fxtasks.Manager, n int) {
	t.Helper()
	before := m.List(fxtasks.Filter{}).Seq
	for left := n; left > 0; {
		task := submit(t, m, "work", untilCancelled)
		for task.Status() != fxtasks.Running {
			runtime.Gosched()
		}
		left -= 4
		task.Cancel(nil)
		<-task.Done()
		for left%4 != 0 && left > 0 {
			_ = submit(t, m, "work", nothing).Wait(t.Context())
			left -= 3
		}
	}
	if got := m.List(fxtasks.Filter{}).Seq - before; got != uint64(n) {
		t.Fatalf("%d events happened, want %d", got, n)
	}
}

// TestSlowReaderLosesTheOldest has readers that have read some events when more come than are kept.
func TestSlowReaderLosesTheOldest(t *testing.T) {
	for _, test := range []struct {
		name                      string
		first, read, more, missed int
	}{
		{"all are kept", eventsKept, 0, 0, 0},
		{"one too many", eventsKept + 1, 0, 0, 1},
		{"many too many", 3 * eventsKept, 0, 0, 2 * eventsKept},
		{"a reader that keeps up", eventsKept, eventsKept - 1, eventsKept - 1, 0},
		{"a reader that falls behind by one", eventsKept, 10, 11, 1},
		{"a reader that falls behind by far", 100, 50, 10 * eventsKept, 100 - 50 + 9*eventsKept},
	} {
		t.Run(test.name, func(t *testing.T) {
			m := newManager(t, fxtasks.Config{})
			s := m.Subscribe(0)
			publish(t, m, test.first)
			seq := uint64(0)
			for range test.read {
				seq = nextEvent(t, s).Seq
			}
			if seq != uint64(test.read) {
				t.Fatalf("the %d. event that was read is event %d", test.read, seq)
			}
			if test.more > 0 {
				publish(t, m, test.more)
			}
			if got := s.Missed(); got != uint64(test.missed) {
				t.Errorf("before the next read: Missed is %d, want %d", got, test.missed)
			}
			if e := nextEvent(t, s); e.Seq != seq+uint64(test.missed)+1 {
				t.Errorf("the next read gives event %d, want %d: the oldest that is kept", e.Seq, seq+uint64(test.missed)+1)
			}
			for range test.first + test.more - test.read - test.missed - 1 {
				nextEvent(t, s)
			}
			if got := s.Missed(); got != uint64(test.missed) {
				t.Errorf("at the end: Missed is %d, want %d", got, test.missed)
			}
		})
	}
}

// TestSubscriptionsThatNeverRead are what dropped browser connections leave: they must not hold up
// tasks, cost a goroutine, or lose count.
func TestSubscriptionsThatNeverRead(t *testing.T) {
	const subscriptions, events = 1000, 3 * eventsKept
	m := newManager(t, fxtasks.Config{})
	goroutines := runtime.NumGoroutine()
	var subs []*fxtasks.Subscription
	for range subscriptions {
		subs = append(subs, m.Subscribe(fxtasks.Latest))
	}
	if got := runtime.NumGoroutine(); got > goroutines {
		t.Errorf("%d subscriptions started %d goroutines", subscriptions, got-goroutines)
	}
	publish(t, m, events)
	for i, s := range subs {
		if got := s.Missed(); got != events-eventsKept {
			t.Fatalf("subscription %d missed %d events, want %d", i, got, events-eventsKept)
		}
	}
}

// TestAll reads until its reader stops, goes on from there, and ends when ctx or the manager does.
func TestAll(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newManager(t, fxtasks.Config{})
		s := m.Subscribe(0)
		submit(t, m, "task", nothing)
		synctest.Wait()
		for e := range s.All(t.Context()) {
			if e.Seq == 2 {
				break
			}
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		var seqs []uint64
		began := time.Now()
		for e := range s.All(ctx) {
			seqs = append(seqs, e.Seq)
		}
		if len(seqs) != 1 || seqs[0] != 3 || time.Since(began) != time.Second {
			t.Errorf("after a break All gave events %v in %v: want the 3rd, and an end with ctx", seqs, time.Since(began))
		}
		submit(t, m, "task", untilCancelled)
		ended := make(chan int)
		go func() {
			n := 0
			for range s.All(context.Background()) {
				n++
			}
			ended <- n
		}()
		synctest.Wait()
		if _, err := m.Shutdown(t.Context()); err != nil {
			t.Fatal(err)
		}
		if n := <-ended; n != 4 { // submitted, started, cancelling, finished
			t.Errorf("until the manager had stopped All gave %d events, want 4", n)
		}
	})
}
