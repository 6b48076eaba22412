package riveradapter

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"regexp"
	"time"

	"github.com/riverqueue/river"
	"github.com/riverqueue/river/rivertype"
	"go.uber.org/fx"

	"github.com/fxtasks/background/fxtasks"
	"github.com/fxtasks/background/riveradapter/internal/registration"
)

// Worker adds a worker for jobs of A's kind. The constructor takes what it needs from the graph, River's
// client too, and gives a river.Worker[A], and an error if it likes. What it was given is closed after the
// jobs have been drained, without background.Uses.
//
// A kind that two workers claim or that River does not allow, a dependency that is missing, and a graph
// without the module of a database are errors of fx.New that name the kind.
func Worker[A river.JobArgs](constructor any) fx.Option {
	kind, err := kindOf[A]()
	if err != nil {
		return fx.Error(err)
	}
	register, err := registering[A](kind, constructor)
	if err != nil {
		return fx.Error(err)
	}
	// The constructor is provided as it is, and only what comes after it by reflection: Fx names it in its
	// errors.
	return fx.Module("river-worker-"+kind,
		fx.Provide(fx.Private, constructor),
		fx.Provide(fx.Annotate(register, fx.ResultTags(registration.WorkersGroup))),
		needsDatabase("worker", kind),
	)
}

// WorkFunc adds a worker that is a function, for jobs of A's kind. It has River's defaults for all but the
// work.
func WorkFunc[A river.JobArgs](work func(ctx context.Context, job *river.Job[A]) error) fx.Option {
	kind, err := kindOf[A]()
	if err != nil {
		return fx.Error(err)
	}
	if work == nil {
		return fx.Error(fmt.Errorf("%w: riveradapter: the work function of kind %q is nil", fxtasks.ErrInvalid, kind))
	}
	return fx.Options(
		fx.Provide(fx.Annotate(
			func() registration.Worker { return newWorker(kind, river.WorkFunc(work)) },
			fx.ResultTags(registration.WorkersGroup),
		)),
		needsDatabase("worker", kind),
	)
}

func newWorker[A river.JobArgs](kind string, w river.Worker[A]) registration.Worker {
	return registration.Worker{Kind: kind, Add: func(to *river.Workers, owners registration.Owners) error {
		if w == nil {
			return fmt.Errorf("%w: riveradapter: the worker of kind %q is nil", fxtasks.ErrInvalid, kind)
		}
		if err := river.AddWorkerSafely(to, river.Worker[A](ownedWorker[A]{w, owners})); err != nil {
			return fmt.Errorf("%w: riveradapter: %w", fxtasks.ErrInvalid, err)
		}
		return nil
	}}
}

// ownedWorker makes attempts tasks, and keeps River's rescuer from jobs whose replica is watched.
type ownedWorker[A river.JobArgs] struct {
	river.Worker[A]
	owners registration.Owners
}

// Middleware puts ours around the worker's own, which River puts around that of its configuration: so what they
// return is part of the task.
func (w ownedWorker[A]) Middleware(row *rivertype.JobRow) []rivertype.WorkerMiddleware {
	return append([]rivertype.WorkerMiddleware{w.owners}, w.Worker.Middleware(row)...)
}

const noTimeout = -1 // for River: this job is never rescued for the time that it takes

func (w ownedWorker[A]) Timeout(job *river.Job[A]) time.Duration {
	if w.owners.LeaveAlone(job.JobRow) {
		return noTimeout
	}
	return w.Worker.Timeout(job)
}

var errorType = reflect.TypeFor[error]()

// registering gives a function from what the constructor gives to a registration.
func registering[A river.JobArgs](kind string, constructor any) (any, error) {
	want := reflect.TypeFor[river.Worker[A]]()
	bad := func() (any, error) {
		return nil, fmt.Errorf("%w: riveradapter: the constructor of the worker of kind %q is %T: must be a function that gives a %v, and an error if it likes",
			fxtasks.ErrInvalid, kind, constructor, want)
	}
	t := reflect.TypeOf(constructor)
	if t == nil || t.Kind() != reflect.Func || reflect.ValueOf(constructor).IsNil() {
		return bad()
	}
	switch {
	case t.NumOut() == 1, t.NumOut() == 2 && t.Out(1) == errorType:
	default:
		return bad()
	}
	made := t.Out(0)
	if !made.Implements(want) {
		return bad()
	}
	register := func(args []reflect.Value) []reflect.Value {
		w, _ := args[0].Interface().(river.Worker[A]) // nil if it is
		return []reflect.Value{reflect.ValueOf(newWorker(kind, w))}
	}
	signature := reflect.FuncOf([]reflect.Type{made}, []reflect.Type{reflect.TypeFor[registration.Worker]()}, false)
	return reflect.MakeFunc(signature, register).Interface(), nil
}

// kindRule is River's, which holds only workers to it that are added before the client is made.
var kindRule = regexp.MustCompile(`\A[\w][\w\-\[\]<>\/.·:+]+\z`)

const maxKind = 127 // bytes, by River's schema

// kindOf gives the kind of A's zero value, as River does.
func kindOf[A river.JobArgs]() (kind string, err error) {
	defer func() {
		if v := recover(); v != nil {
			err = fmt.Errorf("%w: riveradapter: %v has no kind: Kind panicked on its zero value (%v), so use it by value, not by pointer",
				fxtasks.ErrInvalid, reflect.TypeFor[A](), v)
		}
	}()
	var zero A
	kind = zero.Kind()
	return kind, checkName(fmt.Sprintf("the kind of %v", reflect.TypeFor[A]()), kind)
}

// checkName holds kinds and IDs of periodic jobs to River's rule.
func checkName(what, name string) error {
	if len(name) > maxKind || !kindRule.MatchString(name) {
		return fmt.Errorf("%w: riveradapter: %s is %.40q: must be 2 to %d characters of River's pattern %v",
			fxtasks.ErrInvalid, what, name, maxKind, kindRule)
	}
	return nil
}

// needsDatabase makes it an error of fx.New if nothing takes what an option feeds.
func needsDatabase(what, name string) fx.Option {
	type params struct {
		fx.In
		Database *registration.Database `optional:"true"`
	}
	return fx.Invoke(func(p params) error {
		if p.Database == nil {
			return fmt.Errorf("riveradapter: %s %q: %w", what, name, errNoDatabase)
		}
		return nil
	})
}

var errNoDatabase = errors.New("the application has no database for jobs: add postgres.Module or sqlite.Module of " +
	"github.com/fxtasks/background/riveradapter")
