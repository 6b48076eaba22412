package replica

import (
	"github.com/riverqueue/river"
	"go.uber.org/fx"
	"go.uber.org/zap"

	background "github.com/fxtasks/background"
	"github.com/fxtasks/background/fxtasks"
	"github.com/fxtasks/background/httpapi"
	"github.com/fxtasks/background/riveradapter"
	"github.com/fxtasks/background/riveradapter/internal/registration"
)

// Dependencies is what the module of either database takes from the graph.
type Dependencies struct {
	fx.In

	Lifecycle     fx.Lifecycle
	Manager       *fxtasks.Manager
	Config        riveradapter.Config   `optional:"true"`
	ConfigPointer *riveradapter.Config  `optional:"true"` // a mistake
	Logger        *zap.Logger           `optional:"true"`
	Propagator    background.Propagator `optional:"true"`
	Graph         fx.DotGraph           `optional:"true"` // to find what is there and cannot be built
}

// Result is what it adds.
type Result[TTx any] struct {
	fx.Out

	Replica *Replica[TTx]
	Client  *river.Client[TTx]
	Plain   riveradapter.Client
	Jobs    httpapi.Jobs
}

// Provide makes the replica, whose tables are there before anything starts that takes its client, and whose
// database is closed after all that has.
func Provide[TTx any](d Dependencies, open func(schema string) (Database[TTx], error)) (Result[TTx], error) {
	r, err := New(d, open)
	if err != nil {
		return Result[TTx]{}, err
	}
	d.Lifecycle.Append(fx.StopHook(r.Close)) // of its own: Fx does not stop what has failed to start
	d.Lifecycle.Append(fx.StartHook(r.Migrate))
	return Result[TTx]{Replica: r, Client: r.client, Plain: plainClient[TTx]{r.client, r.reader}, Jobs: jobs[TTx]{r}}, nil
}

// Registered is what the application's options have fed.
type Registered struct {
	fx.In

	Lifecycle fx.Lifecycle
	Workers   []registration.Worker   `group:"riveradapter.workers"`
	Periodics []registration.Periodic `group:"riveradapter.periodics"`
}

// Run starts and stops r with the application. It is for fx.Invoke, which runs when the workers have been made:
// so workers can take the client, and what they take is closed after the jobs have been drained.
func Run[TTx any](r *Replica[TTx], registered Registered) error {
	if err := r.Add(registered.Workers, registered.Periodics); err != nil {
		return err
	}
	registered.Lifecycle.Append(fx.StartStopHook(r.Start, r.Stop))
	return nil
}
