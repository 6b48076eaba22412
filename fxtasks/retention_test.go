package fxtasks_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fxtasks/background/fxtasks"
)

// known gives the IDs on record, the newest first, and checks that Task agrees with List.
func known(t *testing.T, m *fxtasks.Manager, among ...*fxtasks.Task) []string {
	t.Helper()
	var ids []string
	for _, info := range m.List(fxtasks.Filter{}).Tasks {
		ids = append(ids, info.ID)
	}
	for _, task := range among {
		if found, ok := m.Task(task.ID()); ok != slices.Contains(ids, task.ID()) || ok && found != task {
			t.Errorf("Task(%q) gives %v, %v; List gives %q", task.ID(), found, ok, ids)
		}
	}
	return ids
}

func TestRetainFinished(t *testing.T) {
	for _, test := range []struct {
		retain int
		want   []string
	}{
		{3, []string{"9", "8", "7"}},
		{1, []string{"9"}},
		{-1, nil},
		{-1000, nil},
	} {
		t.Run(fmt.Sprint(test.retain), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				m := newManager(t, fxtasks.Config{RetainFinished: test.retain})
				running := submit(t, m, "active", untilCancelled, fxtasks.WithID("active"))
				var tasks []*fxtasks.Task
				for i := range 10 {
					tasks = append(tasks, submit(t, m, "task", nothing, fxtasks.WithID(fmt.Sprint(i))))
					pass(time.Second)
				}
				want := append(slices.Clone(test.want), running.ID()) // active tasks do not count
				if got := known(t, m, tasks...); !slices.Equal(got, want) {
					t.Errorf("on record: %q, want %q", got, want)
				}
				for _, task := range tasks { // a handle outlives the record
					if info := task.Info(); task.Status() != fxtasks.Completed || info.ID != task.ID() || info.FinishedAt.IsZero() {
						t.Errorf("a handle says: %+v", info)
					}
				}
			})
		})
	}
}

// TestRetainFinishedForgetsWhatEndedFirst has tasks end in another order than they were submitted in.
func TestRetainFinishedForgetsWhatEndedFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newManager(t, fxtasks.Config{RetainFinished: 2})
		var tasks []*fxtasks.Task
		for i := range 4 {
			tasks = append(tasks, submit(t, m, "task", untilCancelled, fxtasks.WithID(fmt.Sprint(i))))
		}
		synctest.Wait()
		for _, i := range []int{3, 1, 0, 2} {
			tasks[i].Cancel(nil)
			pass(time.Second)
		}
		if got := known(t, m, tasks...); !slices.Equal(got, []string{"2", "0"}) {
			t.Errorf("on record: %q, want those that ended last", got)
		}
	})
}

// TestRetainFor looks a moment before a record expires, and at the moment itself.
func TestRetainFor(t *testing.T) {
	for _, test := range []struct {
		configured, want time.Duration
	}{
		{0, time.Hour}, // the default
		{time.Minute, time.Minute},
		{-1, 0},
		{-time.Hour, 0},
	} {
		t.Run(fmt.Sprint(test.configured), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				m := newManager(t, fxtasks.Config{RetainFor: test.configured})
				long := submit(t, m, "task", untilCancelled) // its age counts from its end
				pass(24 * time.Hour)
				short := submit(t, m, "task", nothing)
				if !long.Info().ExpiresAt.IsZero() {
					t.Errorf("ExpiresAt of a running task is %v", long.Info().ExpiresAt)
				}
				long.Cancel(nil)
				synctest.Wait()
				for _, task := range []*fxtasks.Task{long, short} {
					if info := task.Info(); !info.ExpiresAt.Equal(info.FinishedAt.Add(test.want)) {
						t.Errorf("ExpiresAt is %v after the end, want %v", info.ExpiresAt.Sub(info.FinishedAt), test.want)
					}
				}
				if test.want > 0 {
					pass(test.want - 1)
					if got := known(t, m, long, short); len(got) != 2 {
						t.Errorf("a nanosecond before they expire %d are on record, want 2", len(got))
					}
					pass(1)
				}
				if got := known(t, m, long, short); len(got) != 0 {
					t.Errorf("when they expire %d are on record", len(got))
				}
			})
		})
	}
}

func TestEachRecordExpiresAtItsOwnTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const retain, apart = time.Minute, 7 * time.Second
		m := newManager(t, fxtasks.Config{RetainFor: retain})
		var want []string
		for i := range 20 {
			want = append([]string{fmt.Sprint(i)}, want...)
			submit(t, m, "task", nothing, fxtasks.WithID(fmt.Sprint(i)))
			pass(apart)
			kept := min(len(want), int((retain-1)/apart)) // of age apart, 2×apart, …: those below retain
			if got := known(t, m); !slices.Equal(got, want[:kept]) {
				t.Fatalf("after %d tasks: on record are %q, want %q", i+1, got, want[:kept])
			}
		}
	})
}

func TestCleanup(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newManager(t, fxtasks.Config{MaxRunning: 1})
		for range 5 {
			submit(t, m, "task", nothing)
		}
		synctest.Wait()
		running := submit(t, m, "task", untilCancelled)
		pending := submit(t, m, "task", nothing)
		synctest.Wait()
		before := m.Stats()
		if got := m.Cleanup(); got != 5 {
			t.Errorf("Cleanup forgot %d, want the 5 that have finished", got)
		}
		if got := known(t, m, running, pending); len(got) != 2 {
			t.Errorf("after Cleanup %d are on record, want the 2 that are active", len(got))
		}
		if after := m.Stats(); after.Completed != before.Completed || after.Submitted != before.Submitted {
			t.Errorf("Cleanup changed the figures from %+v to %+v", before, after)
		}
		if got := m.Cleanup(); got != 0 {
			t.Errorf("a second Cleanup forgot %d", got)
		}
		running.Cancel(nil)
		synctest.Wait()
		if got := m.Cleanup(); got != 2 {
			t.Errorf("when they have finished Cleanup forgot %d, want 2", got)
		}
	})
}

// TestIDOfAFinishedTaskMayBeUsedAgain: the new record takes the old one's place.
func TestIDOfAFinishedTaskMayBeUsedAgain(t *testing.T) {
	for _, policy := range []fxtasks.DuplicatePolicy{fxtasks.Reject, fxtasks.Replace} {
		t.Run(policy.String(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				m := newManager(t, fxtasks.Config{})
				old := submit(t, m, "task", nothing, fxtasks.WithID("x"))
				submit(t, m, "task", nothing, fxtasks.WithID("y"))
				pass(time.Minute)
				again := submit(t, m, "task", untilCancelled, fxtasks.WithID("x"), fxtasks.WithDuplicate(policy))
				synctest.Wait()
				if found, ok := m.Task("x"); !ok || found != again {
					t.Errorf("Task gives %v, %v, want the new one", found, ok)
				}
				if got := known(t, m); !slices.Equal(got, []string{"x", "y"}) {
					t.Errorf("on record: %q, want the new x and y", got)
				}
				if old.Status() != fxtasks.Completed || old.Err() != nil {
					t.Errorf("the old handle says %v, %v", old.Status(), old.Err())
				}
				pass(2 * time.Hour) // the old one would have expired
				if found, ok := m.Task("x"); !ok || found != again || again.Status() != fxtasks.Running {
					t.Errorf("later Task gives %v, %v, want the new one, running", found, ok)
				}
			})
		})
	}
}

// TestIDOfAForgottenTask is free under every policy: there is nothing to join.
func TestIDOfAForgottenTask(t *testing.T) {
	for _, policy := range []fxtasks.DuplicatePolicy{fxtasks.Reject, fxtasks.Join, fxtasks.Replace} {
		t.Run(policy.String(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				m := newManager(t, fxtasks.Config{RetainFor: time.Minute})
				old := submit(t, m, "task", nothing, fxtasks.WithID("x"))
				pass(time.Minute)
				if _, err := m.Cancel(context.Background(), "x", nil); !errors.Is(err, fxtasks.ErrNotFound) {
					t.Errorf("Cancel of an ID that is forgotten gives %v", err)
				}
				again := submit(t, m, "task", nothing, fxtasks.WithID("x"), fxtasks.WithDuplicate(policy))
				synctest.Wait()
				if again == old || again.Status() != fxtasks.Completed {
					t.Errorf("the ID gives the old task: %v; status %v", again == old, again.Status())
				}
			})
		})
	}
}
