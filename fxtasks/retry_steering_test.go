package fxtasks_test

import (
	"context"
	"errors"
	"runtime"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/zap"

	"github.com/fxtasks/background/fxtasks"
)

func TestATaskWaitsThroughTheAttemptsOfAnother(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newManager(t, fxtasks.Config{MaxRunning: 1})
		parent := submit(t, m, "parent", func(ctx context.Context) error {
			child, err := m.Submit(ctx, "child", failing(2), fxtasks.WithRetry(after(time.Minute)))
			if err != nil {
				return err
			}
			return child.Wait(ctx)
		})
		synctest.Wait()
		if s := m.Stats(); s.Running != 1 || s.Waiting != 1 || s.Pending != 1 || s.Retried != 1 {
			t.Errorf("between attempts: %+v", s)
		}
		start := time.Now()
		if err := parent.Wait(t.Context()); err != nil || time.Since(start) != 2*time.Minute {
			t.Errorf("%v after %v", err, time.Since(start))
		}
	})
}

func TestTheValueIsThatOfTheAttemptThatCompleted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newManager(t, fxtasks.Config{})
		attempt := 0
		result, err := fxtasks.SubmitResult(t.Context(), m, "work", func(context.Context) (int, error) {
			if attempt++; attempt < 3 {
				return attempt, errAttempt
			}
			return attempt, nil
		}, fxtasks.WithRetry(after(time.Minute)))
		if err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		if v, ok := result.Task.Result(); ok || v != nil {
			t.Errorf("between attempts Result gives %v, %v", v, ok)
		}
		if v, err := result.Value(t.Context()); v != 3 || err != nil {
			t.Errorf("Value gives %v, %v", v, err)
		}
		task, _ := m.Task(result.ID())
		if again, ok := fxtasks.ResultOf[int](task); !ok {
			t.Error("ResultOf finds no result")
		} else if v, _ := again.Value(t.Context()); v != 3 {
			t.Errorf("ResultOf gives %v", v)
		}
	})
}

func TestCancelAllOfAGroupEndsWhatIsBetweenAttemptsAndDelayed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newManager(t, fxtasks.Config{})
		g, err := m.Group("g", fxtasks.GroupConfig{})
		if err != nil {
			t.Fatal(err)
		}
		between := submit(t, g, "between", failing(9), fxtasks.WithRetry(after(time.Hour)))
		delayed := submit(t, g, "delayed", nothing, fxtasks.WithDelay(time.Hour))
		other := submit(t, m, "other", nothing, fxtasks.WithDelay(time.Minute))
		synctest.Wait()
		start, cause := time.Now(), errors.New("no longer wanted")
		if err := g.CancelAll(t.Context(), cause); err != nil || !time.Now().Equal(start) {
			t.Errorf("CancelAll: %v after %v", err, time.Since(start))
		}
		for _, task := range []*fxtasks.Task{between, delayed} {
			if err := task.Err(); !errors.Is(err, cause) || !errors.Is(err, fxtasks.ErrCancelled) || task.Status() != fxtasks.Cancelled {
				t.Errorf("%s: %v, %v", task.Name(), task.Status(), err)
			}
		}
		if err := g.Wait(t.Context()); err != nil {
			t.Error(err)
		}
		if err := other.Wait(t.Context()); err != nil {
			t.Error(err)
		}
	})
}

func TestAStartedDrainEndsBackOffAtOnceAndMakesAnAttemptTheLast(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, logs := observed(t, fxtasks.Config{ShutdownTimeout: time.Minute, DrainGrace: 30 * time.Second})
		fails := submit(t, m, "fails", func(context.Context) error { time.Sleep(5 * time.Second); return errAttempt },
			fxtasks.WithRetry(after(time.Second)))
		synctest.Wait()
		m.StartDrain(t.Context())
		if _, err := m.Shutdown(t.Context()); err != nil {
			t.Error(err)
		}
		if info := fails.Info(); info.Status != fxtasks.Failed || info.Err != errAttempt || info.Attempt != 1 {
			t.Errorf("%+v", info)
		}
		if line := wantLine(t, logs, "task failed", zap.ErrorLevel); line["attempt"] != int64(1) {
			t.Errorf("fields are %v", line)
		}
		if n := len(linesWith(logs, "is retried")); n != 0 || m.Stats().Retried != 0 {
			t.Errorf("%d lines announce a retry, %d counted", n, m.Stats().Retried)
		}
	})
}

// What an attempt held is collected while the task waits for the next.
func TestBetweenAttemptsNothingOfTheAttemptIsKept(t *testing.T) {
	m := newManager(t, fxtasks.Config{})
	collected := make(chan struct{})
	task := submit(t, m, "work", func(ctx context.Context) error {
		held := new([1 << 16]byte)
		context.AfterFunc(context.WithValue(ctx, collected, held), func() { held[0]++ })
		runtime.AddCleanup(held, func(c chan struct{}) { close(c) }, collected)
		return errAttempt
	}, fxtasks.WithRetry(after(time.Hour)))
	deadline := time.After(10 * time.Second)
	for {
		runtime.GC()
		select {
		case <-collected:
			if s := task.Status(); s != fxtasks.Pending {
				t.Errorf("status is %v", s)
			}
			task.Cancel(nil)
			return
		case <-deadline:
			t.Fatal("what the attempt held is still reachable")
		case <-time.After(time.Millisecond):
		}
	}
}
