package fxtaskstest_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"github.com/fxtasks/background/fxtasks"
	"github.com/fxtasks/background/fxtasks/fxtaskstest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// recorder stands in for the test of somebody who uses the package.
type recorder struct {
	testing.TB

	cleanups []func()
	errors   []string
	fatal    string
}

func (r *recorder) Helper()          {}
func (r *recorder) Cleanup(f func()) { r.cleanups = append(r.cleanups, f) }

func (r *recorder) Errorf(format string, args ...any) {
	r.errors = append(r.errors, fmt.Sprintf(format, args...))
}

func (r *recorder) Fatalf(format string, args ...any) {
	r.fatal = fmt.Sprintf(format, args...)
	runtime.Goexit()
}

// run runs the test, and then its cleanups, as package testing does.
func (r *recorder) run(test func(testing.TB)) {
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		defer func() {
			for _, f := range slices.Backward(r.cleanups) {
				f()
			}
		}()
		test(r)
	}()
	<-ended
}

func (r *recorder) failed() bool { return r.fatal != "" || len(r.errors) > 0 }

func nothing(context.Context) error { return nil }

func untilCancelled(ctx context.Context) error {
	<-ctx.Done()
	return context.Cause(ctx)
}

//go:noinline
func hangsHere(release chan struct{}) { <-release }

func submit(t testing.TB, m *fxtasks.Manager, name string, fn fxtasks.Func) *fxtasks.Task {
	t.Helper()
	task, err := m.Submit(context.Background(), name, fn, fxtasks.WithID("id-of-"+name))
	if err != nil {
		t.Fatalf("Submit: %v", err)
	}
	return task
}

func TestNewShutsTheManagerDownWhenTheTestEnds(t *testing.T) {
	r := &recorder{TB: t}
	var m *fxtasks.Manager
	var task *fxtasks.Task
	r.run(func(tb testing.TB) {
		m = fxtaskstest.New(tb)
		task = submit(tb, m, "task", untilCancelled)
		if m.State() != fxtasks.Open {
			t.Errorf("during the test the manager is %v", m.State())
		}
	})
	if m.State() != fxtasks.Stopped || task.Status() != fxtasks.Cancelled || r.failed() {
		t.Errorf("afterwards the manager is %v, its task %v, and the test failed with %q %q",
			m.State(), task.Status(), r.errors, r.fatal)
	}
}

func TestStuckTasksFailTheTest(t *testing.T) {
	for _, test := range []struct {
		name string
		make func(testing.TB) *fxtasks.Manager
		took time.Duration
	}{
		{"New", func(tb testing.TB) *fxtasks.Manager { return fxtaskstest.New(tb) }, 10 * time.Second},
		{"NewWithConfig", func(tb testing.TB) *fxtasks.Manager {
			return fxtaskstest.NewWithConfig(tb, fxtasks.Config{ShutdownTimeout: time.Minute})
		}, time.Minute},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				release := make(chan struct{})
				defer close(release)
				r := &recorder{TB: t}
				began := time.Now()
				r.run(func(tb testing.TB) {
					m := test.make(tb)
					for _, name := range []string{"first", "second"} {
						submit(tb, m, name, func(context.Context) error { hangsHere(release); return nil })
					}
					submit(tb, m, "polite", untilCancelled)
				})
				if took := time.Since(began); took != test.took {
					t.Errorf("the test failed after %v, want %v", took, test.took)
				}
				if len(r.errors) != 2 || r.fatal != "" {
					t.Fatalf("the test failed with %q %q, want an error for each of 2 stuck tasks", r.errors, r.fatal)
				}
				all := strings.Join(r.errors, "\n")
				for _, name := range []string{"first", "second"} {
					if !strings.Contains(all, `"`+name+`"`) || !strings.Contains(all, "id-of-"+name) {
						t.Errorf("task %q is not named: %s", name, all)
					}
				}
				if strings.Contains(all, "polite") || strings.Count(all, "hangsHere(") != 2 {
					t.Errorf("want the stacks of the stuck tasks alone: %s", all)
				}
			})
		})
	}
}

func TestNewWithConfigUsesTheConfig(t *testing.T) {
	m := fxtaskstest.NewWithConfig(t, fxtasks.Config{MaxRunning: 3})
	if got := m.Config().MaxRunning; got != 3 {
		t.Errorf("MaxRunning is %d, want 3", got)
	}
	r := &recorder{TB: t}
	r.run(func(tb testing.TB) { fxtaskstest.NewWithConfig(tb, fxtasks.Config{MaxRunning: -3}) })
	if !strings.Contains(r.fatal, "MaxRunning") || !strings.Contains(r.fatal, "-3") {
		t.Errorf("a bad Config ends the test with %q, want the field and its value", r.fatal)
	}
}

func TestNewUsesTheOptions(t *testing.T) {
	ran := false
	m := fxtaskstest.New(t, fxtasks.WithMiddleware(func(next fxtasks.Func) fxtasks.Func {
		return func(ctx context.Context) error {
			ran = true
			return next(ctx)
		}
	}))
	if err := submit(t, m, "task", nothing).Wait(t.Context()); err != nil || !ran {
		t.Errorf("the task gave %v, its middleware ran: %v", err, ran)
	}
}

func TestWaitForStatus(t *testing.T) {
	const later = time.Second
	broken := errors.New("broken")
	after := func(err error) fxtasks.Func {
		return func(context.Context) error { <-time.After(later); return err }
	}
	for _, test := range []struct {
		name string
		fn   fxtasks.Func
		want fxtasks.Status
		took time.Duration
		says string // when it ends the test; "": it does not
	}{
		{"had it at once", after(nil), fxtasks.Pending, 0, ""},
		{"runs", after(nil), fxtasks.Running, 0, ""},
		{"completes later", after(nil), fxtasks.Completed, later, ""},
		{"fails later", after(broken), fxtasks.Failed, later, ""},
		{"ends with another one", after(broken), fxtasks.Completed, later, "failed, not completed: broken"},
		{"completes instead of failing", after(nil), fxtasks.Failed, later, "completed, not failed"},
		{"takes too long", untilCancelled, fxtasks.Completed, 30 * time.Second, "still running, not completed"},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := &recorder{TB: t}
				var took time.Duration
				r.run(func(tb testing.TB) {
					m := fxtaskstest.New(tb)
					task := submit(tb, m, "task", test.fn)
					began := time.Now()
					defer func() { took = time.Since(began) }()
					fxtaskstest.WaitForStatus(tb, m, task, test.want)
				})
				if took != test.took {
					t.Errorf("it took %v, want %v", took, test.took)
				}
				if (r.fatal != "") != (test.says != "") || !strings.Contains(r.fatal, test.says) {
					t.Errorf("the test ended with %q, want %q", r.fatal, test.says)
				}
				if r.fatal != "" && (!strings.Contains(r.fatal, `"task"`) || !strings.Contains(r.fatal, "id-of-task")) {
					t.Errorf("%q does not name the task", r.fatal)
				}
			})
		})
	}
}

// TestWaitForStatusOfATaskThatHadIt: a task may have gone on by the time that it is looked at.
func TestWaitForStatusOfATaskThatHadIt(t *testing.T) {
	m := fxtaskstest.New(t)
	task := submit(t, m, "task", nothing)
	if err := task.Wait(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, had := range []fxtasks.Status{fxtasks.Pending, fxtasks.Running, fxtasks.Completed} {
		fxtaskstest.WaitForStatus(t, m, task, had)
	}
}

func TestStuckTasksFailTheTestThoughItHasShutTheManagerDownItself(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		r := &recorder{TB: t}
		r.run(func(t testing.TB) {
			m := fxtaskstest.New(t)
			submit(t, m, "stuck", func(context.Context) error { hangsHere(release); return nil })
			_, _ = m.Shutdown(context.Background())
		})
		close(release)
		if len(r.errors) != 1 || !strings.Contains(r.errors[0], "id-of-stuck") {
			t.Errorf("the test failed with %q, want the stuck task named", r.errors)
		}
	})
}

func TestWaitForStatusSeesTheEndOfATaskAfterTheManagerHasStopped(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		m, err := fxtasks.New(fxtasks.Config{})
		if err != nil {
			t.Fatal(err)
		}
		task := submit(t, m, "slow", func(context.Context) error { hangsHere(release); return nil })
		if _, err := m.Shutdown(t.Context()); err == nil {
			t.Fatal("Shutdown did not give up on the task")
		}
		time.AfterFunc(time.Second, func() { close(release) })
		fxtaskstest.WaitForStatus(t, m, task, fxtasks.Completed)
	})
}
