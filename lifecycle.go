package background

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"go.uber.org/fx"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"github.com/fxtasks/background/fxtasks"
)

// application is what the stop hooks of one manager share.
type application struct {
	m   *fxtasks.Manager
	log *zap.Logger

	start    <-chan struct{} // Done of the start's context; set by the start hook
	draining atomic.Bool     // the first of the drains has begun, and with it the one clock
}

// newApplication keeps zap from adding this package's own stack to lines, as the engine does with its own.
func newApplication(m *fxtasks.Manager, log *zap.Logger) *application {
	return &application{m: m, log: log.WithOptions(zap.AddStacktrace(zapcore.InvalidLevel))}
}

// running holds the applications that have started, until they stop. NewGroup asks it because an
// fx.Lifecycle cannot be asked, and fxtasks does not know of Fx. The package's only variable state:
// a field of the manager would have to be exported to be set from here.
var running sync.Map // *fxtasks.Manager to *application

// applicationOf returns the application of m, or an empty one for a manager that New did not make.
func applicationOf(m *fxtasks.Manager) *application {
	if a, ok := running.Load(m); ok {
		return a.(*application)
	}
	return newApplication(m, zap.NewNop())
}

// hook drains the manager on stop. An application that is started again after a stop is refused:
// its manager would take no tasks.
func (a *application) hook() fx.Hook {
	return fx.Hook{
		OnStart: func(ctx context.Context) error {
			if a.m.State() != fxtasks.Open {
				return fmt.Errorf("background: started again: %w", fxtasks.ErrShuttingDown)
			}
			a.start = ctx.Done()
			running.Store(a.m, a)
			awaitLog(logging(a.logConfig), time.Second)
			return nil
		},
		OnStop: func(ctx context.Context) error {
			defer running.Delete(a.m)
			return a.drain(ctx, func(ctx context.Context) error {
				_, err := a.m.Shutdown(ctx)
				return err
			})
		},
	}
}

func (a *application) logConfig() {
	cfg := a.m.Config()
	a.log.Info("background tasks are open",
		zap.Int("max_running", cfg.MaxRunning),
		zap.Int("max_pending", cfg.MaxPending),
		zap.Duration("task_timeout", cfg.TaskTimeout),
		zap.Duration("cancel_timeout", cfg.CancelTimeout),
		zap.Duration("shutdown_timeout", cfg.ShutdownTimeout),
		zap.Duration("drain_grace", cfg.DrainGrace),
		zap.Duration("stop_reserve", cfg.StopReserve),
		zap.Int("retain_finished", cfg.RetainFinished),
		zap.Duration("retain_for", cfg.RetainFor))
}

// NewGroup makes a group of m and drains it when lc stops. Called in the body of a component's
// constructor, it drains that component's tasks before anything closes that the constructor was
// given, whenever m itself was built.
//
// The groups and the manager are drained one after the other, by one clock that the first of them
// starts: one ShutdownTimeout for all together, and the drain grace of every task of the manager
// runs from there, in whichever group it is.
//
// It returns the errors of Manager.Group, and for a manager that New made, an error once the
// application has started: Fx would silently ignore the hook.
func NewGroup(lc fx.Lifecycle, m *fxtasks.Manager, name string, cfg fxtasks.GroupConfig) (*fxtasks.Group, error) {
	if lc == nil {
		return nil, fmt.Errorf("%w: lifecycle of group %q is nil", fxtasks.ErrInvalid, name)
	}
	if m == nil {
		return nil, fmt.Errorf("%w: manager of group %q is nil", fxtasks.ErrInvalid, name)
	}
	if _, started := running.Load(m); started {
		return nil, fmt.Errorf("%w: group %q is made after the application has started: "+
			"Fx would not drain it on stop, so call NewGroup in a constructor", fxtasks.ErrInvalid, name)
	}
	g, err := m.Group(name, cfg)
	if err != nil {
		return nil, err
	}
	lc.Append(fx.Hook{OnStop: func(ctx context.Context) error {
		return applicationOf(m).drain(ctx, func(ctx context.Context) error {
			_, err := g.Shutdown(ctx)
			return err
		})
	}})
	return g, nil
}

// drain starts the manager's clock, unless it runs, and waits by it for what is to be drained. It
// does so within what stop, which all stop hooks of the application share, has left for it: Fx
// skips every later hook once that context has ended, and a drain that used it up would keep the
// database from ever being closed.
func (a *application) drain(stop context.Context, wait func(ctx context.Context) error) error {
	ctx, cancel := endOnly(stop)
	defer cancel()
	cfg, first := a.m.Config(), a.draining.CompareAndSwap(false, true)
	if end, ok := stop.Deadline(); ok {
		budget := stopBudget(time.Until(end), cfg.StopReserve)
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, budget)
		defer cancel()
		if first && budget < cfg.ShutdownTimeout {
			logged := logging(func() { a.warnOfBudget(stop, budget) })
			defer awaitLog(logged, cfg.StopReserve/4)
		}
	}
	ctx, cancel = context.WithDeadline(ctx, a.m.StartDrain(ctx))
	defer cancel()
	return wait(ctx)
}

// endOnly returns a context that has the end of ctx but not its values: a task may stop the
// application with its own context, and the manager would refuse to wait for the task whose
// context it is given.
//
// An end by ErrShutdown does not count. It is the drain itself that ends the context of that task,
// which would give up all others.
func endOnly(ctx context.Context) (context.Context, context.CancelFunc) {
	own, cancel := context.WithCancel(context.Background())
	stop := context.AfterFunc(ctx, func() {
		if !errors.Is(context.Cause(ctx), fxtasks.ErrShutdown) {
			cancel()
		}
	})
	return own, func() { stop(); cancel() }
}

// stopBudget returns the part of left that a drain may take, so that later hooks have the reserve,
// or half of what is left when that is scarce.
func stopBudget(left, reserve time.Duration) time.Duration {
	reserve = max(reserve, 0)
	if left/2 < reserve {
		return left / 2
	}
	return left - reserve
}

// warnOfBudget logs which timeout of Fx is too short. The rollback of a failed start has the context of
// the start, which tells it from a stop.
func (a *application) warnOfBudget(stop context.Context, budget time.Duration) {
	message := "the application's stop timeout cuts ShutdownTimeout short: set fx.StopTimeout to more than " +
		"ShutdownTimeout, StopReserve and what stop hooks before this one take together"
	if a.start != nil && a.start == stop.Done() {
		message = "what is left of the application's start timeout cuts ShutdownTimeout short, now that the start " +
			"is rolled back: set fx.StartTimeout to more than what the start, ShutdownTimeout and StopReserve take together"
	}
	cfg := a.m.Config()
	a.log.Warn(message,
		zap.Duration("shutdown_timeout", cfg.ShutdownTimeout),
		zap.Duration("stop_reserve", cfg.StopReserve),
		zap.Duration("budget", budget))
}

// logging writes a line on a goroutine of its own: a logger is the user's code, which may block,
// panic or call runtime.Goexit. The channel is closed afterwards.
func logging(write func()) <-chan struct{} {
	done := make(chan struct{})
	go func() {
		defer close(done)
		defer func() { _ = recover() }()
		write()
	}()
	return done
}

// awaitLog waits until a line is written, but no longer than most: later hooks need the time.
func awaitLog(done <-chan struct{}, most time.Duration) {
	timer := time.NewTimer(most)
	defer timer.Stop()
	select {
	case <-done:
	case <-timer.C:
	}
}
