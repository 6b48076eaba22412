package fxtasks_test

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fxtasks/background/fxtasks"
)

// replaceDelayed submits a task that runs until release is closed, and one that is to replace it after a minute.
func replaceDelayed(t *testing.T, m *fxtasks.Manager, release <-chan struct{}) (old, next *fxtasks.Task) {
	old = submit(t, m, "old", until(release), fxtasks.WithID("a"), fxtasks.WithDrainGrace(5*time.Second))
	synctest.Wait()
	next = submit(t, m, "next", nothing, fxtasks.WithID("a"), fxtasks.WithDuplicate(fxtasks.Replace),
		fxtasks.WithDelay(time.Minute), fxtasks.WithDrainGrace(5*time.Second))
	return old, next
}

func TestAShutdownCancelsADelayedReplacementAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newManager(t, fxtasks.Config{})
		release := make(chan struct{})
		old, next := replaceDelayed(t, m, release)
		go m.Shutdown(t.Context())
		synctest.Wait()
		if next.Status() != fxtasks.Cancelled || !errors.Is(next.Err(), fxtasks.ErrShutdown) || old.Status() != fxtasks.Running {
			t.Errorf("the delayed one is %v, %v; the one that runs is %v", next.Status(), next.Err(), old.Status())
		}
		close(release)
	})
}

func TestTheTurnOfADelayedReplacementComesWhenItIsDue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newManager(t, fxtasks.Config{MaxRunning: 2})
		release := make(chan struct{})
		_, next := replaceDelayed(t, m, release)
		blocks := make(chan struct{})
		defer close(blocks)
		submit(t, m, "blocks", until(blocks))
		time.Sleep(2 * time.Minute) // the replacement is due, and the old task runs on
		later := submit(t, m, "later", until(blocks))
		close(release)
		synctest.Wait()
		if next.Status() != fxtasks.Completed || later.Status() != fxtasks.Running {
			t.Errorf("the replacement is %v, what was submitted after it was due %v", next.Status(), later.Status())
		}
	})
}
