package background_test

import (
	"context"
	"errors"
	"fmt"
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

// hangingLogger gives a logger that hangs on lines with the words, until the test is over.
func hangingLogger(t *testing.T, words string) *zap.Logger {
	release := make(chan struct{})
	t.Cleanup(func() { close(release) })
	return zap.New(hangingCore{zap.DebugLevel, words, release})
}

type hangingCore struct {
	zapcore.LevelEnabler
	words   string
	release <-chan struct{}
}

func (c hangingCore) With([]zapcore.Field) zapcore.Core { return c }
func (c hangingCore) Check(e zapcore.Entry, checked *zapcore.CheckedEntry) *zapcore.CheckedEntry {
	return checked.AddCore(e, c)
}
func (c hangingCore) Write(e zapcore.Entry, _ []zapcore.Field) error {
	if strings.Contains(e.Message, c.words) {
		<-c.release
	}
	return nil
}
func (c hangingCore) Sync() error { return nil }

// The reserve is for what stops after the drain. A log that hangs takes a part of it, and not that
// part again for each group.
func TestALogThatHangsLeavesTimeForLaterHooksWhateverTheNumberOfGroups_zap1415(t *testing.T) {
	for name, c := range map[string]struct {
		groups int
		stuck  bool
	}{"stuck tasks": {5, true}, "many groups": {100, false}} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				release := make(chan struct{})
				defer close(release)
				var d *db
				app := fxtest.New(t, fx.NopLogger, background.Module, background.Uses[*db](), fx.Provide(newDB),
					fx.Supply(hangingLogger(t, "shutdown")), fx.Populate(&d),
					fx.Invoke(func(lc fx.Lifecycle, m *fxtasks.Manager) error {
						for i := range c.groups {
							g, err := background.NewGroup(lc, m, fmt.Sprint("g", i), fxtasks.GroupConfig{})
							if err != nil {
								return err
							}
							if c.stuck {
								submit(t, g, "stuck", hang(release))
							}
						}
						return nil
					}))
				app.RequireStart()
				ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
				defer cancel()
				err := app.Stop(ctx)
				var stuck *fxtasks.ShutdownError
				if errors.As(err, &stuck) != c.stuck || !c.stuck && err != nil {
					t.Errorf("Stop gives %v", err)
				}
				if !d.closed.Load() {
					t.Error("the database was not closed")
				}
			})
		})
	}
}

func TestALogThatHangsDoesNotKeepTheApplicationFromStarting_zap1415(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		app := fxtest.New(t, fx.NopLogger, background.Module, fx.Supply(hangingLogger(t, "background tasks are open")), needManager)
		ctx, cancel := context.WithTimeout(context.Background(), 15*time.Second)
		defer cancel()
		if err := app.Start(ctx); err != nil {
			t.Errorf("Start gives %v", err)
		}
		app.RequireStop()
	})
}

// zap.NewDevelopment adds a stack to each warning: that of this package would tell nobody anything.
func TestNoLineOfTheHooksHasAStack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		defer close(release)
		core, logs := observer.New(zap.DebugLevel)
		var m *fxtasks.Manager
		app := fxtest.New(t, fx.NopLogger, background.Module, fx.Supply(zap.New(core, zap.AddStacktrace(zap.DebugLevel))), fx.Populate(&m))
		app.RequireStart()
		submit(t, m, "stuck", hang(release))
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		if err := app.Stop(ctx); err == nil {
			t.Error("the task was to be stuck")
		}
		for _, words := range []string{"background tasks are open", "fx.StopTimeout", "shutdown over"} {
			if logs.Filter(func(e observer.LoggedEntry) bool { return strings.Contains(e.Message, words) }).Len() != 1 {
				t.Errorf("no line says %q", words)
			}
		}
		for _, line := range logs.All() {
			if line.Stack != "" {
				t.Errorf("the line %q has the stack\n%s", line.Message, line.Stack)
			}
		}
	})
}
