package fxtasks_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fxtasks/background/fxtasks"
)

func TestRunTakesNoSlotAndLeavesCountsButNoRecord(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newManager(t, fxtasks.Config{MaxRunning: 1, MaxPending: -1})
		release := make(chan struct{})
		submit(t, m, "blocks", until(release))
		err := m.Run(t.Context(), "here", func(ctx context.Context) error {
			if task, ok := fxtasks.FromContext(ctx); !ok || task.Status() != fxtasks.Running || m.Stats().Running != 2 {
				t.Error("it is not tracked")
			}
			return errAttempt
		})
		if err != errAttempt {
			t.Error(err)
		}
		close(release)
		synctest.Wait()
		if s := m.Stats(); s.Failed != 1 || s.Submitted != 2 || m.List(fxtasks.Filter{Name: "here"}).Total != 0 {
			t.Errorf("%+v", s)
		}
	})
}

func TestRunEndsWithTheCallersContextAndItsCause(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newManager(t, fxtasks.Config{})
		cause := errors.New("caller")
		ctx, cancel := context.WithCancelCause(t.Context())
		time.AfterFunc(time.Second, func() { cancel(cause) })
		if err := m.Run(ctx, "here", untilCancelled); !errors.Is(err, cause) {
			t.Error(err)
		}
		if s := m.Stats(); s.Cancelled != 1 {
			t.Errorf("%+v", s)
		}
	})
}

func TestAPanicOfRunGoesOnAndIsRecorded(t *testing.T) {
	m := newManager(t, fxtasks.Config{})
	func() {
		defer func() {
			if v := recover(); v != "mine" {
				t.Errorf("recovered %v", v)
			}
		}()
		m.Run(t.Context(), "here", func(context.Context) error { panic("mine") })
	}()
	if s := m.Stats(); s.Failed != 1 || s.Running != 0 {
		t.Errorf("%+v", s)
	}
}

func TestWhatRunRefuses(t *testing.T) {
	m := newManager(t, fxtasks.Config{})
	for name, opt := range map[string]fxtasks.TaskOption{
		"WithRetry":     fxtasks.WithRetry(fxtasks.Retry{MaxAttempts: 2}),
		"WithDelay":     fxtasks.WithDelay(1),
		"WithBlocking":  fxtasks.WithBlocking(),
		"WithDuplicate": fxtasks.WithDuplicate(fxtasks.Replace),
	} {
		err := m.Run(t.Context(), "here", func(context.Context) error { t.Errorf("%s: it ran", name); return nil }, opt, fxtasks.WithID("a"))
		if !errors.Is(err, fxtasks.ErrInvalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
	err := m.Run(t.Context(), "outer", func(ctx context.Context) error {
		return m.Run(ctx, "inner", nothing, fxtasks.WithID("taken"))
	}, fxtasks.WithID("taken"))
	if !errors.Is(err, fxtasks.ErrDuplicateID) || !strings.Contains(err.Error(), `"taken"`) || !strings.Contains(err.Error(), `"inner"`) {
		t.Errorf("an ID that is taken: %v", err)
	}
	if _, err := m.Shutdown(context.Background()); err != nil {
		t.Fatal(err)
	}
	if err := m.Run(t.Context(), "here", nothing); !errors.Is(err, fxtasks.ErrShuttingDown) {
		t.Error(err)
	}
}
