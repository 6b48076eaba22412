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

	"github.com/fxtasks/background"
	"github.com/fxtasks/background/fxtasks"
)

// purge counts its runs, and uses the database at the end of each.
type purge struct {
	runs     int
	takes    time.Duration // 0: until its context ends
	deaf     bool          // it takes its time also when its context ends
	sawError error
}

func newPurge(p *purge, d *db) fxtasks.Func {
	return func(ctx context.Context) error {
		p.runs++
		if p.takes > 0 {
			timer := time.NewTimer(p.takes)
			defer timer.Stop()
			stop := ctx.Done()
			if p.deaf {
				stop = nil
			}
			select {
			case <-timer.C:
			case <-stop:
			}
		} else {
			<-ctx.Done()
			time.Sleep(100 * time.Millisecond) // it saves its progress
		}
		p.sawError = d.query()
		return nil
	}
}

func TestAPeriodicRunsFromTheStartToTheStop(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &purge{takes: time.Second}
		app := fxtest.New(t, background.Module, fx.Provide(newDB), fx.Supply(p),
			background.Periodic("purge", fxtasks.Every(time.Minute), newPurge))
		time.Sleep(3 * time.Minute)
		if p.runs != 0 {
			t.Errorf("%d runs before the start", p.runs)
		}
		app.RequireStart()
		time.Sleep(3*time.Minute + time.Second)
		synctest.Wait()
		if p.runs != 3 {
			t.Errorf("%d runs in three minutes", p.runs)
		}
		app.RequireStop()
		time.Sleep(3 * time.Minute)
		synctest.Wait()
		if p.runs != 3 {
			t.Errorf("%d runs after the stop, want 3", p.runs)
		}
	})
}

func TestARunIsATaskWithTheOptionsGiven(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var m *fxtasks.Manager
		app := fxtest.New(t, background.Module, fx.Provide(newDB), fx.Supply(&purge{takes: time.Second}), fx.Populate(&m),
			background.Periodic("purge", fxtasks.Every(time.Minute), newPurge, fxtasks.WithTimeout(time.Hour),
				fxtasks.WithMetadata(map[string]string{"kind": "nightly"})))
		app.RequireStart()
		time.Sleep(time.Minute)
		synctest.Wait()
		page := m.List(fxtasks.Filter{Name: "purge"})
		if len(page.Tasks) != 1 || page.Tasks[0].Timeout != time.Hour || page.Tasks[0].Metadata["kind"] != "nightly" {
			t.Errorf("tasks are %+v, want one with the options given", page.Tasks)
		}
		app.RequireStop()
	})
}

// The run is drained before anything closes that the constructor was given, without Uses, wherever
// the manager and the database were built, and wherever Periodic stands.
func TestARunNeverSeesAClosedResource(t *testing.T) {
	periodic := background.Periodic("purge", fxtasks.Every(time.Minute), newPurge)
	for name, wiring := range map[string]fx.Option{
		"manager first":     fx.Options(needManager, periodic),
		"database first":    fx.Options(fx.Invoke(func(*db) {}), periodic),
		"in an fx.Module":   fx.Module("reports", periodic),
		"before background": fx.Options(periodic, fx.Invoke(func(*db) {})),
		"with Uses":         fx.Options(background.Uses[*db](), periodic),
		"with an fx.In": background.Periodic("purge", fxtasks.Every(time.Minute), func(in struct {
			fx.In
			P  *purge
			DB *db
		}) (fxtasks.Func, error) {
			return newPurge(in.P, in.DB), nil
		}),
		"a private database": fx.Module("reports",
			fx.Provide(fx.Annotate(newDB, fx.ResultTags(`name:"own"`)), fx.Private),
			background.Periodic("purge", fxtasks.Every(time.Minute), func(in struct {
				fx.In
				P  *purge
				DB *db `name:"own"`
			}) fxtasks.Func {
				return newPurge(in.P, in.DB)
			})),
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := new(purge)
				app := fxtest.New(t, background.Module, wiring, fx.Provide(newDB), fx.Supply(p))
				app.RequireStart()
				time.Sleep(time.Minute + time.Second)
				synctest.Wait()
				if p.runs != 1 {
					t.Fatalf("%d runs in a minute", p.runs)
				}
				app.RequireStop()
				synctest.Wait()
				if p.sawError != nil {
					t.Errorf("the run gets %v from the database", p.sawError)
				}
			})
		})
	}
}

func TestARunHasItsGrace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &purge{takes: 4 * time.Second}
		var m *fxtasks.Manager
		app := fxtest.New(t, background.Module, fx.Provide(newDB), fx.Supply(p, fxtasks.Config{DrainGrace: 5 * time.Second}), fx.Populate(&m),
			background.Periodic("purge", fxtasks.Every(time.Minute), newPurge))
		app.RequireStart()
		time.Sleep(time.Minute + time.Second)
		began := time.Now()
		app.RequireStop()
		if took := time.Since(began); took != 3*time.Second {
			t.Errorf("the stop takes %v, want the 3 s that the run still needs", took)
		}
		if page := m.List(fxtasks.Filter{Name: "purge", Statuses: []fxtasks.Status{fxtasks.Completed}}); page.Total != 1 {
			t.Errorf("%d runs completed, want 1", page.Total)
		}
	})
}

// A run that does not return costs one ShutdownTimeout, and later hooks run.
func TestARunThatDoesNotReturnIsReported(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, d := &purge{takes: time.Hour, deaf: true}, (*db)(nil)
		app := fxtest.New(t, background.Module, fx.Provide(newDB), fx.Supply(p), fx.Populate(&d),
			background.Periodic("purge", fxtasks.Every(time.Minute), newPurge))
		app.RequireStart()
		time.Sleep(time.Minute + time.Second)
		ctx, cancel := context.WithTimeout(context.Background(), 15*time.Second)
		defer cancel()
		began := time.Now()
		err := app.Stop(ctx)
		if took := time.Since(began); took != 10*time.Second {
			t.Errorf("the stop takes %v, want one ShutdownTimeout", took)
		}
		var stuck *fxtasks.ShutdownError
		if !errors.Is(err, fxtasks.ErrStillRunning) || !strings.Contains(err.Error(), `"purge"`) || !errors.As(err, &stuck) {
			t.Errorf("Stop gives %v, want ErrStillRunning of the schedule, and the manager's *ShutdownError", err)
		}
		if !d.closed.Load() {
			t.Error("the database was not closed")
		}
		time.Sleep(time.Hour)
	})
}

// When the start fails, a schedule that has begun ends, and its run is drained.
func TestAFailedStartEndsTheSchedule(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &purge{takes: time.Second}
		app := fx.New(fx.NopLogger, background.Module, fx.Provide(newDB), fx.Supply(p),
			background.Periodic("purge", fxtasks.Every(time.Minute), newPurge),
			fx.Invoke(func(lc fx.Lifecycle) {
				lc.Append(fx.StartHook(func() error { time.Sleep(90 * time.Second); return errors.New("port is taken") }))
			}))
		ctx, cancel := context.WithTimeout(context.Background(), 3*time.Minute)
		defer cancel()
		if err := app.Start(ctx); err == nil {
			t.Fatal("Start succeeds")
		}
		time.Sleep(10 * time.Minute)
		if p.runs != 1 {
			t.Errorf("%d runs, want the one before the start failed", p.runs)
		}
	})
}

func TestPeriodicGivesAnErrorOfNew(t *testing.T) {
	broken := errors.New("no queries")
	every := fxtasks.Every(time.Minute)
	for name, c := range map[string]struct {
		option fx.Option
		want   []string
	}{
		"a missing type":      {background.Periodic("nightly purge", every, newPurge), []string{`"nightly purge"`, "newPurge", "*background_test.purge"}},
		"a hard name":         {background.Periodic("a\"b`c\\", every, newPurge), []string{`"a'b'c'"`, "*background_test.purge"}},
		"no constructor":      {background.Periodic("purge", every, nil), []string{`"purge"`, "want a function that gives fxtasks.Func or (fxtasks.Func, error)"}},
		"no result":           {background.Periodic("purge", every, func() {}), []string{`"purge"`, "func(), want a function that gives fxtasks.Func"}},
		"another result":      {background.Periodic("purge", every, func() error { return nil }), []string{`"purge"`, "func() error, want"}},
		"a second result":     {background.Periodic("purge", every, func() (fxtasks.Func, bool) { return nil, true }), []string{`"purge"`, "want a function"}},
		"the function itself": {background.Periodic("purge", every, func(context.Context) error { return nil }), []string{`"purge"`, "want a function"}},
		"a nil function":      {background.Periodic("purge", every, func() fxtasks.Func { return nil }), []string{`"purge"`, "nil fxtasks.Func"}},
		"an error":            {background.Periodic("purge", every, func() (fxtasks.Func, error) { return nil, broken }), []string{`"purge"`, "no queries"}},
		"a name twice": {fx.Options(background.Periodic("purge", every, func() fxtasks.Func { return nil }),
			background.Periodic("purge", every, func() fxtasks.Func { return nil })), []string{"schedule purge", "already provided"}},
	} {
		t.Run(name, func(t *testing.T) {
			err := fx.New(fx.NopLogger, background.Module, c.option).Err()
			if err == nil {
				t.Fatal("fx.New succeeds")
			}
			for _, want := range c.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("fx.New gives %v, want it to say %q", err, want)
				}
			}
			if name == "an error" && !errors.Is(err, broken) {
				t.Errorf("fx.New gives %v, want it to match the constructor's error", err)
			}
		})
	}
	t.Run("no manager", func(t *testing.T) {
		err := fx.New(fx.NopLogger, fx.Provide(newDB), fx.Supply(new(purge)), background.Periodic("purge", every, newPurge)).Err()
		if err == nil || !strings.Contains(err.Error(), `"purge"`) || !strings.Contains(err.Error(), "*fxtasks.Manager") {
			t.Errorf("fx.New gives %v, want it to name the schedule and the manager", err)
		}
	})
}

func TestPeriodicGivesAnErrorOfStart(t *testing.T) {
	work := func() fxtasks.Func { return func(context.Context) error { return nil } }
	for name, option := range map[string]fx.Option{
		"a nil schedule":   background.Periodic("purge", nil, work),
		"an Every of zero": background.Periodic("purge", fxtasks.Every(0), work),
	} {
		t.Run(name, func(t *testing.T) {
			app := fx.New(fx.NopLogger, background.Module, option)
			if err := app.Err(); err != nil {
				t.Fatal(err)
			}
			err := app.Start(context.Background())
			if !errors.Is(err, fxtasks.ErrInvalid) || !strings.Contains(err.Error(), `"purge"`) {
				t.Errorf("Start gives %v, want ErrInvalid that names the schedule", err)
			}
		})
	}
}

func TestSeveralPeriodics(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var runs [2]int
		count := func(i int) func() fxtasks.Func {
			return func() fxtasks.Func { return func(context.Context) error { runs[i]++; return nil } }
		}
		app := fxtest.New(t, background.Module,
			background.Periodic("one", fxtasks.Every(time.Minute), count(0)),
			background.Periodic("two", fxtasks.Every(time.Hour), count(1)))
		app.RequireStart()
		time.Sleep(time.Hour + time.Second)
		app.RequireStop()
		if runs != [2]int{60, 1} {
			t.Errorf("runs are %v, want 60 and 1", runs)
		}
	})
}

// No run begins once the stop has come to the schedule, also while the manager still takes tasks.
func TestNoRunBeginsInTheGrace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, g := &purge{takes: time.Second}, map[string]*fxtasks.Group{}
		app := fxtest.New(t, background.Module, fx.Provide(newDB), groups(g, "reports"),
			fx.Supply(p, fxtasks.Config{ShutdownTimeout: 10 * time.Minute, DrainGrace: 5 * time.Minute}),
			background.Periodic("purge", fxtasks.Every(time.Minute), newPurge))
		app.RequireStart()
		submit(t, g["reports"], "work", func(context.Context) error { time.Sleep(3 * time.Minute); return nil })
		if err := app.Stop(context.Background()); err != nil {
			t.Error(err)
		}
		if p.runs != 0 {
			t.Errorf("%d runs while the application stops", p.runs)
		}
	})
}
