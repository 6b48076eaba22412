package background_test

import (
	"context"
	"errors"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/fx"
	"go.uber.org/fx/fxtest"
	"go.uber.org/goleak"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"github.com/fxtasks/background"
	"github.com/fxtasks/background/fxtasks"
)

func TestMain(m *testing.M) {
	if os.Getenv(asApplication) != "" {
		runApplication()
	}
	goleak.VerifyTestMain(m)
}

var errClosed = errors.New("db: closed")

// db is a resource that closes when the application stops.
type db struct{ closed atomic.Bool }

func newDB(lc fx.Lifecycle) *db {
	d := new(db)
	lc.Append(fx.StopHook(func() { d.closed.Store(true) }))
	return d
}

func (d *db) query() error {
	if d.closed.Load() {
		return errClosed
	}
	return nil
}

// useAtTheEnd is a task that needs the database when it is asked to end, as one that saves its
// progress does. It takes its time for that.
func useAtTheEnd(d *db) fxtasks.Func {
	return func(ctx context.Context) error {
		<-ctx.Done()
		time.Sleep(100 * time.Millisecond)
		return d.query()
	}
}

// service submits three such tasks.
type service struct {
	tasks []*fxtasks.Task
}

func newService(s fxtasks.Submitter, d *db) (*service, error) {
	svc := new(service)
	for range 3 {
		t, err := s.Submit(context.Background(), "use-db", useAtTheEnd(d))
		if err != nil {
			return nil, err
		}
		svc.tasks = append(svc.tasks, t)
	}
	return svc, nil
}

// checkNeverClosed fails the test if a task of svc has seen a closed database, or runs on.
func (svc *service) checkNeverClosed(t *testing.T) {
	t.Helper()
	if len(svc.tasks) == 0 {
		t.Error("no tasks were submitted")
	}
	for _, task := range svc.tasks {
		if got := task.Status(); !got.Finished() {
			t.Errorf("task is %v after the application stopped", got)
		}
		if err := task.Err(); errors.Is(err, errClosed) {
			t.Errorf("a task saw a closed database: %v", err)
		}
	}
}

type managerFirst struct {
	fx.In
	Manager *fxtasks.Manager
	DB      *db
}

// wirings are the ways to build one's components that stop in the wrong order without Uses.
var wirings = map[string]func(svc **service) fx.Option{
	"manager before db": func(svc **service) fx.Option {
		return fx.Options(
			fx.Provide(func(m *fxtasks.Manager, d *db) (*service, error) { return newService(m, d) }),
			fx.Populate(svc),
		)
	},
	"db before manager": func(svc **service) fx.Option {
		return fx.Options(
			fx.Provide(func(d *db, m *fxtasks.Manager) (*service, error) { return newService(m, d) }),
			fx.Populate(svc),
		)
	},
	"fx.In struct": func(svc **service) fx.Option {
		return fx.Options(
			fx.Provide(func(in managerFirst) (*service, error) { return newService(in.Manager, in.DB) }),
			fx.Populate(svc),
		)
	},
	"inside an fx.Module": func(svc **service) fx.Option {
		return fx.Module("reports",
			fx.Invoke(func(*fxtasks.Manager) {}), // invokes of a module run before its parent's
			fx.Provide(func(m *fxtasks.Manager, d *db) (*service, error) { return newService(m, d) }),
			fx.Populate(svc),
		)
	},
	"another service built first": func(svc **service) fx.Option {
		type other struct{}
		return fx.Options(
			fx.Provide(func(*fxtasks.Manager) other { return other{} }),
			fx.Invoke(func(other) {}),
			fx.Provide(func(d *db, m *fxtasks.Manager) (*service, error) { return newService(m, d) }),
			fx.Populate(svc),
		)
	},
}

func TestTasksNeverSeeAClosedResource(t *testing.T) {
	for name, wiring := range wirings {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var svc *service
				app := fxtest.New(t, background.Module, background.Uses[*db](), fx.Provide(newDB), wiring(&svc))
				app.RequireStart().RequireStop()
				svc.checkNeverClosed(t)
			})
		})
	}
}

func TestUsesWorksInsideAModule(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var svc *service
		app := fxtest.New(t,
			background.Module,
			fx.Module("storage", fx.Provide(newDB), background.Uses[*db]()),
			wirings["manager before db"](&svc),
		)
		app.RequireStart().RequireStop()
		svc.checkNeverClosed(t)
	})
}

func TestTasksNeverSeeAClosedResourceWhenTheStartRollsBack(t *testing.T) {
	for name, wiring := range wirings {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var svc *service
				broken := errors.New("port is taken")
				app := fxtest.New(t, background.Module, background.Uses[*db](), fx.Provide(newDB), wiring(&svc),
					fx.Invoke(func(lc fx.Lifecycle) { lc.Append(fx.StartHook(func() error { return broken })) }))
				if err := app.Start(context.Background()); !errors.Is(err, broken) {
					t.Fatalf("Start gives %v, want %v", err, broken)
				}
				svc.checkNeverClosed(t)
			})
		})
	}
}

// Without Uses the first wiring is wrong. If this ever changes, Uses has become pointless.
func TestWithoutUsesTheOrderOfParametersMatters(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var svc *service
		app := fxtest.New(t, background.Module, fx.Provide(newDB), wirings["manager before db"](&svc))
		app.RequireStart().RequireStop()
		for _, task := range svc.tasks {
			if !errors.Is(task.Err(), errClosed) {
				t.Errorf("task ended with %v, want %v", task.Err(), errClosed)
			}
		}
	})
}

func TestUsesOfSomethingThatNeedsTheManagerIsReportedAsACycle(t *testing.T) {
	type cache struct{}
	app := fx.New(fx.NopLogger, background.Module, background.Uses[*cache](),
		fx.Provide(func(*fxtasks.Manager) *cache { return nil }),
		fx.Invoke(func(*fxtasks.Manager) {}))
	checkNamed(t, app.Err(), "cycle", "Uses", "*background_test.cache")
}

func TestUsesOfSomethingUnknownIsReported(t *testing.T) {
	app := fx.New(fx.NopLogger, background.Module, background.Uses[*db](), fx.Invoke(func(*fxtasks.Manager) {}))
	checkNamed(t, app.Err(), "missing type", "Uses", "*background_test.db")
}

func checkNamed(t *testing.T, err error, names ...string) {
	t.Helper()
	if err == nil {
		t.Fatal("fx.New succeeds")
	}
	for _, name := range names {
		if !strings.Contains(err.Error(), name) {
			t.Errorf("fx.New gives %v, want it to say %q", err, name)
		}
	}
}

func TestModuleUsesConfigLoggerAndMiddlewareOfTheGraph(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		core, logs := observer.New(zap.DebugLevel)
		var order []string
		wrap := func(name string) fxtasks.Middleware {
			return func(next fxtasks.Func) fxtasks.Func {
				return func(ctx context.Context) error {
					order = append(order, name)
					return next(ctx)
				}
			}
		}
		var m *fxtasks.Manager
		app := fxtest.New(t, background.Module,
			fx.Supply(fxtasks.Config{MaxRunning: 3}, zap.New(core), []fxtasks.Middleware{wrap("outer"), wrap("inner")}),
			fx.Populate(&m))
		app.RequireStart()
		task, err := m.Submit(context.Background(), "work", func(context.Context) error { return nil })
		if err != nil {
			t.Fatal(err)
		}
		if err := task.Wait(context.Background()); err != nil {
			t.Error(err)
		}
		app.RequireStop()

		if got := m.Config().MaxRunning; got != 3 {
			t.Errorf("MaxRunning is %d, want 3", got)
		}
		if strings.Join(order, " ") != "outer inner" {
			t.Errorf("middleware ran in order %v", order)
		}
		if n := logs.FilterMessage("task completed").FilterField(zap.String("task_id", task.ID())).Len(); n != 1 {
			t.Errorf("%d lines about the end of the task, want 1", n)
		}
		for _, line := range logs.All() {
			if line.LoggerName != "background" {
				t.Errorf("logger of %q is named %q, want %q", line.Message, line.LoggerName, "background")
			}
		}
	})
}

func TestModuleNeedsNothingAndProvidesOnlyTheManager(t *testing.T) {
	var m *fxtasks.Manager
	app := fxtest.New(t, background.Module, fx.Populate(&m))
	app.RequireStart().RequireStop()
	if m.State() != fxtasks.Stopped {
		t.Errorf("manager is %v after the application stopped", m.State())
	}
	for _, option := range []fx.Option{
		fx.Invoke(func(fxtasks.Config) {}), fx.Invoke(func(*zap.Logger) {}), fx.Invoke(func([]fxtasks.Middleware) {}),
	} {
		if err := fx.ValidateApp(fx.NopLogger, background.Module, option); err == nil {
			t.Errorf("%v: the module provides something that it does not own", option)
		}
	}
}

func TestABadConfigIsAnErrorOfTheApplication(t *testing.T) {
	app := fx.New(fx.NopLogger, background.Module, fx.Supply(fxtasks.Config{DrainGrace: -time.Second}),
		fx.Invoke(func(*fxtasks.Manager) {}))
	err := app.Err()
	if !errors.Is(err, fxtasks.ErrInvalid) || !strings.Contains(err.Error(), "DrainGrace") {
		t.Errorf("fx.New gives %v, want an ErrInvalid that names DrainGrace", err)
	}
}

func TestNewWithoutTheModule(t *testing.T) {
	if _, err := background.New(background.Params{}); !errors.Is(err, fxtasks.ErrInvalid) {
		t.Errorf("New without a lifecycle gives %v, want ErrInvalid", err)
	}
	lc := fxtest.NewLifecycle(t)
	result, err := background.New(background.Params{Lifecycle: lc})
	if err != nil {
		t.Fatal(err)
	}
	lc.RequireStart().RequireStop()
	if got := result.Manager.State(); got != fxtasks.Stopped {
		t.Errorf("manager is %v after the lifecycle stopped", got)
	}
}
