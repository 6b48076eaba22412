package fxtasks_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"

	"github.com/fxtasks/background/fxtasks"
)

// world is what a reader of all events knows: each task's status, and how many have which.
type world struct {
	statuses map[uint64]fxtasks.Status
	counts   fxtasks.Counts
}

// after gives the world as it is once the event has happened. What an event shows of a task may be
// newer than the event, but an end is final: its status is the one that the event tells of.
func (w *world) after(t *testing.T, e fxtasks.Event) {
	t.Helper()
	had, known := w.statuses[e.Task.Seq]
	leave := func(from ...fxtasks.Status) {
		if !known || !slices.Contains(from, had) {
			t.Fatalf("event %d: task %d is %q, but it was %v (known: %v)", e.Seq, e.Task.Seq, e.Kind, had, known)
		}
		switch had {
		case fxtasks.Pending:
			w.counts.Pending--
		case fxtasks.Running:
			w.counts.Running--
		}
	}
	now := had
	switch e.Kind {
	case fxtasks.EventSubmitted:
		if known {
			t.Fatalf("event %d: task %d is submitted again", e.Seq, e.Task.Seq)
		}
		now = fxtasks.Pending
		w.counts.Submitted++
		w.counts.Pending++
	case fxtasks.EventStarted:
		leave(fxtasks.Pending)
		now = fxtasks.Running
		w.counts.Running++
	case fxtasks.EventFinished:
		leave(fxtasks.Pending, fxtasks.Running)
		now = e.Task.Status
		switch now {
		case fxtasks.Completed:
			w.counts.Completed++
		case fxtasks.Failed:
			w.counts.Failed++
		case fxtasks.Cancelled:
			w.counts.Cancelled++
		case fxtasks.TimedOut:
			w.counts.TimedOut++
		default:
			t.Fatalf("event %d: task %d is %q and %v", e.Seq, e.Task.Seq, e.Kind, now)
		}
	}
	w.statuses[e.Task.Seq] = now
}

// asked is what the manager said at one moment: a page, figures, another page.
type asked struct {
	before, after fxtasks.Page
	stats         fxtasks.Stats
}

// TestStatsListAndEventsAgree asks for lists and figures while tasks of every kind come and go, and
// then replays the events. A page must show exactly the statuses that the events up to its Seq
// tell of, and figures must be those after one of the events between the pages around them.
func TestStatsListAndEventsAgree(t *testing.T) {
	const rounds, submitters, each = 15, 4, 50 // at most five events for a task: all of them are kept
	for range rounds {
		m := newManager(t, fxtasks.Config{MaxRunning: 3})
		g, err := m.Group("eu", fxtasks.GroupConfig{MaxRunning: 2})
		if err != nil {
			t.Fatal(err)
		}
		var working sync.WaitGroup
		for i := range submitters {
			s := []fxtasks.Submitter{m, g}[i%2]
			working.Go(func() { submitAllKinds(t, s, fmt.Sprintf("task-%d", i), each) })
		}
		done := make(chan struct{})
		go func() {
			working.Wait()
			_ = m.Wait(context.Background())
			close(done)
		}()
		var answers []asked
		for ended := false; !ended; {
			select {
			case <-done:
				ended = true // and ask once more
			default:
			}
			all := fxtasks.Filter{Limit: 1000}
			answers = append(answers, asked{before: m.List(all), stats: m.Stats(), after: m.List(all)})
		}
		if _, err := m.Shutdown(context.Background()); err != nil {
			t.Fatal(err)
		}
		checkAnswers(t, m, answers)
		if got, want := m.Stats().Submitted, uint64(submitters*each); got != want {
			t.Errorf("%d tasks were submitted, Stats has %d", want, got)
		}
	}
}

// submitAllKinds submits n tasks that end in every way, and cancels some, pending or running.
func submitAllKinds(t *testing.T, s fxtasks.Submitter, name string, n int) {
	for i := range n {
		switch i % 5 {
		case 0:
			submit(t, s, name, func(ctx context.Context) error {
				fxtasks.ReportProgress(ctx, fxtasks.Progress{Current: 1})
				return nil
			})
		case 1:
			submit(t, s, name, func(context.Context) error { return errors.New("broken") })
		case 2:
			submit(t, s, name, untilCancelled, fxtasks.WithTimeout(1))
		case 3:
			submit(t, s, name, untilCancelled).Cancel(nil)
		case 4:
			submit(t, s, name, nothing).Cancel(nil)
		}
	}
}

func checkAnswers(t *testing.T, m *fxtasks.Manager, answers []asked) {
	t.Helper()
	w := &world{statuses: make(map[uint64]fxtasks.Status)}
	pages := make(map[uint64][]fxtasks.Page) // by Seq
	matches := make([]bool, len(answers))    // whether figures are those after some event
	for _, a := range answers {
		pages[a.before.Seq] = append(pages[a.before.Seq], a.before)
		pages[a.after.Seq] = append(pages[a.after.Seq], a.after)
	}
	compare := func(seq uint64) {
		for _, page := range pages[seq] {
			if len(page.Tasks) != len(w.statuses) || page.Total != len(w.statuses) {
				t.Errorf("a page up to event %d has %d tasks, Total %d: want %d", seq, len(page.Tasks), page.Total, len(w.statuses))
			}
			for _, info := range page.Tasks {
				if want := w.statuses[info.Seq]; info.Status != want {
					t.Errorf("a page up to event %d shows task %d as %v, the events as %v", seq, info.Seq, info.Status, want)
				}
			}
		}
		for i, a := range answers {
			if a.before.Seq <= seq && seq <= a.after.Seq && totals(a.stats) == w.counts {
				matches[i] = true
			}
		}
	}
	compare(0)
	events := m.Subscribe(0)
	for e := range events.All(context.Background()) {
		w.after(t, e)
		compare(e.Seq)
	}
	if events.Missed() != 0 {
		t.Fatalf("%d events were overwritten: this test must make fewer", events.Missed())
	}
	for i, a := range answers {
		if !matches[i] {
			t.Errorf("figures between events %d and %d match none of the events: %+v", a.before.Seq, a.after.Seq, a.stats)
		}
		var names, groups fxtasks.Counts
		for _, c := range a.stats.ByName {
			names = sum(names, c)
		}
		if names != totals(a.stats) {
			t.Errorf("ByName sums up to %+v, of %+v", names, totals(a.stats))
		}
		for _, c := range a.stats.ByGroup {
			groups = sum(groups, c)
		}
		if groups.Submitted > a.stats.Submitted || groups.Running > 2 || a.stats.Running > 3 {
			t.Errorf("groups count %+v, all together %+v", groups, totals(a.stats))
		}
	}
}

func totals(s fxtasks.Stats) fxtasks.Counts {
	return fxtasks.Counts{Pending: s.Pending, Running: s.Running, Submitted: s.Submitted, Completed: s.Completed,
		Failed: s.Failed, Cancelled: s.Cancelled, TimedOut: s.TimedOut, Rejected: s.Rejected}
}

func sum(a, b fxtasks.Counts) fxtasks.Counts {
	return fxtasks.Counts{Pending: a.Pending + b.Pending, Running: a.Running + b.Running,
		Submitted: a.Submitted + b.Submitted, Completed: a.Completed + b.Completed, Failed: a.Failed + b.Failed,
		Cancelled: a.Cancelled + b.Cancelled, TimedOut: a.TimedOut + b.TimedOut, Rejected: a.Rejected + b.Rejected}
}
