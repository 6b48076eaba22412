package fxtasks_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"

	"github.com/fxtasks/background/fxtasks"
)

// holder is the task that has the ID "x" when that is submitted again, in a manager that runs one
// task at a time.
type holder struct {
	m         *fxtasks.Manager
	task      *fxtasks.Task
	ran       bool          // its function has been called
	release   chan struct{} // lets it return its context's cause, and lets the task return that is before it
	blocked   bool          // something keeps the slot until release is closed
	cancelled bool          // it was asked to end before
}

// holderIn makes a holder in the state.
func holderIn(t *testing.T, state string) *holder {
	t.Helper()
	h := &holder{m: newManager(t, fxtasks.Config{MaxRunning: 1}), release: make(chan struct{})}
	if state == "pending" {
		h.blocked = true
		submit(t, h.m, "blocker", until(h.release))
	}
	stays := make(chan struct{})
	h.task = submit(t, h.m, "old", func(ctx context.Context) error {
		h.ran = true
		select {
		case <-h.release:
		case <-stays:
		}
		return context.Cause(ctx)
	}, fxtasks.WithID("x"))
	synctest.Wait()
	switch state {
	case "pending":
	case "running":
		h.blocked = true
	case "cancelled, still running":
		h.blocked, h.cancelled = true, true
		h.task.Cancel(nil)
	case "finished":
		close(stays)
	case "forgotten":
		close(stays)
		synctest.Wait()
		h.m.Cleanup()
	default:
		t.Fatalf("no such state: %q", state)
	}
	synctest.Wait()
	return h
}

var (
	activeStates   = []string{"pending", "running", "cancelled, still running"}
	finishedStates = []string{"finished", "forgotten"}
)

// inStates runs the test for a holder in each of the states. again submits x again.
func inStates(t *testing.T, states []string, policy fxtasks.DuplicatePolicy, test func(t *testing.T, h *holder, again func() (*fxtasks.Task, error))) {
	for _, state := range states {
		t.Run(state, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := holderIn(t, state)
				test(t, h, func() (*fxtasks.Task, error) {
					return h.m.Submit(t.Context(), "new", untilCancelled, fxtasks.WithID("x"), fxtasks.WithDuplicate(policy))
				})
				synctest.Wait()
				if h.blocked {
					close(h.release)
				}
			})
		})
	}
}

// isKnownAs fails the test unless x means the task, and List shows those, the newest first.
func (h *holder) isKnownAs(t *testing.T, newest *fxtasks.Task, listed ...*fxtasks.Task) {
	t.Helper()
	if got, ok := h.m.Task("x"); !ok || got != newest {
		t.Errorf("Task(x) gave %v, want %v", got, newest)
	}
	if joined, err := h.m.Submit(t.Context(), "new", nothing, fxtasks.WithID("x"), fxtasks.WithDuplicate(fxtasks.Join)); joined != newest {
		t.Errorf("Join gave %v, %v, want %v", joined, err, newest)
	}
	var shown []fxtasks.Info
	for _, info := range h.m.List(fxtasks.Filter{}).Tasks {
		if info.ID == "x" {
			shown = append(shown, info)
		}
	}
	if len(shown) != len(listed) {
		t.Fatalf("List shows x %d times, want %d", len(shown), len(listed))
	}
	for i, task := range listed {
		if shown[i].Seq != task.Info().Seq {
			t.Errorf("List shows the tasks %+v, want at %d %+v", shown, i, task.Info())
		}
	}
}

func TestRejectRefusesTheIDOfAnActiveTask(t *testing.T) {
	inStates(t, activeStates, fxtasks.Reject, func(t *testing.T, h *holder, again func() (*fxtasks.Task, error)) {
		before, stats := h.task.Info(), h.m.Stats()
		if _, err := again(); !errors.Is(err, fxtasks.ErrDuplicateID) {
			t.Fatalf("Submit gave %v, want ErrDuplicateID", err)
		}
		h.isKnownAs(t, h.task, h.task)
		after := h.task.Info()
		if after.Status != before.Status || after.CancelRequestedAt != before.CancelRequestedAt || after.Name != "old" {
			t.Errorf("the refused submit changed the task from %+v to %+v", before, after)
		}
		if s := h.m.Stats(); s.Submitted != stats.Submitted || s.Rejected != stats.Rejected+1 {
			t.Errorf("Submitted and Rejected went from %d, %d to %d, %d", stats.Submitted, stats.Rejected, s.Submitted, s.Rejected)
		}
	})
}

func TestRejectAndReplaceReuseTheIDOfAFinishedTask(t *testing.T) {
	for _, policy := range []fxtasks.DuplicatePolicy{fxtasks.Reject, fxtasks.Replace} {
		inStates(t, finishedStates, policy, func(t *testing.T, h *holder, again func() (*fxtasks.Task, error)) {
			task, err := again()
			if err != nil {
				t.Fatal(err)
			}
			tasksAre(t, fxtasks.Running, task)
			h.isKnownAs(t, task, task) // its record has taken the other's place
			tasksAre(t, fxtasks.Completed, h.task)
		})
	}
}

func TestJoinGivesTheTaskThatHasTheID(t *testing.T) {
	inStates(t, append(activeStates, "finished"), fxtasks.Join, func(t *testing.T, h *holder, again func() (*fxtasks.Task, error)) {
		before := h.task.Info()
		stats := h.m.Stats()
		task, err := again()
		if err != nil || task != h.task {
			t.Fatalf("Submit gave %v, %v, want %v", task, err, h.task)
		}
		h.isKnownAs(t, h.task, h.task)
		if after := h.task.Info(); after.Status != before.Status || after.Name != "old" {
			t.Errorf("the join changed the task from %+v to %+v", before, after)
		}
		if s := h.m.Stats(); s.Submitted != stats.Submitted || s.Rejected != stats.Rejected {
			t.Errorf("Submitted and Rejected went from %d, %d to %d, %d", stats.Submitted, stats.Rejected, s.Submitted, s.Rejected)
		}
	})
}

func TestJoinSubmitsWhenNoTaskHasTheID(t *testing.T) {
	inStates(t, []string{"forgotten"}, fxtasks.Join, func(t *testing.T, h *holder, again func() (*fxtasks.Task, error)) {
		task, err := again()
		if err != nil || task == h.task {
			t.Fatalf("Submit gave %v, %v, want a new task", task, err)
		}
		tasksAre(t, fxtasks.Running, task)
	})
}

func TestReplaceCancelsTheActiveTaskAndWaitsUntilItHasReturned(t *testing.T) {
	inStates(t, activeStates, fxtasks.Replace, func(t *testing.T, h *holder, again func() (*fxtasks.Task, error)) {
		ran := h.ran
		task, err := again()
		if err != nil {
			t.Fatal(err)
		}
		cause := fxtasks.ErrReplaced
		if h.cancelled {
			cause = fxtasks.ErrCancelled // the first cause wins
		}
		tasksAre(t, fxtasks.Pending, task) // behind the old one, or behind what the old one waited for
		if ran {
			tasksAre(t, fxtasks.Running, h.task)
			h.isKnownAs(t, task, task, h.task)
		} else {
			tasksAre(t, fxtasks.Cancelled, h.task)
			h.isKnownAs(t, task, task)
		}
		if got := h.task.Info().CancelCause; got != cause {
			t.Errorf("the old task's CancelCause is %v, want %v", got, cause)
		}
		close(h.release)
		h.blocked = false
		tasksAre(t, fxtasks.Cancelled, h.task)
		tasksAre(t, fxtasks.Running, task)
		h.isKnownAs(t, task, task)
		if h.ran != ran {
			t.Error("a pending task's function ran although it was replaced")
		}
		if !errors.Is(h.task.Err(), cause) || !errors.Is(h.task.Err(), context.Canceled) {
			t.Errorf("the old task's Err is %v, want %v", h.task.Err(), cause)
		}
	})
}
