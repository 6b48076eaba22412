package fxtasks_test

import (
	"context"
	"errors"
	"maps"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fxtasks/background/fxtasks"
)

// pass lets d go by on a bubble's fake clock, and then whatever has become due run its course.
func pass(d time.Duration) {
	time.Sleep(d) // only ever called in a synctest bubble
	synctest.Wait()
}

// seqsOf gives what tells the tasks of a page apart, in the page's order.
func seqsOf(tasks []fxtasks.Info) []uint64 {
	seqs := make([]uint64, len(tasks))
	for i, info := range tasks {
		seqs[i] = info.Seq
	}
	return seqs
}

// TestListFilter tries every combination of what a Filter can ask for on tasks of every kind.
func TestListFilter(t *testing.T) {
	type condition struct {
		set  func(*fxtasks.Filter)
		keep func(fxtasks.Info) bool
	}
	type info = fxtasks.Info
	none := condition{func(*fxtasks.Filter) {}, func(info) bool { return true }}

	synctest.Test(t, func(t *testing.T) {
		m, tasks := oneOfEachKind(t)
		all := make([]info, len(tasks))
		for i, task := range tasks {
			all[len(tasks)-1-i] = task.Info() // List gives the newest first
		}
		newer, older := all[len(all)/4].CreatedAt, all[3*len(all)/4].CreatedAt

		statuses := func(want ...fxtasks.Status) condition {
			return condition{
				func(f *fxtasks.Filter) { f.Statuses = want },
				func(i info) bool { return slices.Contains(want, i.Status) },
			}
		}
		metadata := func(want map[string]string) condition {
			return condition{
				func(f *fxtasks.Filter) { f.Metadata = want },
				func(i info) bool {
					for key, value := range want {
						if has, ok := i.Metadata[key]; !ok || has != value {
							return false
						}
					}
					return true
				},
			}
		}
		fields := [][]condition{
			{none, statuses(fxtasks.Pending), statuses(fxtasks.Running), statuses(fxtasks.Completed),
				statuses(fxtasks.Failed, fxtasks.Cancelled, fxtasks.TimedOut)},
			{none, {func(f *fxtasks.Filter) { f.Name = "mail" }, func(i info) bool { return i.Name == "mail" }},
				{func(f *fxtasks.Filter) { f.Name = "mai" }, func(info) bool { return false }}},
			{none, {func(f *fxtasks.Filter) { f.Group = "eu" }, func(i info) bool { return i.Group == "eu" }}},
			{none, metadata(map[string]string{"tenant": "a"}), metadata(map[string]string{"tenant": "a", "plan": "free"}),
				metadata(map[string]string{"plan": ""})}, // a task without the key does not match an empty value
			{none, {func(f *fxtasks.Filter) { f.CreatedAfter = older }, func(i info) bool { return i.CreatedAt.After(older) }}},
			{none, {func(f *fxtasks.Filter) { f.CreatedBefore = newer }, func(i info) bool { return i.CreatedAt.Before(newer) }}},
		}

		combinations := [][]condition{nil}
		for _, field := range fields {
			var longer [][]condition
			for _, c := range combinations {
				for _, condition := range field {
					longer = append(longer, append(slices.Clone(c), condition))
				}
			}
			combinations = longer
		}
		for _, combination := range combinations {
			filter := fxtasks.Filter{Limit: 1000}
			want := slices.Clone(all)
			for _, c := range combination {
				c.set(&filter)
				want = slices.DeleteFunc(want, func(i info) bool { return !c.keep(i) })
			}
			page := m.List(filter)
			if got := seqsOf(page.Tasks); !slices.Equal(got, seqsOf(want)) || page.Total != len(want) || page.Next != "" {
				t.Errorf("List(%+v):\n got %v (Total %d, Next %q)\nwant %v", filter, got, page.Total, page.Next, seqsOf(want))
			}
		}
	})
}

// oneOfEachKind makes a manager and, a second apart, a task of every status, name, group and metadata.
func oneOfEachKind(t *testing.T) (*fxtasks.Manager, []*fxtasks.Task) {
	metadata := []map[string]string{nil, {"tenant": "a", "plan": "free"}, {"tenant": "b", "plan": ""}}
	names := []string{"mail", "report"}
	m := newManager(t, fxtasks.Config{MaxRunning: 2 * len(names) * len(metadata)}) // those that stay Running fill it
	eu, err := m.Group("eu", fxtasks.GroupConfig{})
	if err != nil {
		t.Fatal(err)
	}
	var tasks []*fxtasks.Task
	for _, status := range []fxtasks.Status{fxtasks.Completed, fxtasks.Failed, fxtasks.Cancelled, fxtasks.TimedOut,
		fxtasks.Running, fxtasks.Pending} {
		for _, s := range []fxtasks.Submitter{m, eu} {
			for _, name := range names {
				for _, md := range metadata {
					task := submit(t, s, name, thatBecomes(status), fxtasks.WithMetadata(md), timeoutFor(status))
					pass(time.Second)
					if status == fxtasks.Cancelled {
						task.Cancel(nil)
						synctest.Wait()
					}
					if task.Status() != status {
						t.Fatalf("a task is %v, want %v", task.Status(), status)
					}
					tasks = append(tasks, task)
				}
			}
		}
	}
	return m, tasks
}

// thatBecomes is a task that gets to the status, given the timeout that timeoutFor says.
func thatBecomes(status fxtasks.Status) fxtasks.Func {
	switch status {
	case fxtasks.Completed:
		return nothing
	case fxtasks.Failed:
		return func(context.Context) error { return errors.New("broken") }
	default:
		return untilCancelled
	}
}

func timeoutFor(status fxtasks.Status) fxtasks.TaskOption {
	if status == fxtasks.TimedOut {
		return fxtasks.WithTimeout(time.Second)
	}
	return fxtasks.WithTimeout(0)
}

// TestListSeqContinuesWithSubscribe takes pages while tasks come and go: what the subscription that
// begins at Page.Seq tells must be exactly what the page does not.
func TestListSeqContinuesWithSubscribe(t *testing.T) {
	const tasks = 300 // three events each: fewer than the 1,024 that are kept
	m := newManager(t, fxtasks.Config{MaxRunning: 3})
	var submitters sync.WaitGroup
	for range 3 {
		submitters.Go(func() {
			for range tasks / 3 {
				submit(t, m, "task", nothing)
			}
		})
	}
	var pages []fxtasks.Page
	for done := false; !done; {
		page := m.List(fxtasks.Filter{Limit: tasks})
		done = page.Total == tasks && !slices.ContainsFunc(page.Tasks, unfinishedInfo)
		pages = append(pages, page)
	}
	submitters.Wait()
	if _, err := m.Shutdown(context.Background()); err != nil { // so that subscriptions end
		t.Fatal(err)
	}

	final := make(map[uint64]fxtasks.Status)
	for _, info := range m.List(fxtasks.Filter{Limit: tasks}).Tasks {
		final[info.Seq] = info.Status
	}
	for _, page := range pages {
		statuses := make(map[uint64]fxtasks.Status)
		for _, info := range page.Tasks {
			statuses[info.Seq] = info.Status
		}
		next := page.Seq
		for e := range m.Subscribe(page.Seq).All(context.Background()) {
			if next++; e.Seq != next {
				t.Fatalf("event %d follows after event %d", e.Seq, next-1)
			}
			had, known := statuses[e.Task.Seq]
			switch {
			case e.Kind == fxtasks.EventSubmitted && !known:
				statuses[e.Task.Seq] = fxtasks.Pending
			case e.Kind == fxtasks.EventStarted && known && had == fxtasks.Pending:
				statuses[e.Task.Seq] = fxtasks.Running
			case e.Kind == fxtasks.EventFinished && known && had == fxtasks.Running:
				statuses[e.Task.Seq] = fxtasks.Completed
			default:
				t.Fatalf("page up to event %d: event %d is %q of a task that is %v (known: %v)",
					page.Seq, e.Seq, e.Kind, had, known)
			}
		}
		if !maps.Equal(statuses, final) {
			t.Fatalf("page up to event %d and the events after it do not give the final list", page.Seq)
		}
	}
}

func unfinishedInfo(i fxtasks.Info) bool { return !i.Status.Finished() }
