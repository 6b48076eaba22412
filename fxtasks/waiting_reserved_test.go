package fxtasks_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fxtasks/background/fxtasks"
)

// A task that holds a lock waits for one of its group between two attempts; a submit that finds the queue of
// the manager full must not let in another task of the group, which needs the lock.
func TestABlockedSubmitTakesNoPlaceThatIsReservedInAnotherGroup(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newManager(t, fxtasks.Config{MaxRunning: 2, MaxPending: 1, ShutdownTimeout: time.Second})
		g, err := m.Group("g", fxtasks.GroupConfig{MaxRunning: 1})
		if err != nil {
			t.Fatal(err)
		}
		lock, locked := make(chan struct{}, 1), make(chan struct{})
		holder := submit(t, g, "holder", func(ctx context.Context) error {
			lock <- struct{}{}
			defer func() { <-lock }()
			child, err := g.Submit(ctx, "child", failing(1), fxtasks.WithRetry(after(time.Minute)))
			if err != nil {
				return err
			}
			close(locked)
			return child.Wait(ctx)
		})
		<-locked
		synctest.Wait() // the child is between two attempts
		room := make(chan struct{})
		blocked := submit(t, m, "blocked", func(ctx context.Context) error {
			<-room
			_, err := m.Submit(ctx, "more", nothing, fxtasks.WithBlocking())
			return err
		})
		queued := submit(t, g, "queued", func(ctx context.Context) error {
			select {
			case lock <- struct{}{}:
				<-lock
				return nil
			case <-ctx.Done():
				return errors.New("no lock")
			}
		})
		close(room)
		time.Sleep(10 * time.Minute)
		for _, task := range []*fxtasks.Task{holder, queued, blocked} {
			if s := task.Status(); s != fxtasks.Completed {
				t.Errorf("%s is %v", task.Name(), s)
			}
		}
	})
}
