package fxtasks_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fxtasks/background/fxtasks"
)

func TestCancelAllWithoutTasksGivesNoError(t *testing.T) {
	m := newManager(t, fxtasks.Config{})
	if err := m.CancelAll(context.Background(), nil); err != nil {
		t.Error(err)
	}
}

func TestCancelAllHasOneTimeoutForAll(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newManager(t, fxtasks.Config{CancelTimeout: 2 * time.Second})
		for range 3 {
			submit(t, m, "work", slow(3*time.Second))
		}
		submit(t, m, "work", slow(time.Second))
		began := time.Now()
		err := m.CancelAll(t.Context(), nil)
		if took := time.Since(began); !errors.Is(err, fxtasks.ErrStillRunning) || took != 2*time.Second {
			t.Errorf("CancelAll gave %v after %v, want ErrStillRunning after 2s", err, took)
		}
	})
}

// A task that returns in the moment in which the time is over must not make CancelAll forget that
// it is.
func TestCancelAllEndsInTimeThoughATaskReturnsInTheLastMoment(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const timeout = 2 * time.Second
		m := newManager(t, fxtasks.Config{CancelTimeout: timeout, ShutdownTimeout: time.Hour})
		for range 50 { // which of the two is seen first is left to chance
			if t.Failed() {
				break
			}
			release := make(chan struct{})
			submit(t, m, "stuck", until(release))
			for range 10 {
				submit(t, m, "last moment", slow(timeout))
			}
			synctest.Wait()
			ctx, stop := context.WithTimeout(t.Context(), time.Minute)
			began := time.Now()
			err := m.CancelAll(ctx, nil)
			if took := time.Since(began); !errors.Is(err, fxtasks.ErrStillRunning) || took != timeout {
				t.Errorf("CancelAll gave %v after %v, want ErrStillRunning after %v", err, took, timeout)
			}
			stop()
			close(release)
			_ = m.Wait(t.Context())
		}
	})
}
