package background_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/fx"
	"go.uber.org/fx/fxtest"

	"github.com/fxtasks/background"
	"github.com/fxtasks/background/fxtasks"
)

// groups gives the groups of an application, each with a hook of its own.
func groups(into map[string]*fxtasks.Group, names ...string) fx.Option {
	return fx.Invoke(func(lc fx.Lifecycle, m *fxtasks.Manager) error {
		for _, name := range names {
			g, err := background.NewGroup(lc, m, name, fxtasks.GroupConfig{})
			if err != nil {
				return err
			}
			into[name] = g
		}
		return nil
	})
}

// Three groups with a stuck task each cost one ShutdownTimeout, and a task of the manager that
// takes a second to end has had all of it.
func TestAllDrainsTogetherTakeOneShutdownTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		defer close(release)
		var (
			m *fxtasks.Manager
			d *db
		)
		g := map[string]*fxtasks.Group{}
		app := fxtest.New(t, background.Module, background.Uses[*db](), fx.Provide(newDB), fx.Populate(&m, &d), groups(g, "a", "b", "c"))
		app.RequireStart()
		for _, g := range g {
			submit(t, g, "stuck", hang(release))
		}
		polite := submit(t, m, "polite", func(ctx context.Context) error {
			<-ctx.Done()
			time.Sleep(time.Second)
			return d.query()
		})
		ctx, cancel := context.WithTimeout(context.Background(), 15*time.Second)
		defer cancel()
		began := time.Now()
		err := app.Stop(ctx)
		if took := time.Since(began); took != 10*time.Second {
			t.Errorf("the stop takes %v, want one ShutdownTimeout", took)
		}
		var stuck *fxtasks.ShutdownError
		if !errors.As(err, &stuck) {
			t.Errorf("Stop gives %v, want a *ShutdownError", err)
		}
		if !polite.Status().Finished() || errors.Is(polite.Err(), errClosed) {
			t.Errorf("the polite task is %v with %v", polite.Status(), polite.Err())
		}
		if !d.closed.Load() {
			t.Error("the database was not closed")
		}
	})
}

// From the first drain on, the grace of every task runs, wherever it is: when it is over the
// context of a task ends, though the hook of its own group has not come.
func TestTheGraceRunsForAllFromTheFirstDrain(t *testing.T) {
	for _, grace := range []time.Duration{0, 3 * time.Second} {
		synctest.Test(t, func(t *testing.T) {
			release := make(chan struct{})
			defer close(release)
			var m *fxtasks.Manager
			g := map[string]*fxtasks.Group{}
			app := fxtest.New(t, background.Module, fx.Supply(fxtasks.Config{DrainGrace: grace}), fx.Populate(&m), groups(g, "early", "late"))
			app.RequireStart()
			began := time.Now()
			submit(t, g["late"], "stuck", hang(release)) // holds up the first of the drains
			var ended sync.Map
			for name, s := range map[string]fxtasks.Submitter{"early": g["early"], "manager": m} {
				submit(t, s, name, func(ctx context.Context) error {
					<-ctx.Done()
					ended.Store(name, time.Since(began))
					return context.Cause(ctx)
				})
				synctest.Wait()
			}
			ctx, cancel := context.WithTimeout(context.Background(), 15*time.Second)
			defer cancel()
			_ = app.Stop(ctx) // the stuck task is another test's
			for _, name := range []string{"early", "manager"} {
				if after, _ := ended.Load(name); after != grace {
					t.Errorf("the context of the task of %s ends after %v, want %v", name, after, grace)
				}
			}
		})
	}
}

// A group whose hook has not come takes tasks while their grace lasts.
func TestAGroupWhoseHookHasNotComeTakesTasksInTheGrace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		defer close(release)
		var m *fxtasks.Manager
		g := map[string]*fxtasks.Group{}
		app := fxtest.New(t, background.Module, fx.Supply(fxtasks.Config{DrainGrace: 3 * time.Second}), fx.Populate(&m), groups(g, "early", "late"))
		app.RequireStart()
		submit(t, g["late"], "stuck", hang(release))
		try := func(s fxtasks.Submitter) error {
			_, err := s.Submit(context.Background(), "more", func(context.Context) error { return nil })
			return err
		}
		for _, c := range []struct {
			at   time.Duration
			s    func() fxtasks.Submitter
			want error
		}{
			{time.Second, func() fxtasks.Submitter { return g["early"] }, nil},
			{time.Second, func() fxtasks.Submitter { return m }, nil},
			{time.Second, func() fxtasks.Submitter { return g["late"] }, fxtasks.ErrShuttingDown},
			{4 * time.Second, func() fxtasks.Submitter { return g["early"] }, fxtasks.ErrShuttingDown},
			{4 * time.Second, func() fxtasks.Submitter { return m }, fxtasks.ErrShuttingDown},
		} {
			time.AfterFunc(c.at, func() {
				if err := try(c.s()); !errors.Is(err, c.want) {
					t.Errorf("after %v a submit gives %v, want %v", c.at, err, c.want)
				}
			})
		}
		ctx, cancel := context.WithTimeout(context.Background(), 15*time.Second)
		defer cancel()
		_ = app.Stop(ctx)
	})
}

// A group's Shutdown by anybody else starts no clock.
func TestAGroupThatSomebodyShutsDownStartsNoClock(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var m *fxtasks.Manager
		g := map[string]*fxtasks.Group{}
		app := fxtest.New(t, background.Module, fx.Populate(&m), groups(g, "reports"))
		app.RequireStart()
		task := submit(t, m, "work", func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() })
		if _, err := g["reports"].Shutdown(context.Background()); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Hour)
		if got := task.Status(); got != fxtasks.Running {
			t.Errorf("task is %v, want it running", got)
		}
		app.RequireStop()
	})
}
