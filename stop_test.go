package background_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/fx"
	"go.uber.org/fx/fxtest"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"

	"github.com/fxtasks/background"
	"github.com/fxtasks/background/fxtasks"
)

func submit(t *testing.T, s fxtasks.Submitter, name string, fn fxtasks.Func, opts ...fxtasks.TaskOption) *fxtasks.Task {
	t.Helper()
	task, err := s.Submit(context.Background(), name, fn, opts...)
	if err != nil {
		t.Fatal(err)
	}
	return task
}

func TestTheStartHasALineWithWhatIsInForce(t *testing.T) {
	core, logs := observer.New(zap.InfoLevel)
	app := fxtest.New(t, background.Module, fx.Supply(zap.New(core), fxtasks.Config{MaxRunning: 7}), needManager)
	if n := logs.Len(); n != 0 {
		t.Errorf("%d lines before the start", n)
	}
	app.RequireStart()
	lines := logs.All()
	if len(lines) != 1 || lines[0].Level != zap.InfoLevel || lines[0].LoggerName != "background" {
		t.Fatalf("lines are %+v, want one info line", lines)
	}
	want := map[string]any{
		"max_running": int64(7), "max_pending": int64(0), "task_timeout": time.Duration(0),
		"cancel_timeout": 5 * time.Second, "shutdown_timeout": 10 * time.Second, "drain_grace": time.Duration(0),
		"stop_reserve": 500 * time.Millisecond, "retain_finished": int64(1000), "retain_for": time.Hour,
	}
	fields := lines[0].ContextMap()
	for field, value := range want {
		if fields[field] != value {
			t.Errorf("%s is %v, want %v", field, fields[field], value)
		}
	}
	if len(fields) != len(want) {
		t.Errorf("fields are %v", fields)
	}
	app.RequireStop()
}

// A task that stops the application with its own context is drained with all others: the values of
// that context do not count, and that the drain itself ends it does not end the drain.
func TestATaskMayStopTheApplication_azureWebjobsSDK115(t *testing.T) {
	for name, grace := range map[string]time.Duration{"without grace": 0, "with grace": 2 * time.Second} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var (
					m *fxtasks.Manager
					d *db
				)
				core, logs := observer.New(zap.ErrorLevel)
				app := fxtest.New(t, background.Module, background.Uses[*db](), fx.Provide(newDB),
					fx.Supply(zap.New(core), fxtasks.Config{DrainGrace: grace}), fx.Populate(&m, &d))
				app.RequireStart()
				other := submit(t, m, "other", useAtTheEnd(d))
				var stopped error
				stopper := submit(t, m, "stopper", func(ctx context.Context) error {
					stopped = app.Stop(ctx)
					return ctx.Err()
				})
				time.Sleep(5 * time.Second)
				synctest.Wait()
				if !errors.Is(stopped, context.Canceled) {
					t.Errorf("Stop gives %v, want the end of its context", stopped)
				}
				for _, task := range []*fxtasks.Task{other, stopper} {
					if !task.Status().Finished() || errors.Is(task.Err(), errClosed) {
						t.Errorf("task %q is %v with error %v, want it drained", task.Name(), task.Status(), task.Err())
					}
				}
				if got := m.State(); got != fxtasks.Stopped || logs.Len() > 0 {
					t.Errorf("manager is %v, want it stopped with nothing to report; lines: %v", got, logs.All())
				}
			})
		})
	}
}

// The way that the documentation recommends: all hooks run. It takes real time, since Fx listens
// for signals, which the clock of synctest cannot hold.
func TestATaskMayShutDownTheApplication(t *testing.T) {
	var (
		m *fxtasks.Manager
		d *db
		s fx.Shutdowner
	)
	app := fxtest.New(t, background.Module, background.Uses[*db](), fx.Provide(newDB), fx.Populate(&m, &d, &s))
	signals := app.Wait()
	app.RequireStart()
	other := submit(t, m, "other", useAtTheEnd(d))
	submit(t, m, "stopper", func(context.Context) error { return s.Shutdown() })
	<-signals
	app.RequireStop()
	if err := other.Err(); !other.Status().Finished() || errors.Is(err, errClosed) || !d.closed.Load() {
		t.Errorf("task is %v with %v, database closed: %v", other.Status(), err, d.closed.Load())
	}
}

// The end of the stop context counts when somebody else ends it.
func TestTheEndOfTheStopContextEndsTheDrain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		defer close(release)
		lc := fxtest.NewLifecycle(t)
		result, err := background.New(background.Params{Lifecycle: lc})
		if err != nil {
			t.Fatal(err)
		}
		lc.RequireStart()
		submit(t, result.Manager, "stuck", hang(release))
		ctx, cancel := context.WithCancel(context.Background())
		time.AfterFunc(2*time.Second, cancel)
		began := time.Now()
		err = lc.Stop(ctx)
		if took := time.Since(began); took != 2*time.Second {
			t.Errorf("the drain takes %v, want 2 s", took)
		}
		var stuck *fxtasks.ShutdownError
		if !errors.As(err, &stuck) {
			t.Errorf("Stop gives %v, want a *ShutdownError", err)
		}
	})
}

// A failed start is rolled back within fx.StartTimeout, and the warning names that.
func TestARollbackThatIsCutShortNamesTheStartTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		defer close(release)
		core, logs := observer.New(zap.WarnLevel)
		var d *db
		app := fx.New(fx.NopLogger, background.Module, background.Uses[*db](), fx.Provide(newDB), fx.Supply(zap.New(core)), fx.Populate(&d),
			fx.Invoke(func(lc fx.Lifecycle, m *fxtasks.Manager) {
				lc.Append(fx.StartHook(func() error {
					submit(t, m, "stuck", hang(release))
					time.Sleep(4 * time.Second)
					return errors.New("port is taken")
				}))
			}))
		ctx, cancel := context.WithTimeout(context.Background(), 7*time.Second)
		defer cancel()
		began := time.Now()
		err := app.Start(ctx)
		var stuck *fxtasks.ShutdownError
		if took := time.Since(began); took != 6500*time.Millisecond || !errors.As(err, &stuck) {
			t.Errorf("Start gives %v after %v, want a *ShutdownError after 6.5 s", err, took)
		}
		if !d.closed.Load() {
			t.Error("the database was not closed")
		}
		lines := logs.Filter(func(e observer.LoggedEntry) bool { return strings.Contains(e.Message, "fx.S") }).All()
		if len(lines) != 1 || !strings.Contains(lines[0].Message, "fx.StartTimeout") || strings.Contains(lines[0].Message, "fx.StopTimeout") {
			t.Errorf("lines are %v, want one that names fx.StartTimeout", lines)
		}
		if got := lines[0].ContextMap()["budget"]; got != 2500*time.Millisecond {
			t.Errorf("budget is %v, want 2.5 s", got)
		}
	})
}

// With several drains there is one warning, from the first: what the others have left is as the
// first has left it.
func TestOneWarningForAllDrains(t *testing.T) {
	for _, c := range []struct {
		stopTimeout time.Duration
		want        int
	}{{5 * time.Second, 1}, {15 * time.Second, 0}} {
		synctest.Test(t, func(t *testing.T) {
			release := make(chan struct{})
			defer close(release)
			core, logs := observer.New(zap.WarnLevel)
			app := fxtest.New(t, background.Module, fx.Supply(zap.New(core)),
				fx.Invoke(func(lc fx.Lifecycle, m *fxtasks.Manager) error {
					g, err := background.NewGroup(lc, m, "reports", fxtasks.GroupConfig{})
					if err == nil {
						_, err = g.Submit(context.Background(), "stuck", hang(release))
					}
					return err
				}))
			app.RequireStart()
			ctx, cancel := context.WithTimeout(context.Background(), c.stopTimeout)
			defer cancel()
			_ = app.Stop(ctx) // its error is another test's
			n := logs.Filter(func(e observer.LoggedEntry) bool { return strings.Contains(e.Message, "fx.StopTimeout") }).Len()
			if n != c.want {
				t.Errorf("%d lines that name fx.StopTimeout with a stop timeout of %v, want %d", n, c.stopTimeout, c.want)
			}
		})
	}
}

// trap is a core whose lines at or above a level do what a logger may not.
type trap struct {
	zapcore.LevelEnabler
	spring func()
}

func (c *trap) With([]zapcore.Field) zapcore.Core { return c }
func (c *trap) Check(e zapcore.Entry, checked *zapcore.CheckedEntry) *zapcore.CheckedEntry {
	return checked.AddCore(e, c)
}
func (c *trap) Write(e zapcore.Entry, _ []zapcore.Field) error {
	if strings.HasPrefix(e.Message, "background tasks") || strings.Contains(e.Message, "fx.StopTimeout") {
		c.spring()
	}
	return nil
}
func (c *trap) Sync() error { return nil }

// A logger is the user's code: whatever it does with the lines of this package, the application
// starts, the tasks are drained, and the database is closed.
func TestALoggerCannotBreakTheHooks_zap1415(t *testing.T) {
	release := make(chan struct{})
	for name, spring := range map[string]func(){
		"panics": func() { panic("no space left on device") },
		"blocks": func() { <-release },
	} {
		t.Run(name, func(t *testing.T) {
			lc := fxtest.NewLifecycle(t)
			closed := false
			lc.Append(fx.StopHook(func() { closed = true }))
			result, err := background.New(background.Params{
				Lifecycle: lc,
				Logger:    zap.New(&trap{zap.DebugLevel, spring}),
				Config:    fxtasks.Config{StopReserve: 100 * time.Millisecond},
			})
			if err != nil {
				t.Fatal(err)
			}
			start, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
			defer cancel()
			if err := lc.Start(start); err != nil && start.Err() == nil {
				t.Fatalf("Start gives %v", err)
			}
			task := submit(t, result.Manager, "work", func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() })
			stop, cancel := context.WithTimeout(context.Background(), 5*time.Second)
			defer cancel()
			if err := lc.Stop(stop); err != nil {
				t.Errorf("Stop gives %v", err)
			}
			if !closed || task.Status() != fxtasks.Cancelled {
				t.Errorf("closed: %v, task is %v", closed, task.Status())
			}
		})
	}
	close(release)
}

// slowCore takes a millisecond for each line.
type slowCore struct{ zapcore.LevelEnabler }

func (c slowCore) With([]zapcore.Field) zapcore.Core { return c }
func (c slowCore) Check(e zapcore.Entry, checked *zapcore.CheckedEntry) *zapcore.CheckedEntry {
	return checked.AddCore(e, c)
}
func (c slowCore) Write(zapcore.Entry, []zapcore.Field) error {
	time.Sleep(time.Millisecond)
	return nil
}
func (c slowCore) Sync() error { return nil }

// A slow logger uses up neither the drain's budget nor the later hooks' time.
func TestASlowLoggerLeavesTimeForLaterHooks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var (
			m *fxtasks.Manager
			d *db
		)
		app := fxtest.New(t, background.Module, background.Uses[*db](), fx.Provide(newDB),
			fx.Supply(zap.New(slowCore{zap.DebugLevel}), fxtasks.Config{MaxRunning: 1}), fx.Populate(&m, &d))
		app.RequireStart()
		for range 20_000 {
			submit(t, m, "work", func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() })
		}
		ctx, cancel := context.WithTimeout(context.Background(), 15*time.Second)
		defer cancel()
		began := time.Now()
		if err := app.Stop(ctx); err != nil {
			t.Error(err)
		}
		if took := time.Since(began); took > 10*time.Second || !d.closed.Load() {
			t.Errorf("the stop takes %v, database closed: %v", took, d.closed.Load())
		}
	})
}
