package background_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/fx"
	"go.uber.org/fx/fxtest"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"github.com/fxtasks/background"
	"github.com/fxtasks/background/fxtasks"
)

// hang is a task that ignores its context until release is closed.
func hang(release <-chan struct{}) fxtasks.Func {
	return func(context.Context) error {
		<-release
		return nil
	}
}

func TestTheDrainLeavesTimeForLaterHooks(t *testing.T) {
	for _, c := range []struct {
		name        string
		config      fxtasks.Config
		stopTimeout time.Duration // 0: the context of Stop has no deadline
		want        time.Duration // that the drain takes at the most
		wantWarning bool
	}{
		{"defaults", fxtasks.Config{}, 15 * time.Second, 10 * time.Second, false},
		{"the stop timeout is shorter", fxtasks.Config{}, 5 * time.Second, 4500 * time.Millisecond, true},
		{"the stop timeout is as long", fxtasks.Config{}, 10 * time.Second, 9500 * time.Millisecond, true},
		{"the stop timeout is just enough", fxtasks.Config{}, 10500 * time.Millisecond, 10 * time.Second, false},
		{"less than twice the reserve is left", fxtasks.Config{}, 800 * time.Millisecond, 400 * time.Millisecond, true},
		{"a longer reserve", fxtasks.Config{StopReserve: 2 * time.Second}, 5 * time.Second, 3 * time.Second, true},
		{"no reserve", fxtasks.Config{StopReserve: -1}, 5 * time.Second, 5 * time.Second, true},
		{"no deadline", fxtasks.Config{ShutdownTimeout: time.Minute}, 0, time.Minute, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				release := make(chan struct{})
				defer close(release)
				core, logs := observer.New(zap.InfoLevel)
				lc := fxtest.NewLifecycle(t)
				laterHookRan := false
				lc.Append(fx.StopHook(func() { laterHookRan = true }))
				result, err := background.New(background.Params{Lifecycle: lc, Config: c.config, Logger: zap.New(core)})
				if err != nil {
					t.Fatal(err)
				}
				lc.RequireStart()
				if _, err := result.Manager.Submit(context.Background(), "stuck", hang(release)); err != nil {
					t.Fatal(err)
				}

				ctx := context.Background()
				if c.stopTimeout > 0 {
					var cancel context.CancelFunc
					ctx, cancel = context.WithTimeout(ctx, c.stopTimeout)
					defer cancel()
				}
				began := time.Now()
				err = lc.Stop(ctx)
				if took := time.Since(began); took != c.want {
					t.Errorf("the drain took %v, want %v", took, c.want)
				}
				if c.config.StopReserve >= 0 { // else the drain and Stop's context end together: either may win
					var stuck *fxtasks.ShutdownError
					if !errors.As(err, &stuck) || stuck.Report.Remaining != 1 {
						t.Errorf("Stop gives %v, want a *ShutdownError with one task", err)
					}
					if !laterHookRan {
						t.Error("the hook after the drain did not run")
					}
				}
				warned := logs.Filter(func(e observer.LoggedEntry) bool {
					return strings.Contains(e.Message, "fx.StopTimeout")
				}).Len() > 0
				if warned != c.wantWarning {
					t.Errorf("a line that names fx.StopTimeout: %v, want %v", warned, c.wantWarning)
				}
			})
		})
	}
}

func TestAnApplicationThatIsStartedAgainIsRefused(t *testing.T) {
	app := fxtest.New(t, background.Module, fx.Invoke(func(*fxtasks.Manager) {}))
	app.RequireStart().RequireStop()
	if err := app.Start(context.Background()); !errors.Is(err, fxtasks.ErrShuttingDown) {
		t.Errorf("the second Start gives %v, want ErrShuttingDown", err)
	}
}

// A group made in a constructor drains before what that constructor was given closes, without Uses.
func TestNewGroupDrainsBeforeWhatTheConstructorHolds(t *testing.T) {
	provide := func(svc **service) fx.Option {
		return fx.Options(background.Module, fx.Provide(newDB), fx.Populate(svc),
			fx.Provide(func(lc fx.Lifecycle, m *fxtasks.Manager, d *db) (*service, error) {
				g, err := background.NewGroup(lc, m, "reports", fxtasks.GroupConfig{})
				if err != nil {
					return nil, err
				}
				return newService(g, d)
			}))
	}
	t.Run("stop", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			var svc *service
			app := fxtest.New(t, provide(&svc))
			app.RequireStart().RequireStop()
			svc.checkNeverClosed(t)
		})
	})
	t.Run("rollback", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			var svc *service
			app := fxtest.New(t, provide(&svc), fx.Invoke(func(lc fx.Lifecycle) {
				lc.Append(fx.StartHook(func() error { return errors.New("port is taken") }))
			}))
			if err := app.Start(context.Background()); err == nil {
				t.Fatal("Start succeeded")
			}
			svc.checkNeverClosed(t)
		})
	})
}

func TestNewGroupGivesAnError(t *testing.T) {
	lc := fxtest.NewLifecycle(t)
	result, err := background.New(background.Params{Lifecycle: lc})
	if err != nil {
		t.Fatal(err)
	}
	m := result.Manager
	newGroup := func(lc fx.Lifecycle, m *fxtasks.Manager, name string) error {
		_, err := background.NewGroup(lc, m, name, fxtasks.GroupConfig{})
		return err
	}
	if err := newGroup(lc, m, "first"); err != nil {
		t.Fatal(err)
	}
	for what, err := range map[string]error{
		"of no lifecycle":  newGroup(nil, m, "second"),
		"of no manager":    newGroup(lc, nil, "second"),
		"of a name twice":  newGroup(lc, m, "first"),
		"of an empty name": newGroup(lc, m, ""),
		"of a bad config":  errorOf(background.NewGroup(lc, m, "second", fxtasks.GroupConfig{MaxRunning: -1})),
	} {
		if !errors.Is(err, fxtasks.ErrInvalid) {
			t.Errorf("NewGroup %s gives %v, want ErrInvalid", what, err)
		}
	}
	lc.RequireStart()
	if err := newGroup(lc, m, "late"); err == nil || !strings.Contains(err.Error(), "after the application has started") {
		t.Errorf("NewGroup after the start gives %v", err)
	}
	lc.RequireStop()
	if err := newGroup(lc, m, "too late"); !errors.Is(err, fxtasks.ErrShuttingDown) {
		t.Errorf("NewGroup after the stop gives %v, want ErrShuttingDown", err)
	}

	// A manager of one's own is not known to be in an application: there the hook may be in time.
	own, err := fxtasks.New(fxtasks.Config{})
	if err != nil {
		t.Fatal(err)
	}
	lc = fxtest.NewLifecycle(t)
	if err := newGroup(lc, own, "own"); err != nil {
		t.Errorf("NewGroup with a manager of one's own gives %v", err)
	}
	lc.RequireStart().RequireStop()
}

func errorOf(_ *fxtasks.Group, err error) error { return err }

// asApplication makes the test binary be an application with a stuck task, which its exit code
// and its output are about: only a process can show what Run does with a real signal.
const asApplication = "BACKGROUND_TEST_AS_APPLICATION"

func runApplication() {
	signal.Notify(make(chan os.Signal, 1), syscall.SIGTERM) // lest one that comes too early kills it
	fx.New(
		fx.NopLogger,
		background.Module,
		background.Uses[*db](),
		fx.Supply(fxtasks.Config{ShutdownTimeout: 200 * time.Millisecond}),
		fx.Provide(func(lc fx.Lifecycle) *db {
			lc.Append(fx.StopHook(func() { fmt.Println("database closed") }))
			return new(db)
		}),
		fx.Invoke(func(lc fx.Lifecycle, m *fxtasks.Manager) {
			lc.Append(fx.StartHook(func() error {
				work := func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() }
				if os.Getenv(asApplication) == "stuck" {
					work = func(context.Context) error { select {} }
				}
				_, err := m.Submit(context.Background(), "work", work)
				fmt.Println("started")
				return err
			}))
		}),
	).Run()
	os.Exit(0)
}

func TestRunExits(t *testing.T) {
	for _, c := range []struct {
		task string
		want int
	}{
		{"obedient", 0},
		{"stuck", 1},
	} {
		t.Run(c.task, func(t *testing.T) {
			app := exec.Command(os.Args[0])
			app.Env = append(os.Environ(), asApplication+"="+c.task)
			out, err := app.StdoutPipe()
			if err != nil {
				t.Fatal(err)
			}
			if err := app.Start(); err != nil {
				t.Fatal(err)
			}
			ended := make(chan struct{})
			var lines []string
			for scanner := bufio.NewScanner(out); scanner.Scan(); {
				lines = append(lines, scanner.Text())
				if scanner.Text() == "started" {
					go terminate(app.Process, ended)
				}
			}
			_ = app.Wait() // its exit code is looked at below
			close(ended)
			if got := app.ProcessState.ExitCode(); got != c.want {
				t.Errorf("exit code %d, want %d; output: %q", got, c.want, lines)
			}
			if got := strings.Join(lines, ", "); got != "started, database closed" {
				t.Errorf("output %q, want the database closed after the start", got)
			}
		})
	}
}

// terminate sends SIGTERM until the process has ended: Run subscribes to signals only after the
// last start hook, which is the last thing that the process can tell about. Fx ignores all but
// the first that it gets.
func terminate(p *os.Process, ended <-chan struct{}) {
	for {
		_ = p.Signal(syscall.SIGTERM) // fails once the process has ended
		select {
		case <-ended:
			return
		case <-time.After(10 * time.Millisecond):
		}
	}
}
