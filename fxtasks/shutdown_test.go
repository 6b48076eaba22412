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

// TestShutdownAbandons: the fourth phase. What is left is named, the figures add up, and a task
// that returns after all is recorded.
func TestShutdownAbandons(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const budget, age = 10 * time.Second, time.Minute
		m := newManager(t, fxtasks.Config{ShutdownTimeout: budget, MaxRunning: 4})
		release := make(chan struct{})
		broken := errors.New("broken")
		stuck := []*fxtasks.Task{ // until release
			submit(t, m, "completes", until(release), fxtasks.WithID("one")),
			submit(t, m, "errs", func(context.Context) error { <-release; return broken }, fxtasks.WithID("two")),
		}
		submit(t, m, "returns", untilCancelled)
		ignores := submit(t, m, "does not mind", func(ctx context.Context) error { <-ctx.Done(); return nil })
		waits := submit(t, m, "waits", nothing)
		pass(age)

		d := <-startShutdown(t.Context(), m)
		var failed *fxtasks.ShutdownError
		if !errors.As(d.err, &failed) {
			t.Fatalf("Shutdown gives %v, want a *ShutdownError", d.err)
		}
		r := d.report
		if r.Status != "timeout" || r.Initial != 5 || r.Returned != 3 || r.Cancelled != 2 || r.Remaining != 2 || r.Duration != budget {
			t.Errorf("the report says %+v", r)
		}
		if e := failed.Report; e.Status != r.Status || e.Remaining != r.Remaining || len(e.Stuck) != len(r.Stuck) || e.Duration != r.Duration {
			t.Errorf("the error's report says %+v, the other one %+v", e, r)
		}
		if ignores.Status() != fxtasks.Completed || waits.Status() != fxtasks.Cancelled {
			t.Errorf("the task that returned nil is %v, the one that waited is %v", ignores.Status(), waits.Status())
		}
		if len(r.Stuck) != len(stuck) {
			t.Fatalf("%d tasks are reported as stuck, want %d", len(r.Stuck), len(stuck))
		}
		for i, task := range stuck {
			s := r.Stuck[len(stuck)-1-i] // the newest first, as List
			if s.Info.ID != task.ID() || s.Info.Name != task.Name() || s.Info.Status != fxtasks.Running || s.Age != age+budget {
				t.Errorf("stuck: %+v for %v, want %v for %v", s.Info, s.Age, task, age+budget)
			}
			if s.Info.CancelCause != fxtasks.ErrShutdown {
				t.Errorf("stuck task %v: CancelCause is %v", task, s.Info.CancelCause)
			}
			if !strings.Contains(d.err.Error(), task.Name()) || !strings.Contains(d.err.Error(), task.ID()) {
				t.Errorf("the error does not name %v: %v", task, d.err)
			}
		}
		if s := m.Stats(); s.Running != 2 || m.State() != fxtasks.Stopped {
			t.Errorf("with 2 stuck tasks Stats has %d, and the state is %v", s.Running, m.State())
		}

		pass(time.Hour)
		close(release)
		synctest.Wait()
		if err := stuck[0].Err(); stuck[0].Status() != fxtasks.Completed || err != nil {
			t.Errorf("the one that returned nil after all is %v with %v", stuck[0].Status(), err)
		}
		err := stuck[1].Err()
		if stuck[1].Status() != fxtasks.Cancelled || !errors.Is(err, fxtasks.ErrShutdown) || !errors.Is(err, broken) {
			t.Errorf("the one that returned an error after all is %v with %v", stuck[1].Status(), err)
		}
		if s := m.Stats(); s.Running != 0 || s.Completed != 2 || s.Cancelled != 3 || s.Submitted != 5 {
			t.Errorf("the figures say %+v", s)
		}
		if r.Stuck[0].Info.Status != fxtasks.Running {
			t.Error("the report has changed under the reader")
		}
	})
}

// TestShutdownBudget is the shorter of ShutdownTimeout and what ctx has left; a task that does not
// return makes Shutdown use it up.
func TestShutdownBudget(t *testing.T) {
	const configured = 4 * time.Second
	for _, test := range []struct {
		name string
		ctx  func(context.Context) (context.Context, context.CancelFunc)
		want time.Duration
	}{
		{"ctx without a deadline", context.WithCancel, configured},
		{"ctx with a longer one", func(ctx context.Context) (context.Context, context.CancelFunc) {
			return context.WithTimeout(ctx, time.Hour)
		}, configured},
		{"ctx with a shorter one", func(ctx context.Context) (context.Context, context.CancelFunc) {
			return context.WithTimeout(ctx, time.Second)
		}, time.Second},
		{"ctx whose deadline has passed", func(ctx context.Context) (context.Context, context.CancelFunc) {
			return context.WithTimeout(ctx, -time.Second)
		}, 0},
		{"ctx that is cancelled", func(ctx context.Context) (context.Context, context.CancelFunc) {
			ctx, cancel := context.WithCancel(ctx)
			cancel()
			return ctx, cancel
		}, 0},
		{"ctx that is cancelled meanwhile", func(ctx context.Context) (context.Context, context.CancelFunc) {
			ctx, cancel := context.WithCancel(ctx)
			time.AfterFunc(3*time.Second, cancel)
			return ctx, cancel
		}, 3 * time.Second},
	} {
		for _, grace := range []time.Duration{0, time.Second / 2, time.Hour} {
			t.Run(test.name+", grace "+grace.String(), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					m := newManager(t, fxtasks.Config{ShutdownTimeout: configured, DrainGrace: grace})
					release := make(chan struct{})
					defer close(release)
					task := submit(t, m, "task", until(release))
					synctest.Wait()
					ctx, cancel := test.ctx(t.Context())
					defer cancel()
					began := time.Now()
					d := <-startShutdown(ctx, m)
					var failed *fxtasks.ShutdownError
					if !errors.As(d.err, &failed) || d.at.Sub(began) != test.want || d.report.Duration != test.want || d.report.Remaining != 1 {
						t.Errorf("Shutdown gave %+v, %v after %v, want %v", d.report, d.err, d.at.Sub(began), test.want)
					}
					if info := task.Info(); info.CancelCause != fxtasks.ErrShutdown {
						t.Errorf("when it gave up it had asked the task with %v, want ErrShutdown", info.CancelCause)
					}
				})
			})
		}
	}
}

// TestSecondShutdown has one that is concurrent, one that will not wait so long, and one afterwards.
func TestSecondShutdown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newManager(t, fxtasks.Config{ShutdownTimeout: 10 * time.Second})
		release := make(chan struct{})
		defer close(release)
		submit(t, m, "task", until(release))
		synctest.Wait()
		began := time.Now()
		first := startShutdown(t.Context(), m)
		hurried, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		pass(time.Second / 2)
		concurrent, impatient := startShutdown(t.Context(), m), startShutdown(hurried, m)
		if d := <-first; d.err == nil || d.report.Status != "timeout" {
			t.Errorf("the first gave %+v, %v", d.report, d.err)
		}
		if d := <-impatient; d.err != context.DeadlineExceeded || d.at.Sub(began) != time.Second {
			t.Errorf("one whose ctx ends first gave %+v, %v after %v", d.report, d.err, d.at.Sub(began))
		}
		for name, d := range map[string]drained{
			"a concurrent one waits for the first":   <-concurrent,
			"one afterwards has nothing to wait for": <-startShutdown(t.Context(), m),
			"a ctx that has ended does not matter":   <-startShutdown(hurried, m),
		} {
			var still *fxtasks.ShutdownError
			if !errors.As(d.err, &still) || d.report.Status != "already_shutdown" || d.at.Sub(began) != 10*time.Second ||
				d.report.Remaining != 1 || len(d.report.Stuck) != 1 || d.report.Stuck[0].Stack != "" {
				t.Errorf("%s: it gave %+v, %v after %v, want what is still running", name, d.report, d.err, d.at.Sub(began))
			}
		}
	})
}

// TestBlockedSubmittersGetErrShuttingDown frees them at once, not when room comes.
func TestBlockedSubmittersGetErrShuttingDown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newManager(t, fxtasks.Config{MaxRunning: 1, MaxPending: -1, DrainGrace: time.Second})
		g, err := m.Group("eu", fxtasks.GroupConfig{MaxRunning: 1, MaxPending: -1})
		if err != nil {
			t.Fatal(err)
		}
		release := make(chan struct{})
		busy := submit(t, m, "task", until(release))
		refused := make(chan error, 10)
		for i := range cap(refused) {
			go func() {
				_, err := []fxtasks.Submitter{m, g}[i%2].Submit(t.Context(), "blocked", nothing, fxtasks.WithBlocking())
				refused <- err
			}()
		}
		pass(time.Minute)
		if len(refused) > 0 {
			t.Fatalf("a blocking submit on a full manager returned %v", <-refused)
		}
		over := startShutdown(t.Context(), m)
		if len(refused) != cap(refused) {
			t.Errorf("%d of %d blocked submits have returned", len(refused), cap(refused))
		}
		for range len(refused) {
			if err := <-refused; !errors.Is(err, fxtasks.ErrShuttingDown) {
				t.Errorf("a blocked submit gave %v", err)
			}
		}
		close(release)
		if d := <-over; d.err != nil || d.report.Initial != 1 || busy.Status() != fxtasks.Completed {
			t.Errorf("Shutdown gave %+v, %v: those that were blocked were never tasks", d.report, d.err)
		}
	})
}
