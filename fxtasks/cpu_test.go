//go:build unix

package fxtasks_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/fxtasks/background/fxtasks"
)

// cpuTime gives how much CPU this process has used.
func cpuTime(t *testing.T) time.Duration {
	t.Helper()
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		t.Fatal(err)
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}

// waitsWithoutCPU fails the test if wait, which must take at least atLeast, keeps a CPU busy for
// more than a quarter of that.
func waitsWithoutCPU(t *testing.T, atLeast time.Duration, wait func()) {
	t.Helper()
	began, used := time.Now(), cpuTime(t)
	wait()
	took, used := time.Since(began), cpuTime(t)-used
	if took < atLeast {
		t.Errorf("it waited for %v, want at least %v", took, atLeast)
	}
	if used > took/4 {
		t.Errorf("%v of waiting took %v of CPU", took, used)
	}
}

const realWait = 200 * time.Millisecond

// TestWaitingCostsNoCPU has a hundred waiters for each call that waits, half of them called with the context
// of a task.
func TestWaitingCostsNoCPU(t *testing.T) {
	m := newManager(t, fxtasks.Config{MaxRunning: 1, MaxPending: -1})
	release := make(chan struct{})
	target := submit(t, m, "target", until(release))
	t.Cleanup(func() { close(release) }) // before the manager is shut down
	others := newManager(t, fxtasks.Config{MaxRunning: 1})
	for name, wait := range map[string]func(ctx context.Context) error{
		"Task.Wait":    target.Wait,
		"Manager.Wait": m.Wait,
		"blocking Submit": func(ctx context.Context) error {
			_, err := m.Submit(ctx, "blocked", nothing, fxtasks.WithBlocking())
			return err
		},
		"Subscription.Next": func(ctx context.Context) error {
			_, err := others.Subscribe(fxtasks.Latest).Next(ctx)
			for err == nil { // other waiters' tasks begin and end
				_, err = others.Subscribe(fxtasks.Latest).Next(ctx)
			}
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			waitsWithoutCPU(t, realWait, func() {
				ctx, cancel := context.WithTimeout(t.Context(), realWait)
				defer cancel()
				var wg sync.WaitGroup
				for i := range 100 {
					wait := wait
					if i%2 == 0 {
						wait = inTask(t, others, fmt.Sprint("waiter ", i), wait)
					}
					wg.Go(func() {
						if err := wait(ctx); !errors.Is(err, context.DeadlineExceeded) {
							t.Errorf("gave %v, want DeadlineExceeded", err)
						}
					})
				}
				wg.Wait()
			})
		})
	}
}

// inTask makes the call from a task, with the task's context and the deadline of ctx.
func inTask(t *testing.T, m *fxtasks.Manager, id string, call func(ctx context.Context) error) func(context.Context) error {
	return func(ctx context.Context) error {
		deadline, _ := ctx.Deadline()
		return submit(t, m, "waiter", func(ctx context.Context) error {
			ctx, cancel := context.WithDeadline(ctx, deadline)
			defer cancel()
			return call(ctx)
		}, fxtasks.WithID(id)).Wait(context.Background())
	}
}

// gocron 2.21: a shutdown that waited for 1.5 s spent 1.5 s of CPU.
func TestShutdownDoesNotSpinWhileItWaits_gocron(t *testing.T) {
	m, err := fxtasks.New(fxtasks.Config{ShutdownTimeout: realWait})
	if err != nil {
		t.Fatal(err)
	}
	release := make(chan struct{})
	var stuck []*fxtasks.Task
	for range 100 {
		stuck = append(stuck, submit(t, m, "stuck", until(release)))
	}
	waitsWithoutCPU(t, realWait, func() {
		if _, err := m.Shutdown(t.Context()); err == nil {
			t.Error("Shutdown gave no error although tasks were stuck")
		}
	})
	close(release)
	for _, task := range stuck {
		task.Wait(t.Context())
	}
}
