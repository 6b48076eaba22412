package fxtasks_test

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fxtasks/background/fxtasks"
)

func TestADelayedTaskThatIsDueWaitsForASlotOfItsGroup(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newManager(t, fxtasks.Config{MaxRunning: 2})
		g := newGroup(t, m, "mail", fxtasks.GroupConfig{MaxRunning: 1})
		start := time.Now()
		submit(t, g, "blocks", sleeps(3*time.Minute))
		started := map[time.Duration]*fxtasks.Task{
			0: submit(t, m, "of another group", sleeps(time.Minute)),
			// While the group is full the delayed task, which is due, holds up nobody else.
			time.Minute:     submit(t, m, "of another group, delayed", sleeps(time.Minute), fxtasks.WithDelay(time.Minute)),
			3 * time.Minute: submit(t, g, "delayed", sleeps(time.Minute), fxtasks.WithDelay(2*time.Minute)),
		}
		time.Sleep(150 * time.Second)
		// Its turn comes after that of the delayed one, which has been due for half a minute.
		started[4*time.Minute] = submit(t, g, "last", nothing)
		if s := m.Stats(); s.OldestPending != 30*time.Second || s.ByGroup["mail"].Pending != 2 {
			t.Errorf("%+v", s)
		}
		for want, task := range started {
			task.Wait(t.Context())
			if got := task.Info().StartedAt.Sub(start); got != want {
				t.Errorf("%s started after %v, want %v", task.Name(), got, want)
			}
		}
	})
}

func TestADelayedTaskTakesRoomOfItsGroupUntilItStarts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newManager(t, fxtasks.Config{})
		g := newGroup(t, m, "mail", fxtasks.GroupConfig{MaxRunning: 1, MaxPending: 1})
		none := newGroup(t, m, "none", fxtasks.GroupConfig{MaxPending: -1})
		if _, err := none.Submit(t.Context(), "n", nothing, fxtasks.WithDelay(1), fxtasks.WithBlocking()); !errors.Is(err, fxtasks.ErrQueueFull) {
			t.Errorf("in a group where nothing may pend: %v", err)
		}
		submit(t, g, "delayed", nothing, fxtasks.WithDelay(time.Minute))
		submit(t, g, "blocks", sleeps(2*time.Minute)) // it needs no room, since there is a slot
		for range 2 {                                 // not due, and then due and without a slot
			if _, err := g.Submit(t.Context(), "n", nothing); !errors.Is(err, fxtasks.ErrQueueFull) {
				t.Errorf("after %v: %v", time.Minute, err)
			}
			time.Sleep(90 * time.Second)
		}
		submit(t, g, "has room", nothing, fxtasks.WithDelay(time.Minute))
	})
}

func TestAnAttemptThatIsDueWaitsForASlotOfItsGroupAndTakesNoRoom(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newManager(t, fxtasks.Config{})
		g := newGroup(t, m, "mail", fxtasks.GroupConfig{MaxRunning: 1, MaxPending: -1})
		start := time.Now()
		retried := submit(t, g, "retried", failing(1), fxtasks.WithRetry(after(time.Minute)))
		synctest.Wait()
		submit(t, g, "takes its slot", sleeps(2*time.Minute))
		if err := retried.Wait(t.Context()); err != nil {
			t.Error(err)
		}
		if info := retried.Info(); info.StartedAt.Sub(start) != 2*time.Minute || info.NotBefore.Sub(start) != time.Minute {
			t.Errorf("%+v", info)
		}
	})
}
