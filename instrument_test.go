package background_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	"go.uber.org/fx"
	"go.uber.org/fx/fxtest"

	"github.com/fxtasks/background"
	"github.com/fxtasks/background/fxtasks"
)

// recorder notes the order in which middlewares run.
type recorder struct{ order []string }

func (r *recorder) middleware(name string) fxtasks.Middleware {
	return func(next fxtasks.Func) fxtasks.Func {
		return func(ctx context.Context) error {
			r.order = append(r.order, name)
			return next(ctx)
		}
	}
}

func TestInstrumentsRunOutsideOfMiddleware(t *testing.T) {
	var m *fxtasks.Manager
	r := new(recorder)
	app := fxtest.New(t, background.Module, fx.Supply(r),
		fx.Provide(func(r *recorder) []fxtasks.Middleware {
			return []fxtasks.Middleware{r.middleware("outer"), r.middleware("inner")}
		}),
		background.Instrument(func(r *recorder) fxtasks.Middleware { return r.middleware("traces") }),
		fx.Module("metrics", background.Instrument(func(r *recorder) (fxtasks.Middleware, error) { return r.middleware("metrics"), nil })),
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
	if len(r.order) != 4 {
		t.Fatalf("ran %v, want four", r.order)
	}
	slices.Sort(r.order[:2]) // they come in no promised order
	if got := strings.Join(r.order, " "); got != "metrics traces outer inner" {
		t.Errorf("ran in order %q", got)
	}
}

func TestInstrumentGivesAnError(t *testing.T) {
	broken := errors.New("no exporter")
	for name, c := range map[string]struct {
		constructor any
		want        string
	}{
		"nothing":                   {nil, "want a function that gives fxtasks.Middleware or (fxtasks.Middleware, error)"},
		"a nil function":            {(func() fxtasks.Middleware)(nil), "want a function that gives fxtasks.Middleware"},
		"a middleware itself":       {fxtasks.Middleware(pass), "want a function that gives fxtasks.Middleware"},
		"another result":            {func() int { return 0 }, "func() int, want a function that gives fxtasks.Middleware"},
		"no result":                 {func() {}, "want a function that gives fxtasks.Middleware"},
		"a second result":           {func() (fxtasks.Middleware, int) { return pass, 0 }, "want a function that gives fxtasks.Middleware"},
		"a nil middleware":          {func() fxtasks.Middleware { return nil }, "background.Instrument"},
		"an error":                  {func() (fxtasks.Middleware, error) { return nil, broken }, "no exporter"},
		"something that is missing": {func(*settings) fxtasks.Middleware { return pass }, "*background_test.settings"},
	} {
		t.Run(name, func(t *testing.T) {
			err := fx.New(fx.NopLogger, background.Module, background.Instrument(c.constructor), needManager).Err()
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("fx.New gives %v, want it to say %q", err, c.want)
			}
		})
	}
}
