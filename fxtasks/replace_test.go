package fxtasks_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fxtasks/background/fxtasks"
)

// replaceX submits the task x under Replace.
func replaceX(t *testing.T, s fxtasks.Submitter) *fxtasks.Task {
	t.Helper()
	return submit(t, s, "new", untilCancelled, fxtasks.WithID("x"), fxtasks.WithDuplicate(fxtasks.Replace))
}

func TestChainOfReplacesLeavesOnlyTheNewest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := holderIn(t, "running")
		previous := replaceX(t, h.m)
		for range 5 {
			next := replaceX(t, h.m)
			tasksAre(t, fxtasks.Cancelled, previous)
			if err := previous.Err(); !errors.Is(err, fxtasks.ErrReplaced) {
				t.Errorf("the replaced task's Err is %v, want ErrReplaced", err)
			}
			tasksAre(t, fxtasks.Pending, next)
			tasksAre(t, fxtasks.Running, h.task)
			h.isKnownAs(t, next, next, h.task)
			previous = next
		}
		close(h.release)
		tasksAre(t, fxtasks.Running, previous)
		if s := h.m.Stats(); s.Cancelled != 6 || s.Pending != 0 || s.Running != 1 {
			t.Errorf("stats are %+v, want 6 cancelled and 1 running", s)
		}
	})
}

func TestIDIsTheOldTasksAgainWhenTheSuccessorIsCancelledFirst(t *testing.T) {
	for name, cancel := range map[string]func(h *holder, successor *fxtasks.Task) error{
		"Task.Cancel": func(_ *holder, successor *fxtasks.Task) error {
			successor.Cancel(nil)
			return nil
		},
		"Manager.Cancel": func(h *holder, _ *fxtasks.Task) error { // x means the newest
			_, err := h.m.Cancel(context.Background(), "x", nil)
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := holderIn(t, "running")
				successor := replaceX(t, h.m)
				if err := cancel(h, successor); err != nil {
					t.Fatal(err)
				}
				tasksAre(t, fxtasks.Cancelled, successor)
				tasksAre(t, fxtasks.Running, h.task)
				if got, ok := h.m.Task("x"); !ok || got != h.task {
					t.Errorf("Task(x) gave %v, want the old task", got)
				}
				if _, err := h.m.Submit(t.Context(), "new", nothing, fxtasks.WithID("x")); !errors.Is(err, fxtasks.ErrDuplicateID) {
					t.Errorf("Submit gave %v, want ErrDuplicateID: the old task is active", err)
				}
				again := replaceX(t, h.m)
				tasksAre(t, fxtasks.Pending, again)
				close(h.release)
				tasksAre(t, fxtasks.Running, again)
				h.isKnownAs(t, again, again)
			})
		})
	}
}

func TestSuccessorTakesNoSlotBeforeItsTurn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newManager(t, fxtasks.Config{MaxRunning: 2})
		release := make(chan struct{})
		submit(t, m, "old", until(release), fxtasks.WithID("x"))
		successor := replaceX(t, m)
		tasksAre(t, fxtasks.Running, submit(t, m, "other", untilCancelled))
		last := submit(t, m, "last", untilCancelled)
		tasksAre(t, fxtasks.Pending, successor, last)
		close(release) // of the two, the successor was submitted first
		tasksAre(t, fxtasks.Running, successor)
		tasksAre(t, fxtasks.Pending, last)
	})
}

func TestReplaceInAnotherGroup(t *testing.T) {
	for _, state := range []string{"running", "pending"} {
		t.Run(state, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				m := newManager(t, fxtasks.Config{})
				from := newGroup(t, m, "from", fxtasks.GroupConfig{MaxRunning: 1})
				// It has a slot for the new task, and that one needs no room to wait once the old one is gone.
				to := newGroup(t, m, "to", fxtasks.GroupConfig{MaxRunning: 1, MaxPending: 1})
				release := make(chan struct{})
				if state == "pending" {
					submit(t, from, "blocker", until(release))
				}
				old := submit(t, from, "old", until(release), fxtasks.WithID("x"))
				task := replaceX(t, to)
				if got := task.Info().Group; got != "to" {
					t.Errorf("the new task is in group %q", got)
				}
				if state == "running" {
					tasksAre(t, fxtasks.Pending, task)
					if from, to := from.Stats(), to.Stats(); from.Running != 1 || from.Pending != 0 || to.Pending != 1 {
						t.Errorf("the groups count %+v and %+v", from, to)
					}
					close(release)
					release = nil
				}
				tasksAre(t, fxtasks.Running, task)
				if !old.Status().Finished() {
					t.Errorf("the old task is %v", old.Status())
				}
				if release != nil {
					close(release)
				}
			})
		})
	}
}

// TestReplaceOfAPendingTaskMayStartAtOnceWhereNoneMayWait: the group has a slot, and with the old
// task gone nothing keeps the new one from starting.
func TestReplaceOfAPendingTaskMayStartAtOnceWhereNoneMayWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newManager(t, fxtasks.Config{})
		from := newGroup(t, m, "from", fxtasks.GroupConfig{MaxRunning: 1})
		to := newGroup(t, m, "to", fxtasks.GroupConfig{MaxRunning: 1, MaxPending: -1})
		submit(t, from, "blocker", untilCancelled)
		old := submit(t, from, "old", nothing, fxtasks.WithID("x"))
		tasksAre(t, fxtasks.Pending, old)
		tasksAre(t, fxtasks.Running, replaceX(t, to))
		tasksAre(t, fxtasks.Cancelled, old)
	})
}

func TestReplaceWithAFullQueue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newManager(t, fxtasks.Config{MaxRunning: 1, MaxPending: 1})
		running := submit(t, m, "runs", untilCancelled, fxtasks.WithID("running"))
		waiting := submit(t, m, "waits", untilCancelled, fxtasks.WithID("x"))
		// To wait for the running task takes room that there is not. A refused submit leaves no trace.
		_, err := m.Submit(t.Context(), "new", nothing, fxtasks.WithID("running"), fxtasks.WithDuplicate(fxtasks.Replace))
		if !errors.Is(err, fxtasks.ErrQueueFull) {
			t.Errorf("Submit gave %v, want ErrQueueFull", err)
		}
		tasksAre(t, fxtasks.Running, running)
		if at := running.Info().CancelRequestedAt; !at.IsZero() {
			t.Error("a submit that was refused has cancelled a task")
		}
		// The room of the one that it replaces is its own.
		task := replaceX(t, m)
		tasksAre(t, fxtasks.Cancelled, waiting)
		tasksAre(t, fxtasks.Pending, task)
		running.Cancel(nil)
		tasksAre(t, fxtasks.Running, task)
	})
}

func TestRefusedReplaceLeavesTheOldTaskAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newManager(t, fxtasks.Config{})
		closed := newGroup(t, m, "closed", fxtasks.GroupConfig{})
		if _, err := closed.Shutdown(t.Context()); err != nil {
			t.Fatal(err)
		}
		old := submit(t, m, "old", untilCancelled, fxtasks.WithID("x"))
		_, err := closed.Submit(t.Context(), "new", nothing, fxtasks.WithID("x"), fxtasks.WithDuplicate(fxtasks.Replace))
		if !errors.Is(err, fxtasks.ErrShuttingDown) {
			t.Errorf("Submit gave %v, want ErrShuttingDown", err)
		}
		tasksAre(t, fxtasks.Running, old)
		if at := old.Info().CancelRequestedAt; !at.IsZero() {
			t.Error("a submit that was refused has cancelled a task")
		}
	})
}

// TestShutdownDropsASuccessor: it never started, and the task before it has its grace.
func TestShutdownDropsASuccessor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newManager(t, fxtasks.Config{})
		old := submit(t, m, "old", func(context.Context) error {
			time.Sleep(time.Second)
			return nil
		}, fxtasks.WithID("x"))
		synctest.Wait()
		successor := replaceX(t, m)
		report, err := m.Shutdown(t.Context())
		if err != nil || report.Initial != 2 || report.Returned != 2 || report.Cancelled != 1 {
			t.Errorf("Shutdown gave %+v, %v, want both returned and one cancelled", report, err)
		}
		if err := successor.Err(); !errors.Is(err, fxtasks.ErrShutdown) {
			t.Errorf("the successor's Err is %v, want ErrShutdown", err)
		}
		tasksAre(t, fxtasks.Completed, old)
	})
}

// TestReplaceThatWaitsForRoomStartsWhenTheOldTaskEnds: where nothing may be pending, the end of the old task is
// all that can let the submit in, also when the ID of the old task was generated.
func TestReplaceThatWaitsForRoomStartsWhenTheOldTaskEnds(t *testing.T) {
	for name, opts := range map[string][]fxtasks.TaskOption{"chosen": {fxtasks.WithID("x")}, "generated": nil} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				m := newManager(t, fxtasks.Config{MaxRunning: 2, MaxPending: -1})
				release := make(chan struct{})
				old := submit(t, m, "old", until(release), opts...)
				blocked := submitBlocking(t.Context(), m, "new", nothing, fxtasks.WithID(old.ID()), fxtasks.WithDuplicate(fxtasks.Replace))
				if blocked.isOver() {
					t.Fatalf("the submit did not wait: %v", blocked.err)
				}
				close(release)
				blocked.mustBeOver(t, nil)
			})
		})
	}
}
