package background

import (
	"context"
	"fmt"
	"sync"
	"time"

	"go.uber.org/fx"
	"go.uber.org/zap"

	"github.com/fxtasks/background/fxtasks"
)

// managerHook drains m on stop. An application that is started again after a stop is refused: its
// manager would take no tasks.
func managerHook(m *fxtasks.Manager, log *zap.Logger) fx.Hook {
	return fx.Hook{
		OnStart: func(context.Context) error {
			if m.State() != fxtasks.Open {
				return fmt.Errorf("background: started again: %w", fxtasks.ErrShuttingDown)
			}
			started.Store(m, nil)
			return nil
		},
		OnStop: func(ctx context.Context) error {
			started.Delete(m)
			return drain(ctx, m.Config(), log, m.Shutdown)
		},
	}
}

// started holds the managers of applications that are running, from OnStart to OnStop. NewGroup
// asks it because an fx.Lifecycle cannot be asked, and fxtasks does not know of Fx. The package's
// only variable state: a field of the manager would have to be exported to be set from here.
var started sync.Map // of *fxtasks.Manager

// NewGroup makes a group of m and drains it when lc stops. Called in the body of a component's
// constructor, it drains that component's tasks before anything closes that the constructor was
// given, whenever m itself was built.
//
// The group's drain comes before the manager's and takes at most Config.ShutdownTimeout again, of the
// one stop timeout that all hooks share. The group is closed by then for tasks of the manager that
// are still in their grace, too: if they feed it, make it with Manager.Group, which drains with the
// manager.
//
// It gives the errors of Manager.Group, and for a manager that New made, an error once the
// application has started: Fx would silently ignore the hook.
func NewGroup(lc fx.Lifecycle, m *fxtasks.Manager, name string, cfg fxtasks.GroupConfig) (*fxtasks.Group, error) {
	if lc == nil {
		return nil, fmt.Errorf("%w: lifecycle of group %q is nil", fxtasks.ErrInvalid, name)
	}
	if m == nil {
		return nil, fmt.Errorf("%w: manager of group %q is nil", fxtasks.ErrInvalid, name)
	}
	if _, running := started.Load(m); running {
		return nil, fmt.Errorf("%w: group %q is made after the application has started: "+
			"Fx would not drain it on stop, so call NewGroup in a constructor", fxtasks.ErrInvalid, name)
	}
	g, err := m.Group(name, cfg)
	if err != nil {
		return nil, err
	}
	lc.Append(fx.StopHook(func(ctx context.Context) error {
		return drain(ctx, m.Config(), zap.NewNop(), g.Shutdown)
	}))
	return g, nil
}

// drain shuts down within what ctx, which all stop hooks of the application share, has left for it.
// Fx skips every later hook once that ctx has ended: a drain that used it up would keep the
// database from ever being closed.
func drain(ctx context.Context, cfg fxtasks.Config, log *zap.Logger,
	shutdown func(context.Context) (fxtasks.ShutdownReport, error)) error {
	if end, ok := ctx.Deadline(); ok {
		budget := stopBudget(time.Until(end), cfg.StopReserve)
		if budget < cfg.ShutdownTimeout {
			log.Warn("the application's stop timeout cuts ShutdownTimeout short: set fx.StopTimeout to more than "+
				"ShutdownTimeout, StopReserve and what stop hooks before this one take together",
				zap.Duration("shutdown_timeout", cfg.ShutdownTimeout),
				zap.Duration("stop_reserve", cfg.StopReserve),
				zap.Duration("budget", budget))
		}
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, budget)
		defer cancel()
	}
	_, err := shutdown(ctx)
	return err
}

// stopBudget gives the part of left that a drain may take, so that later hooks have the reserve,
// or half of what is left when that is scarce.
func stopBudget(left, reserve time.Duration) time.Duration {
	reserve = max(reserve, 0)
	if left/2 < reserve {
		return left / 2
	}
	return left - reserve
}
