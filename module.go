package background

import (
	"fmt"
	"slices"

	"go.uber.org/fx"
	"go.uber.org/zap"

	"github.com/fxtasks/background/fxtasks"
)

// Module provides an *fxtasks.Manager that is drained when the application stops. It uses an
// fxtasks.Config, a *zap.Logger and a []fxtasks.Middleware if the graph has them, and provides
// nothing else.
//
// What is meant for it and would not reach it is an error of fx.New that matches fxtasks.ErrInvalid
// and names the fix, also while nothing needs the manager: a *fxtasks.Config, an fxtasks.Middleware by itself, a
// []func(fxtasks.Func) fxtasks.Func, unless what the module uses is made from it; and a Config,
// Logger or []Middleware whose constructor needs something that nothing provides.
//
// A manager is drained when Fx comes to it, in reverse order of construction. Name with Uses what
// the tasks use: it is then closed after the drain, never before.
var Module fx.Option = fx.Module("background", fx.Provide(New), fx.Invoke(misprovided.check))

// Params is what New takes from the graph.
type Params struct {
	fx.In

	Lifecycle fx.Lifecycle
	Config    fxtasks.Config `optional:"true"` // absent: the defaults
	Logger    *zap.Logger    `optional:"true"` // used by the name "background"; absent: no logs

	// Middleware wraps every task, the first outermost. It is one slice, not a value group: those
	// come in random order.
	Middleware []fxtasks.Middleware `optional:"true"`

	// Resources is what Uses feeds. They need no use but to be built before the manager.
	Resources []resource `group:"background.resources"`

	// Instruments is what Instrument feeds. They run outside of Middleware.
	Instruments []fxtasks.Middleware `group:"background.instruments"`

	// Misprovided is an error of New if it holds anything.
	Misprovided misprovided
}

// Result is what New adds to the graph.
type Result struct {
	fx.Out

	Manager *fxtasks.Manager
}

// New makes the manager and appends its hook to the lifecycle: on start it logs the limits and
// timeouts in force, on stop it drains. Module provides it; call it
// yourself to build the manager without the module. A bad Config is an error that matches
// fxtasks.ErrInvalid.
func New(p Params) (Result, error) {
	if p.Lifecycle == nil {
		return Result{}, fmt.Errorf("%w: Params.Lifecycle is nil", fxtasks.ErrInvalid)
	}
	if err := p.Misprovided.check(); err != nil {
		return Result{}, err
	}
	for _, mw := range p.Instruments {
		if mw == nil {
			return Result{}, fmt.Errorf("%w: a constructor given to background.Instrument gave a nil fxtasks.Middleware", fxtasks.ErrInvalid)
		}
	}
	log := zap.NewNop()
	if p.Logger != nil {
		log = p.Logger.Named("background")
	}
	m, err := fxtasks.New(p.Config, fxtasks.WithLogger(log), fxtasks.WithMiddleware(slices.Concat(p.Instruments, p.Middleware)...))
	if err != nil {
		return Result{}, err
	}
	p.Lifecycle.Append(newApplication(m, log).hook())
	return Result{Manager: m}, nil
}

// resource stands for something that tasks use.
type resource struct{}

// Uses says that tasks use the T of the graph, a *sql.DB for example: it is built before the
// manager and so, as Fx stops in reverse order, closed after the drain, wherever either stands in
// anyone's parameters. Use it once for each type, in the same fx.New as Module or in any
// fx.Module. A T that itself needs the manager is a cycle, and one that nothing provides a missing
// type: Fx reports both when the manager is built, by the names of Uses and of the type.
//
// When a start fails, Fx stops only what had started: tasks that a constructor submits are drained
// then only if the manager's own start hook has run. Submit in a start hook what needs more.
func Uses[T any]() fx.Option {
	return fx.Provide(fx.Annotated{
		Group:  "background.resources",
		Target: func(T) resource { return resource{} },
	})
}
