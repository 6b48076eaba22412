package background_test

import (
	"errors"
	"strings"
	"testing"

	"go.uber.org/fx"
	"go.uber.org/zap"

	"github.com/fxtasks/background"
	"github.com/fxtasks/background/fxtasks"
)

type settings struct{ limit int }

func pass(next fxtasks.Func) fxtasks.Func { return next }

var needManager = fx.Invoke(func(*fxtasks.Manager) {})

// What is meant for the module and would not reach it is an error that names it and the fix.
func TestWhatWouldNotReachTheModuleIsAnError(t *testing.T) {
	const byValue = "provide or supply an fxtasks.Config, not a pointer"
	for name, c := range map[string]struct {
		option fx.Option
		want   []string
	}{
		"a pointer to a Config": {
			fx.Supply(&fxtasks.Config{MaxRunning: 2}),
			[]string{"*fxtasks.Config", byValue},
		},
		"one that is provided": {
			fx.Provide(func() *fxtasks.Config { return new(fxtasks.Config) }),
			[]string{"*fxtasks.Config", byValue},
		},
		"one inside an fx.Module": {
			fx.Module("settings", fx.Supply(new(fxtasks.Config))),
			[]string{"*fxtasks.Config", byValue},
		},
		"one that is private to the application": {
			fx.Supply(new(fxtasks.Config), fx.Private),
			[]string{"*fxtasks.Config", byValue},
		},
		"one that only replaces": {
			fx.Replace(&fxtasks.Config{MaxRunning: 2}),
			[]string{"*fxtasks.Config", byValue},
		},
		"one that is decorated": {
			fx.Options(fx.Supply(new(fxtasks.Config)), fx.Decorate(func(c *fxtasks.Config) *fxtasks.Config { return c })),
			[]string{"*fxtasks.Config", byValue},
		},
		"one beside a Config": {
			fx.Supply(new(fxtasks.Config), fxtasks.Config{MaxRunning: 2}),
			[]string{"*fxtasks.Config", byValue},
		},
		"one that cannot be built": {
			fx.Provide(func(*settings) *fxtasks.Config { return nil }),
			[]string{"*fxtasks.Config", byValue},
		},
		"a middleware by itself": {
			fx.Supply(fxtasks.Middleware(pass)),
			[]string{"a fxtasks.Middleware", "[]fxtasks.Middleware", "background.Instrument"},
		},
		"one that is provided in an fx.Module": {
			fx.Module("tracing", fx.Provide(func() fxtasks.Middleware { return pass })),
			[]string{"a fxtasks.Middleware", "[]fxtasks.Middleware", "background.Instrument"},
		},
		"a function that could be a middleware": {
			fx.Provide(func() func(fxtasks.Func) fxtasks.Func { return pass }),
			[]string{"func(fxtasks.Func) fxtasks.Func", "[]fxtasks.Middleware"},
		},
		"a slice of such functions": {
			fx.Supply([]func(fxtasks.Func) fxtasks.Func{pass}),
			[]string{"[]func(fxtasks.Func) fxtasks.Func", "provide a []fxtasks.Middleware"},
		},
		"two of them": {
			fx.Supply(new(fxtasks.Config), []func(fxtasks.Func) fxtasks.Func{pass}),
			[]string{"*fxtasks.Config", "[]func(fxtasks.Func) fxtasks.Func"},
		},
		"a Config that cannot be built_dig269": {
			fx.Provide(func(*settings) fxtasks.Config { return fxtasks.Config{} }),
			[]string{"fxtasks.Config", "provide *background_test.settings"},
		},
		"one in an fx.Module": {
			fx.Module("settings", fx.Provide(func(*settings) (fxtasks.Config, error) { return fxtasks.Config{}, nil })),
			[]string{"fxtasks.Config", "provide *background_test.settings"},
		},
		"one that is private to the application, and cannot be built": {
			fx.Provide(func(*settings) fxtasks.Config { return fxtasks.Config{} }, fx.Private),
			[]string{"fxtasks.Config", "provide *background_test.settings"},
		},
		"one that needs what cannot be built": {
			fx.Provide(func(int) fxtasks.Config { return fxtasks.Config{} }, func(*settings) int { return 0 }),
			[]string{"fxtasks.Config", "provide *background_test.settings"},
		},
		"one that needs a name": {
			fx.Provide(fx.Annotate(func(int) fxtasks.Config { return fxtasks.Config{} }, fx.ParamTags(`name:"limit"`)), func() int { return 1 }),
			[]string{"fxtasks.Config", "provide int[name=limit]"},
		},
		"one that is made of a group": {
			fx.Provide(
				fx.Annotate(func([]int) fxtasks.Config { return fxtasks.Config{} }, fx.ParamTags(`group:"limits"`)),
				fx.Annotate(func(*settings) int { return 0 }, fx.ResultTags(`group:"limits"`))),
			[]string{"fxtasks.Config", "provide *background_test.settings"},
		},
		"one with a decorator that cannot be called": {
			fx.Options(fx.Supply(fxtasks.Config{}), fx.Decorate(func(c fxtasks.Config, _ *settings) fxtasks.Config { return c })),
			[]string{"*background_test.settings"},
		},
		"a Logger that cannot be built": {
			fx.Provide(func(*settings) *zap.Logger { return zap.NewNop() }),
			[]string{"*zap.Logger", "provide *background_test.settings"},
		},
		"a []Middleware that cannot be built": {
			fx.Provide(func(*settings, *db) []fxtasks.Middleware { return nil }),
			[]string{"[]fxtasks.Middleware", "provide *background_test.db, *background_test.settings"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			for of, option := range map[string]fx.Option{
				"Module, though nothing needs the manager": background.Module,
				"New": fx.Options(fx.Provide(background.New), needManager),
			} {
				err := fx.New(fx.NopLogger, option, c.option).Err()
				if err == nil {
					t.Fatalf("fx.New succeeds with %s", of)
				}
				for _, want := range c.want {
					if !strings.Contains(err.Error(), want) {
						t.Errorf("fx.New gives %v with %s, want it to say %q", err, of, want)
					}
				}
			}
		})
	}
}

func TestWhatIsMisprovidedMatchesErrInvalid(t *testing.T) {
	err := fx.New(fx.NopLogger, background.Module, fx.Supply(new(fxtasks.Config)), needManager).Err()
	if !errors.Is(err, fxtasks.ErrInvalid) {
		t.Errorf("fx.New gives %v, want ErrInvalid", err)
	}
}

// A sound application is not refused, and gets what it has configured.
func TestWhatReachesTheModuleIsNoError(t *testing.T) {
	three := fxtasks.Config{MaxRunning: 3}
	for name, c := range map[string]struct {
		option fx.Option
		want   int // MaxRunning
	}{
		"nothing":                    {fx.Options(), 0},
		"a Config":                   {fx.Supply(three), 3},
		"a zero Config":              {fx.Supply(fxtasks.Config{}), 0},
		"a nil Logger":               {fx.Provide(func() *zap.Logger { return nil }), 0},
		"a nil []Middleware":         {fx.Provide(func() []fxtasks.Middleware { return nil }), 0},
		"private to the application": {fx.Supply(three, fx.Private), 3},
		"in an fx.Module":            {fx.Module("settings", fx.Provide(func() fxtasks.Config { return three })), 3},
		"replaced":                   {fx.Options(fx.Supply(fxtasks.Config{}), fx.Replace(three)), 3},
		"only replaced":              {fx.Replace(three), 3},
		"decorated": {fx.Options(fx.Supply(fxtasks.Config{}),
			fx.Decorate(func(c fxtasks.Config) fxtasks.Config { c.MaxRunning = 3; return c })), 3},
		"one of several results": {fx.Provide(func() (*settings, fxtasks.Config, error) { return nil, three, nil }), 3},
		"what it needs is supplied": {fx.Options(fx.Supply(&settings{limit: 3}),
			fx.Provide(func(s *settings) fxtasks.Config { return fxtasks.Config{MaxRunning: s.limit} })), 3},
		"what it needs is optional": {fx.Provide(func(struct {
			fx.In
			S *settings `optional:"true"`
		}) fxtasks.Config {
			return fxtasks.Config{}
		}), 0},
		"it needs what Fx provides": {fx.Provide(func(fx.Lifecycle, fx.Shutdowner, fx.DotGraph) fxtasks.Config { return fxtasks.Config{} }), 0},
		"it is made of an empty group": {fx.Provide(fx.Annotate(func([]int) fxtasks.Config { return fxtasks.Config{} },
			fx.ParamTags(`group:"limits"`))), 0},
		"a Config that is made from a pointer": {fx.Options(fx.Supply(&three),
			fx.Provide(func(c *fxtasks.Config) fxtasks.Config { return *c })), 3},
		"a slice that is made from a middleware": {fx.Options(fx.Supply(fxtasks.Middleware(pass)),
			fx.Provide(func(mw fxtasks.Middleware) []fxtasks.Middleware { return []fxtasks.Middleware{mw} })), 0},
		"an Instrument that is made from a function": {fx.Options(fx.Provide(func() func(fxtasks.Func) fxtasks.Func { return pass }),
			background.Instrument(func(f func(fxtasks.Func) fxtasks.Func) fxtasks.Middleware { return f })), 0},
		"named ones, for managers of one's own": {fx.Provide(
			fx.Annotate(func() *fxtasks.Config { return &three }, fx.ResultTags(`name:"imports"`)),
			fx.Annotate(func(*settings) fxtasks.Config { return three }, fx.ResultTags(`name:"exports"`))), 0},
		"private to another module, which has a manager of its own": {fx.Module("imports",
			fx.Provide(func() *fxtasks.Config { return &three }, fx.Private),
			fx.Provide(func() fxtasks.Config { return three }, fx.Private),
			fx.Provide(func() fxtasks.Middleware { return pass }, fx.Private)), 0},
		"others that cannot be built": {fx.Provide(func(*settings) *db { return nil }), 0},
	} {
		t.Run(name, func(t *testing.T) {
			var m *fxtasks.Manager
			if err := fx.New(fx.NopLogger, background.Module, c.option, fx.Populate(&m)).Err(); err != nil {
				t.Fatal(err)
			}
			if got := m.Config().MaxRunning; got != c.want {
				t.Errorf("MaxRunning is %d, want %d", got, c.want)
			}
		})
	}
}
