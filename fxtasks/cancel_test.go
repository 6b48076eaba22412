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

type cancelFunc func(ctx context.Context, m *fxtasks.Manager, id string, cause error) error

// cancels is what asks a task to end and waits: both keep the same promises.
var cancels = []struct {
	what string
	call cancelFunc
}{
	{"Cancel", func(ctx context.Context, m *fxtasks.Manager, id string, cause error) error {
		_, err := m.Cancel(ctx, id, cause)
		return err
	}},
	{"CancelAll", func(ctx context.Context, m *fxtasks.Manager, _ string, cause error) error {
		return m.CancelAll(ctx, cause)
	}},
}

// forCancels runs the test for both.
func forCancels(t *testing.T, test func(t *testing.T, cancel cancelFunc)) {
	for _, c := range cancels {
		t.Run(c.what, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { test(t, c.call) })
		})
	}
}

// slow is a task that goes on for d after it was asked to end.
func slow(d time.Duration) fxtasks.Func {
	return func(ctx context.Context) error {
		<-ctx.Done()
		time.Sleep(d)
		return ctx.Err()
	}
}

func TestTaskCancelAsksAndDoesNotWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newManager(t, fxtasks.Config{})
		task := submit(t, m, "work", slow(time.Minute))
		synctest.Wait()
		asked := time.Now()
		task.Cancel(errOwn)
		if took := time.Since(asked); took != 0 {
			t.Errorf("Cancel took %v", took)
		}
		time.Sleep(time.Second)
		info := task.Info()
		if info.Status != fxtasks.Running || info.Err != nil || !info.FinishedAt.IsZero() {
			t.Errorf("before fn has returned the task is %v, with %v, finished at %v", info.Status, info.Err, info.FinishedAt)
		}
		if !info.CancelRequestedAt.Equal(asked) || info.CancelCause != errOwn {
			t.Errorf("requested at %v because: %v, want %v, %v", info.CancelRequestedAt, info.CancelCause, asked, errOwn)
		}
		_ = task.Wait(t.Context())
		if got := task.Status(); got != fxtasks.Cancelled {
			t.Errorf("after fn has returned the task is %v", got)
		}
	})
}

func TestTaskCancelOfAFinishedTaskChangesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newManager(t, fxtasks.Config{})
		task := submit(t, m, "work", nothing)
		if err := task.Wait(t.Context()); err != nil {
			t.Fatal(err)
		}
		task.Cancel(nil)
		if info := task.Info(); info.Status != fxtasks.Completed || !info.CancelRequestedAt.IsZero() || info.CancelCause != nil {
			t.Errorf("task is %+v", info)
		}
	})
}

func TestTaskCancelsItselfWithoutWaiting(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newManager(t, fxtasks.Config{})
		task := submit(t, m, "work", func(ctx context.Context) error {
			self, _ := fxtasks.FromContext(ctx)
			self.Cancel(nil)
			return context.Cause(ctx)
		})
		if err := task.Wait(t.Context()); task.Status() != fxtasks.Cancelled || !errors.Is(err, fxtasks.ErrCancelled) {
			t.Errorf("task is %v: %v", task.Status(), err)
		}
	})
}

func TestCancelWaitsUntilTheTaskHasReturned(t *testing.T) {
	for cause, want := range map[error]error{nil: fxtasks.ErrCancelled, errOwn: errOwn} {
		forCancels(t, func(t *testing.T, cancel cancelFunc) {
			m := newManager(t, fxtasks.Config{MaxRunning: 1})
			running := submit(t, m, "work", slow(2*time.Second), fxtasks.WithID("id"))
			pending := submit(t, m, "work", nothing)
			synctest.Wait()
			began := time.Now()
			if err := cancel(t.Context(), m, "id", cause); err != nil {
				t.Fatal(err)
			}
			if took := time.Since(began); took != 2*time.Second {
				t.Errorf("it took %v, want as long as the task", took)
			}
			if info := running.Info(); info.Status != fxtasks.Cancelled || info.CancelCause != want || !errors.Is(info.Err, want) {
				t.Errorf("task is %v because: %v, with %v", info.Status, info.CancelCause, info.Err)
			}
			if err := m.Wait(t.Context()); err != nil || !pending.Status().Finished() {
				t.Errorf("the pending task is %v (%v)", pending.Status(), err)
			}
		})
	}
}

func TestCancelGivesTheInfoOfTheEndedTask(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newManager(t, fxtasks.Config{})
		task := submit(t, m, "work", func(ctx context.Context) error { <-ctx.Done(); return nil })
		info, err := m.Cancel(t.Context(), task.ID(), nil)
		if err != nil || info.ID != task.ID() || info.Status != fxtasks.Completed || info.Err != nil {
			t.Errorf("Cancel gave %+v, %v, want the completed task", info, err)
		}
	})
}

func TestCancelOfAnUnknownIDGivesErrNotFound(t *testing.T) {
	m := newManager(t, fxtasks.Config{})
	if _, err := m.Cancel(context.Background(), "nobody", nil); !errors.Is(err, fxtasks.ErrNotFound) {
		t.Errorf("Cancel gave %v", err)
	}
}

func TestCancelOfAnEndedTaskGivesErrFinished(t *testing.T) {
	m := newManager(t, fxtasks.Config{})
	task := submit(t, m, "work", nothing)
	if err := task.Wait(context.Background()); err != nil {
		t.Fatal(err)
	}
	info, err := m.Cancel(context.Background(), task.ID(), nil)
	if !errors.Is(err, fxtasks.ErrFinished) || info.Status != fxtasks.Completed || !info.CancelRequestedAt.IsZero() {
		t.Errorf("Cancel gave %+v, %v", info, err)
	}
}

func TestCancelGivesUpAfterCancelTimeout(t *testing.T) {
	for _, c := range []struct{ chosen, want time.Duration }{
		{0, 5 * time.Second}, // the default
		{2 * time.Second, 2 * time.Second},
	} {
		forCancels(t, func(t *testing.T, cancel cancelFunc) {
			m := newManager(t, fxtasks.Config{CancelTimeout: c.chosen})
			release := make(chan struct{})
			defer close(release)
			task := submit(t, m, "work", until(release), fxtasks.WithID("id"))
			began := time.Now()
			err := cancel(t.Context(), m, "id", nil)
			if took := time.Since(began); !errors.Is(err, fxtasks.ErrStillRunning) || took != c.want {
				t.Errorf("it gave %v after %v, want ErrStillRunning after %v", err, took, c.want)
			}
			if info := task.Info(); info.Status != fxtasks.Running || !info.CancelRequestedAt.Equal(began) {
				t.Errorf("task is %v, requested at %v", info.Status, info.CancelRequestedAt)
			}
		})
	}
}

func TestErrStillRunningComesWithTheInfo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newManager(t, fxtasks.Config{})
		release := make(chan struct{})
		defer close(release)
		task := submit(t, m, "work", until(release))
		info, err := m.Cancel(t.Context(), task.ID(), errOwn)
		if !errors.Is(err, fxtasks.ErrStillRunning) || !strings.Contains(err.Error(), task.ID()) {
			t.Errorf("Cancel gave %v, want ErrStillRunning that names the task", err)
		}
		if info.ID != task.ID() || info.Status != fxtasks.Running || info.CancelCause != errOwn {
			t.Errorf("Info is %+v", info)
		}
	})
}

func TestCancelGivesTheErrorOfItsCtxAndTheRequestStands(t *testing.T) {
	forCancels(t, func(t *testing.T, cancel cancelFunc) {
		m := newManager(t, fxtasks.Config{})
		task := submit(t, m, "work", slow(3*time.Second), fxtasks.WithID("id"))
		ctx, stop := context.WithTimeout(t.Context(), time.Second)
		defer stop()
		if err := cancel(ctx, m, "id", errOwn); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("it gave %v, want its ctx's error", err)
		}
		_ = task.Wait(t.Context())
		if info := task.Info(); info.Status != fxtasks.Cancelled || info.CancelCause != errOwn {
			t.Errorf("task is %v because: %v", info.Status, info.CancelCause)
		}
	})
}

func TestTaskThatCancelsAndWaitsForItselfGetsErrInvalid(t *testing.T) {
	forCancels(t, func(t *testing.T, cancel cancelFunc) {
		m := newManager(t, fxtasks.Config{})
		var got error
		task := submit(t, m, "work", func(ctx context.Context) error {
			derived, stop := context.WithCancel(ctx)
			defer stop()
			got = cancel(derived, m, "id", nil)
			return ctx.Err()
		}, fxtasks.WithID("id"))
		if err := task.Wait(t.Context()); err != nil || !task.Info().CancelRequestedAt.IsZero() {
			t.Errorf("task was cancelled: %v", err)
		}
		wantInvalid(t, got)
	})
}

func TestTaskMayCancelAnother(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newManager(t, fxtasks.Config{})
		other := submit(t, m, "other", untilCancelled)
		task := submit(t, m, "work", func(ctx context.Context) error {
			_, err := m.Cancel(ctx, other.ID(), nil)
			return err
		})
		if err := task.Wait(t.Context()); err != nil || other.Status() != fxtasks.Cancelled {
			t.Errorf("Cancel gave %v, the other one is %v", err, other.Status())
		}
	})
}

func TestCancelRefusesANilCtx(t *testing.T) {
	forCancels(t, func(t *testing.T, cancel cancelFunc) {
		m := newManager(t, fxtasks.Config{})
		task := submit(t, m, "work", untilCancelled, fxtasks.WithID("id"))
		var nilCtx context.Context
		wantInvalid(t, cancel(nilCtx, m, "id", nil), "ctx")
		if !task.Info().CancelRequestedAt.IsZero() {
			t.Error("the task was cancelled all the same")
		}
	})
}
