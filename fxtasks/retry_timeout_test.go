package fxtasks_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fxtasks/background/fxtasks"
)

// The timeout of an attempt that ends by itself at that very moment concerns neither the wait for the next attempt nor that one.
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
