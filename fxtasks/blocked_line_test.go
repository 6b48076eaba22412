package fxtasks_test

import (
	"testing"
	"testing/synctest"

	"github.com/fxtasks/background/fxtasks"
)

func TestBlockedSubmitsOfOneGroupDoNotHoldUpAnother(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newManager(t, fxtasks.Config{MaxRunning: 2, MaxPending: -1})
		slow := newGroup(t, m, "slow", fxtasks.GroupConfig{MaxRunning: 1})
		other := newGroup(t, m, "other", fxtasks.GroupConfig{MaxRunning: 1})
		submit(t, slow, "blocker", untilCancelled)
		blocker := submit(t, other, "blocker", untilCancelled)
		ofSlow := submitBlocking(t.Context(), slow, "work", untilCancelled)
		ofOther := submitBlocking(t.Context(), other, "work", untilCancelled)
		blocker.Cancel(nil)
		ofOther.mustBeOver(t, nil)
		tasksAre(t, fxtasks.Running, ofOther.task)
		if ofSlow.isOver() {
			t.Error("a submit was admitted to a group that is full")
		}
	})
}

// TestBlockedReplaceDoesNotHoldUpSubmitsThatHaveRoom: it waits until the task that it replaces has
// gone, and meanwhile others of its group find free slots.
func TestBlockedReplaceDoesNotHoldUpSubmitsThatHaveRoom(t *testing.T) {
	limitedBy(t, func(t *testing.T, byGroup bool) {
		_, s := limited(t, byGroup, 2, -1)
		old := submit(t, s, "old", untilCancelled, fxtasks.WithID("x"))
		other := submit(t, s, "other", untilCancelled)
		replaces := submitBlocking(t.Context(), s, "new", untilCancelled, fxtasks.WithID("x"), fxtasks.WithDuplicate(fxtasks.Replace))
		waits := submitBlocking(t.Context(), s, "waits", untilCancelled)
		other.Cancel(nil)
		waits.mustBeOver(t, nil)
		tasksAre(t, fxtasks.Running, old, waits.task)
		old.Cancel(nil)
		replaces.mustBeOver(t, nil)
		tasksAre(t, fxtasks.Running, replaces.task)
	})
}

func TestRoomThatACancelledTaskLeavesGoesToABlockedSubmit(t *testing.T) {
	limitedBy(t, func(t *testing.T, byGroup bool) {
		_, s := limited(t, byGroup, 1, 1)
		submit(t, s, "runs", untilCancelled)
		pending := submit(t, s, "pending", nothing)
		b := submitBlocking(t.Context(), s, "blocked", untilCancelled)
		pending.Cancel(nil)
		b.mustBeOver(t, nil)
		tasksAre(t, fxtasks.Pending, b.task)
	})
}

// TestBlockingSubmitThatReusesAFinishedIDWaits: the finished task is no reason to refuse it.
func TestBlockingSubmitThatReusesAFinishedIDWaits(t *testing.T) {
	for _, policy := range []fxtasks.DuplicatePolicy{fxtasks.Reject, fxtasks.Replace} {
		t.Run(policy.String(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				m := newManager(t, fxtasks.Config{MaxRunning: 1, MaxPending: -1})
				tasksAre(t, fxtasks.Completed, submit(t, m, "old", nothing, fxtasks.WithID("x")))
				release := make(chan struct{})
				blocker := submit(t, m, "blocker", until(release))
				b := submitBlocking(t.Context(), m, "new", untilCancelled, fxtasks.WithID("x"), fxtasks.WithDuplicate(policy))
				blocker.Cancel(nil) // something happens, but frees no slot
				if b.isOver() {
					t.Fatalf("the submit gave %v, %v while there was no room", b.task, b.err)
				}
				close(release)
				b.mustBeOver(t, nil)
				tasksAre(t, fxtasks.Running, b.task)
			})
		})
	}
}

// TestWaitGoesOnWhileBlockedSubmitsFollow: their tasks are admitted in the same moment in which
// others end, so there is none in which the manager is idle.
func TestWaitGoesOnWhileBlockedSubmitsFollow(t *testing.T) {
	limitedBy(t, func(t *testing.T, byGroup bool) {
		m, s := limited(t, byGroup, 1, -1)
		wait := m.Wait
		if g, ok := s.(*fxtasks.Group); ok {
			wait = g.Wait
		}
		release := make(chan struct{})
		submit(t, s, "first", until(release))
		follows := submitBlocking(t.Context(), s, "follows", untilCancelled)
		idle := make(chan error, 1)
		go func() { idle <- wait(t.Context()) }()
		synctest.Wait()
		close(release)
		follows.mustBeOver(t, nil)
		tasksAre(t, fxtasks.Running, follows.task)
		if len(idle) > 0 {
			t.Error("Wait returned although a task was running at every moment")
		}
		follows.task.Cancel(nil)
		if err := <-idle; err != nil {
			t.Error(err)
		}
	})
}
