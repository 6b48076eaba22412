package fxtasks_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fxtasks/background/fxtasks"
)

func TestATimeoutIsEachAttemptsAndIfSeesIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newManager(t, fxtasks.Config{})
		var seen []error
		task := submit(t, m, "retried", func(ctx context.Context) error {
			<-ctx.Done()
			return errAttempt
		}, fxtasks.WithTimeout(time.Second), fxtasks.WithRetry(fxtasks.Retry{
			MaxAttempts: 2,
			Delay:       func(int) time.Duration { return time.Minute },
			If:          func(err error) bool { seen = append(seen, err); return true },
		}))
		time.Sleep(2 * time.Second)
		if info := task.Info(); info.Status != fxtasks.Pending || !info.CancelRequestedAt.IsZero() || info.CancelCause != nil {
			t.Errorf("between attempts: %+v", info)
		}
		time.Sleep(time.Minute - 500*time.Millisecond)
		if task.Status() != fxtasks.Running {
			t.Errorf("half a second into attempt 2: %v", task.Status())
		}
		task.Wait(t.Context())
		if info := task.Info(); info.Status != fxtasks.TimedOut || info.Attempt != 2 || !errors.Is(info.Err, fxtasks.ErrTimeout) {
			t.Errorf("%+v", info)
		}
		if len(seen) != 1 || !errors.Is(seen[0], fxtasks.ErrTimeout) || !errors.Is(seen[0], errAttempt) {
			t.Errorf("If was asked about %v", seen)
		}
	})
}

func TestATimeoutAndThenACancelInTheNextAttemptCancels(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newManager(t, fxtasks.Config{})
		task := submit(t, m, "work", untilCancelled, fxtasks.WithTimeout(time.Minute), fxtasks.WithRetry(after(time.Minute)))
		time.Sleep(150 * time.Second) // attempt 2 runs
		if info := task.Info(); info.Attempt != 2 || !errors.Is(info.LastErr, fxtasks.ErrTimeout) || info.CancelCause != nil || !info.CancelRequestedAt.IsZero() {
			t.Errorf("in attempt 2: %+v", info)
		}
		task.Cancel(nil)
		if err := task.Wait(t.Context()); !errors.Is(err, fxtasks.ErrCancelled) || errors.Is(err, fxtasks.ErrTimeout) {
			t.Errorf("Err is %v", err)
		}
		if info := task.Info(); info.Status != fxtasks.Cancelled || info.Attempt != 2 || !errors.Is(info.LastErr, fxtasks.ErrTimeout) {
			t.Errorf("%+v", info)
		}
	})
}

// The timeout of an attempt that returns at the same moment must end neither the wait for the next attempt nor that
// attempt.
func TestTimeoutOfAnEarlierAttemptEndsNothing(t *testing.T) {
	const timeout = time.Second
	for name, delay := range map[string]time.Duration{"between attempts": time.Hour, "in the next attempt": 0} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				m := newManager(t, fxtasks.Config{})
				var tasks []*fxtasks.Task
				for range 2000 { // of which a few have the timer lose the race against the return
					attempt := 0
					tasks = append(tasks, submit(t, m, "task", func(ctx context.Context) error {
						if attempt++; attempt == 1 {
							time.Sleep(timeout)
						} else {
							<-ctx.Done()
						}
						return errors.New("failed")
					}, fxtasks.WithTimeout(timeout), fxtasks.WithRetry(fxtasks.Retry{
						MaxAttempts: 2,
						Delay:       func(int) time.Duration { return delay },
					})))
				}
				time.Sleep(timeout)
				synctest.Wait()
				for _, task := range tasks {
					if i := task.Info(); i.Status.Finished() || i.CancelCause != nil {
						t.Fatalf("the task is %v, attempt %d, asked to end for %v, want it not to be asked", i.Status, i.Attempt, i.CancelCause)
					}
				}
				if err := m.CancelAll(t.Context(), nil); err != nil {
					t.Error(err)
				}
			})
		})
	}
}
