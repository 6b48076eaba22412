package fxtasks_test

import (
	"context"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fxtasks/background/fxtasks"
)

// nextEvent reads an event that must be there, or come.
func nextEvent(t testing.TB, s *fxtasks.Subscription) fxtasks.Event {
	t.Helper()
	e, err := s.Next(context.Background())
	if err != nil {
		t.Fatalf("Next: %v", err)
	}
	return e
}

// TestEventsOfOneTask says which events there are of a task, and in which order.
func TestEventsOfOneTask(t *testing.T) {
	const (
		submitted, started, progress = fxtasks.EventSubmitted, fxtasks.EventStarted, fxtasks.EventProgress
		cancelling, finished         = fxtasks.EventCancelling, fxtasks.EventFinished
	)
	report := func(ctx context.Context) error {
		fxtasks.ReportProgress(ctx, fxtasks.Progress{Current: 1})
		fxtasks.ReportProgress(ctx, fxtasks.Progress{Current: 2})
		return nil
	}
	for _, test := range []struct {
		name string
		fn   fxtasks.Func
		opts []fxtasks.TaskOption
		busy bool                // when it is submitted: it has to wait for the slot
		then func(*fxtasks.Task) // a while later
		want []fxtasks.EventKind
	}{
		{name: "completed", fn: nothing,
			want: []fxtasks.EventKind{submitted, started, finished}},
		{name: "failed", fn: thatBecomes(fxtasks.Failed),
			want: []fxtasks.EventKind{submitted, started, finished}},
		{name: "panicked", fn: func(context.Context) error { panic("boom") },
			want: []fxtasks.EventKind{submitted, started, finished}},
		{name: "reports progress", fn: report,
			want: []fxtasks.EventKind{submitted, started, progress, progress, finished}},
		{name: "waits, then runs", fn: nothing, busy: true,
			want: []fxtasks.EventKind{submitted, started, finished}},
		{name: "cancelled while it waits", fn: nothing, busy: true, then: func(t *fxtasks.Task) { t.Cancel(nil) },
			want: []fxtasks.EventKind{submitted, finished}},
		{name: "cancelled while it runs", fn: untilCancelled, then: func(t *fxtasks.Task) { t.Cancel(nil) },
			want: []fxtasks.EventKind{submitted, started, cancelling, finished}},
		{name: "cancelled twice", fn: func(ctx context.Context) error {
			<-ctx.Done()
			<-time.After(time.Hour)
			return ctx.Err()
		},
			then: func(t *fxtasks.Task) { t.Cancel(nil); t.Cancel(nil) },
			want: []fxtasks.EventKind{submitted, started, cancelling, finished}},
		{name: "timed out", fn: untilCancelled, opts: []fxtasks.TaskOption{fxtasks.WithTimeout(time.Millisecond)},
			want: []fxtasks.EventKind{submitted, started, cancelling, finished}},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				m := newManager(t, fxtasks.Config{MaxRunning: 1})
				release := make(chan struct{})
				if test.busy {
					submit(t, m, "busy", until(release))
				}
				task := submit(t, m, "task", test.fn, test.opts...)
				pass(time.Second)
				if test.then != nil {
					test.then(task)
				}
				close(release)
				<-task.Done()
				_, _ = m.Shutdown(t.Context()) // so that All ends
				var got []fxtasks.EventKind
				var last fxtasks.Event
				for e := range m.Subscribe(0).All(t.Context()) {
					if e.Seq != last.Seq+1 || e.Time.Before(last.Time) {
						t.Errorf("event %d at %v follows after event %d at %v", e.Seq, e.Time, last.Seq, last.Time)
					}
					if last = e; e.Task.ID == task.ID() {
						got = append(got, e.Kind)
					}
				}
				if !slices.Equal(got, test.want) {
					t.Errorf("got %q, want %q", got, test.want)
				}
			})
		})
	}
}

func TestEventTimes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newManager(t, fxtasks.Config{MaxRunning: 1})
		release := make(chan struct{})
		submit(t, m, "busy", until(release))
		synctest.Wait()
		events := m.Subscribe(fxtasks.Latest)
		task := submit(t, m, "task", func(ctx context.Context) error {
			<-time.After(time.Second)
			fxtasks.ReportProgress(ctx, fxtasks.Progress{})
			return untilCancelled(ctx)
		})
		pass(time.Second)
		close(release)
		pass(2 * time.Second)
		task.Cancel(nil)
		synctest.Wait()
		info := task.Info()
		for _, want := range []struct {
			kind fxtasks.EventKind
			time time.Time
		}{
			{fxtasks.EventSubmitted, info.CreatedAt},
			{fxtasks.EventFinished, info.StartedAt}, // of the busy one, whose slot the task takes
			{fxtasks.EventStarted, info.StartedAt},
			{fxtasks.EventProgress, info.Progress.UpdatedAt},
			{fxtasks.EventCancelling, info.CancelRequestedAt},
			{fxtasks.EventFinished, info.FinishedAt},
		} {
			if e := nextEvent(t, events); e.Kind != want.kind || !e.Time.Equal(want.time) {
				t.Errorf("event %q at %v, want %q at %v", e.Kind, e.Time, want.kind, want.time)
			}
		}
	})
}

func TestSubscribeBegins(t *testing.T) {
	m := newManager(t, fxtasks.Config{})
	_ = submit(t, m, "before", nothing).Wait(t.Context())
	seq := m.List(fxtasks.Filter{}).Seq
	latest := m.Subscribe(fxtasks.Latest)
	_ = submit(t, m, "after", nothing).Wait(t.Context())

	for _, test := range []struct {
		name string
		s    *fxtasks.Subscription
		want uint64
	}{
		{"at 0: with the first event", m.Subscribe(0), 1},
		{"in the middle", m.Subscribe(2), 3},
		{"at Page.Seq: with the next one", m.Subscribe(seq), seq + 1},
		{"at Latest: with what came after the call", latest, seq + 1},
	} {
		if e := nextEvent(t, test.s); e.Seq != test.want {
			t.Errorf("%s: begins at event %d, want %d", test.name, e.Seq, test.want)
		}
		if n := test.s.Missed(); n != 0 {
			t.Errorf("%s: Missed is %d of events that are all kept", test.name, n)
		}
	}
}

// TestEventShowsTheTaskAsItIsWhenRead reads the first event of a task that has long ended.
func TestEventShowsTheTaskAsItIsWhenRead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newManager(t, fxtasks.Config{RetainFinished: -1}) // it is not even on record any more
		early, late := m.Subscribe(0), m.Subscribe(0)
		release := make(chan struct{})
		task := submit(t, m, "task", until(release))
		synctest.Wait()
		if e := nextEvent(t, early); e.Kind != fxtasks.EventSubmitted || e.Task.Status != fxtasks.Running {
			t.Errorf("read while the task runs: %q with status %v", e.Kind, e.Task.Status)
		}
		pass(time.Second)
		close(release)
		synctest.Wait()
		e := nextEvent(t, late)
		if info := task.Info(); e.Kind != fxtasks.EventSubmitted || e.Task.Status != fxtasks.Completed ||
			!e.Task.FinishedAt.Equal(info.FinishedAt) || !e.Time.Equal(info.CreatedAt) {
			t.Errorf("read after the task has ended: %q at %v of %+v", e.Kind, e.Time, e.Task)
		}
	})
}
