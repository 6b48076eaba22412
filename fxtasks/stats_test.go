package fxtasks_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fxtasks/background/fxtasks"
)

// TestStatsCountEachTaskWhereItIs takes one task after the other to a status: totals, name and
// group count it there, and nowhere else.
func TestStatsCountEachTaskWhereItIs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newManager(t, fxtasks.Config{MaxRunning: 1})
		g, err := m.Group("eu", fxtasks.GroupConfig{})
		if err != nil {
			t.Fatal(err)
		}
		var want fxtasks.Counts
		check := func(after string) {
			t.Helper()
			s := m.Stats()
			for where, got := range map[string]fxtasks.Counts{
				"Stats": totals(s), "ByName": s.ByName["task"], "ByGroup": s.ByGroup["eu"], "Group.Stats": g.Stats(),
			} {
				if got != want {
					t.Errorf("after %s: %s has %+v, want %+v", after, where, got, want)
				}
			}
		}
		run := func(fn fxtasks.Func, opts ...fxtasks.TaskOption) *fxtasks.Task {
			t.Helper()
			task := submit(t, g, "task", fn, opts...)
			want.Submitted++
			synctest.Wait()
			return task
		}
		check("nothing")

		run(nothing)
		want.Completed++
		check("a task that completed")
		for what, fn := range map[string]fxtasks.Func{
			"an error": thatBecomes(fxtasks.Failed),
			"a panic":  func(context.Context) error { panic("boom") },
		} {
			run(fn)
			want.Failed++
			check(what)
		}
		run(untilCancelled, fxtasks.WithTimeout(time.Second))
		want.Running++
		check("a task that runs")
		pass(time.Second)
		want.Running--
		want.TimedOut++
		check("a timeout")

		runs := run(untilCancelled, fxtasks.WithID("x"))
		want.Running++
		waits := run(nothing)
		want.Pending++
		check("a task that has to wait")
		if _, err := g.Submit(t.Context(), "task", nothing, fxtasks.WithID("x")); !errors.Is(err, fxtasks.ErrDuplicateID) {
			t.Fatal(err)
		}
		want.Rejected++
		check("a submit that was refused")
		waits.Cancel(nil)
		want.Pending--
		want.Cancelled++
		check("a cancel of a task that waits")
		runs.Cancel(nil)
		synctest.Wait()
		want.Running--
		want.Cancelled++
		check("a cancel of a task that runs")

		m.Cleanup()
		check("Cleanup")
	})
}

// TestStatsRejected makes submits fail in every way there is. All that tells of one is a counter.
func TestStatsRejected(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newManager(t, fxtasks.Config{MaxRunning: 1, MaxPending: -1})
		submit(t, m, "task", untilCancelled, fxtasks.WithID("x"))
		synctest.Wait()
		ended, cancel := context.WithCancel(t.Context())
		cancel()
		before, seq := m.Stats(), m.List(fxtasks.Filter{}).Seq

		rejected := uint64(0)
		for _, test := range []struct {
			want error
			ctx  context.Context
			fn   fxtasks.Func
			opts []fxtasks.TaskOption
		}{
			{fxtasks.ErrInvalid, t.Context(), nil, nil},
			{fxtasks.ErrInvalid, t.Context(), nothing, []fxtasks.TaskOption{fxtasks.WithTimeout(-1)}},
			{fxtasks.ErrDuplicateID, t.Context(), nothing, []fxtasks.TaskOption{fxtasks.WithID("x")}},
			{fxtasks.ErrQueueFull, t.Context(), nothing, nil},
			{context.Canceled, ended, nothing, []fxtasks.TaskOption{fxtasks.WithBlocking()}},
		} {
			if _, err := m.Submit(test.ctx, "task", test.fn, test.opts...); !errors.Is(err, test.want) {
				t.Fatalf("got %v, want %v", err, test.want)
			}
			rejected++
			s := m.Stats()
			if s.Rejected != rejected || s.ByName["task"].Rejected != rejected {
				t.Errorf("after %v: Rejected is %d, by name %d, want %d", test.want, s.Rejected, s.ByName["task"].Rejected, rejected)
			}
		}
		after := m.Stats()
		after.Rejected = before.Rejected
		after.ByName["task"] = before.ByName["task"]
		if fmt.Sprint(after) != fmt.Sprint(before) {
			t.Errorf("refused submits changed more than Rejected:\n%+v\n%+v", before, after)
		}
		if page := m.List(fxtasks.Filter{}); page.Total != 1 || page.Seq != seq {
			t.Errorf("refused submits left %d records and %d events", page.Total-1, page.Seq-seq)
		}

		if _, err := m.Shutdown(t.Context()); err != nil {
			t.Fatal(err)
		}
		if _, err := m.Submit(t.Context(), "task", nothing); !errors.Is(err, fxtasks.ErrShuttingDown) {
			t.Fatal(err)
		}
		if got := m.Stats().Rejected; got != rejected+1 {
			t.Errorf("after ErrShuttingDown: Rejected is %d, want %d", got, rejected+1)
		}
	})
}

// TestStatsByNameIsBounded submits under more names than are kept apart: a program that puts an ID
// into the name must not eat the memory, nor lose a count.
func TestStatsByNameIsBounded(t *testing.T) {
	const names, further = 1000, 250
	m := newManager(t, fxtasks.Config{})
	want := make(map[string]uint64)
	for i := range names + further {
		name := fmt.Sprintf("name-%d", i)
		counts := name
		if i >= names {
			counts = "other"
		}
		for range i%3 + 1 {
			submit(t, m, name, nothing)
			want[counts]++
		}
	}
	submit(t, m, "other", nothing) // a name like any other: it is past the first 1,000, too
	want["other"]++
	submit(t, m, "name-7", nothing) // is known
	want["name-7"]++

	got := make(map[string]uint64)
	for name, counts := range m.Stats().ByName {
		got[name] = counts.Submitted
	}
	if !maps.Equal(got, want) {
		t.Errorf("ByName has %d names, %d under %q: want %d, %d", len(got), got["other"], "other", len(want), want["other"])
	}
}

// TestStatsByNameWithATaskNamedOther has "other" among the first 1,000 names: both count there.
func TestStatsByNameWithATaskNamedOther(t *testing.T) {
	const names, further = 1000, 5
	m := newManager(t, fxtasks.Config{})
	submit(t, m, "other", nothing)
	for i := 1; i < names+further; i++ {
		submit(t, m, fmt.Sprintf("name-%d", i), nothing)
	}
	byName := m.Stats().ByName
	if got := byName["other"].Submitted; got != 1+further {
		t.Errorf("%d tasks count under %q, want %d", got, "other", 1+further)
	}
	var total uint64
	for _, counts := range byName {
		total += counts.Submitted
	}
	if total != names+further {
		t.Errorf("the names count %d tasks, want %d", total, names+further)
	}
}

func TestStatsOldestPending(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newManager(t, fxtasks.Config{MaxRunning: 1})
		g, err := m.Group("eu", fxtasks.GroupConfig{})
		if err != nil {
			t.Fatal(err)
		}
		check := func(when string, want time.Duration) {
			t.Helper()
			synctest.Wait()
			if got := m.Stats().OldestPending; got != want {
				t.Errorf("%s: OldestPending is %v, want %v", when, got, want)
			}
		}
		check("no task", 0)
		first := submit(t, m, "task", untilCancelled, fxtasks.WithID("x"))
		pass(time.Minute)
		check("a task that runs does not wait", 0)

		replaces := submit(t, m, "task", untilCancelled, fxtasks.WithID("x"), fxtasks.WithDuplicate(fxtasks.Replace))
		synctest.Wait() // first has ended: replaces runs
		second := submit(t, g, "task", untilCancelled)
		pass(time.Second)
		third := submit(t, m, "task", untilCancelled)
		pass(time.Second)
		check("the older one, of a group, counts", 2*time.Second)
		second.Cancel(nil)
		check("when it is gone the next one does", time.Second)
		replaces.Cancel(nil)
		check("all run", 0)
		if first.Status() != fxtasks.Cancelled || third.Status() != fxtasks.Running {
			t.Errorf("the first is %v, the third %v", first.Status(), third.Status())
		}
	})
}

// TestStatsOldestPendingLeavesOutSuccessors has a task that may not start yet: the one it replaces runs.
func TestStatsOldestPendingLeavesOutSuccessors(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newManager(t, fxtasks.Config{})
		release := make(chan struct{})
		submit(t, m, "task", until(release), fxtasks.WithID("x"))
		submit(t, m, "task", nothing, fxtasks.WithID("x"), fxtasks.WithDuplicate(fxtasks.Replace))
		pass(time.Second)
		if s := m.Stats(); s.OldestPending != 0 || s.Pending != 1 {
			t.Errorf("OldestPending is %v of %d, want 0 of 1", s.OldestPending, s.Pending)
		}
		close(release)
	})
}
