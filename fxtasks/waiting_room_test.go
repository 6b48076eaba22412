package fxtasks_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fxtasks/background/fxtasks"
)

// A task that waits for room in a full queue lets queued tasks start, but not in the place that another
// waiting task has left to the one it waits for.
func TestRoomForABlockedSubmitIsNotMadeInAReservedPlace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newManager(t, fxtasks.Config{MaxRunning: 10, MaxPending: 2})
		single := newGroup(t, m, "single", fxtasks.GroupConfig{MaxRunning: 1})
		busy := newGroup(t, m, "busy", fxtasks.GroupConfig{MaxRunning: 1})
		long := submit(t, m, "long", sleeps(30*time.Second))
		submit(t, busy, "occupant", func(ctx context.Context) error { return long.Wait(ctx) }) // holds the slot, and waits
		lock := make(chan struct{}, 1)                                                         // full: locked
		queued := make(chan struct{})
		var awaited *fxtasks.Task
		submit(t, single, "holder", func(ctx context.Context) error {
			<-queued
			lock <- struct{}{}
			defer func() { <-lock }()
			return awaited.Wait(ctx)
		})
		synctest.Wait()
		rival := submit(t, single, "rival", func(context.Context) error {
			lock <- struct{}{}
			<-lock
			return nil
		})
		awaited = submit(t, single, "awaited", nothing, fxtasks.WithDelay(10*time.Second))
		close(queued)
		synctest.Wait()
		blocked := submit(t, m, "submitter", func(ctx context.Context) error {
			task, err := busy.Submit(ctx, "more", nothing, fxtasks.WithBlocking())
			if err != nil {
				return err
			}
			return task.Wait(ctx)
		})
		synctest.Wait()
		if s := rival.Status(); s != fxtasks.Pending {
			t.Errorf("the rival is %v while the place is reserved", s)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		if err := m.Wait(ctx); err != nil {
			t.Errorf("a deadlock: %v", err)
		}
		if err := blocked.Err(); err != nil {
			t.Error(err)
		}
		if s := awaited.Status(); s != fxtasks.Completed {
			t.Errorf("the awaited task is %v", s)
		}
	})
}
