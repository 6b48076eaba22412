package fxtasks_test

import (
	"context"
	"errors"
	"io"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fxtasks/background/fxtasks"
)

func TestNextWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newManager(t, fxtasks.Config{})
		events := m.Subscribe(0)
		got := make(chan fxtasks.Event, 1)
		go func() { got <- nextEvent(t, events) }()
		pass(time.Hour)
		if len(got) > 0 {
			t.Fatalf("Next gave %+v before anything happened", <-got)
		}
		submit(t, m, "task", nothing)
		if e := <-got; e.Kind != fxtasks.EventSubmitted {
			t.Errorf("Next gave %q", e.Kind)
		}

		synctest.Wait()
		for range 2 {
			nextEvent(t, events)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		began := time.Now()
		if _, err := events.Next(ctx); !errors.Is(err, context.DeadlineExceeded) || time.Since(began) != time.Minute {
			t.Errorf("Next gave %v after %v, want ctx's error after %v", err, time.Since(began), time.Minute)
		}
		submit(t, m, "task", nothing)
		if _, err := events.Next(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Next with a ctx that has ended gave %v", err)
		}
		if e := nextEvent(t, events); e.Kind != fxtasks.EventSubmitted || e.Seq != 4 {
			t.Errorf("after that it goes on with %q, event %d: want the 4th", e.Kind, e.Seq)
		}
	})
}

// TestNextGivesEOFWhenAnIdleManagerStops: no last event wakes the reader.
func TestNextGivesEOFWhenAnIdleManagerStops(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newManager(t, fxtasks.Config{})
		got := make(chan error, 1)
		go func() {
			_, err := m.Subscribe(0).Next(context.Background())
			got <- err
		}()
		synctest.Wait()
		if _, err := m.Shutdown(t.Context()); err != nil {
			t.Fatal(err)
		}
		if err := <-got; err != io.EOF {
			t.Errorf("Next gave %v", err)
		}
	})
}

// TestNextGivesEOF has one subscription that waits while the manager stops and one that has not
// read anything yet.
func TestNextGivesEOF(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newManager(t, fxtasks.Config{})
		waiting, unread := m.Subscribe(fxtasks.Latest), m.Subscribe(0)
		got := make(chan error, 1)
		go func() {
			for {
				if _, err := waiting.Next(context.Background()); err != nil {
					got <- err
					return
				}
			}
		}()
		submit(t, m, "task", untilCancelled)
		synctest.Wait()
		if _, err := m.Shutdown(t.Context()); err != nil {
			t.Fatal(err)
		}
		if err := <-got; err != io.EOF {
			t.Errorf("the one that waited got %v", err)
		}
		for _, want := range []fxtasks.EventKind{fxtasks.EventSubmitted, fxtasks.EventStarted, fxtasks.EventCancelling, fxtasks.EventFinished} {
			if e := nextEvent(t, unread); e.Kind != want {
				t.Errorf("read after the stop: %q, want %q", e.Kind, want)
			}
		}
		for name, s := range map[string]*fxtasks.Subscription{"the one that has read all": unread,
			"Latest": m.Subscribe(fxtasks.Latest)} {
			for range 2 {
				if _, err := s.Next(t.Context()); err != io.EOF {
					t.Errorf("%s got %v", name, err)
				}
			}
		}
	})
}
