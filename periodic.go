package background

import (
	"context"
	"fmt"
	"strings"

	"go.uber.org/fx"

	"github.com/fxtasks/background/fxtasks"
)

// Periodic runs a task of that name on a schedule, from the application's start to its stop. The
// constructor takes what the task needs from the graph and returns its fxtasks.Func, or that and an error;
// any other function is an error of fx.New.
//
// On stop the schedule ends first, and a run that is active is drained before anything closes that
// the constructor was given: it needs no Uses. If it is built from something that is missing, the
// error of fx.New names the schedule.
//
// What Manager.Schedule refuses, a name that is taken or a schedule that is nil for example, is an
// error of Start.
func Periodic(name string, s fxtasks.Schedule, constructor any, opts ...fxtasks.TaskOption) fx.Option {
	if err := checkConstructor[fxtasks.Func](constructor); err != nil {
		return fx.Error(fmt.Errorf("background.Periodic %q: %w", name, err))
	}
	newSchedule := func(fn fxtasks.Func, m *fxtasks.Manager, lc fx.Lifecycle) (schedule, error) {
		if fn == nil {
			return schedule{}, fmt.Errorf("background.Periodic %q: %w: the constructor gave a nil fxtasks.Func", name, fxtasks.ErrInvalid)
		}
		lc.Append(scheduleHook(m, name, s, fn, opts))
		return schedule{}, nil
	}
	// Fx reports what is missing by the names of what cannot be built without it, so both carry the
	// schedule's. A name that Fx cannot take is one with quotes.
	tag := strings.Map(func(r rune) rune {
		if strings.ContainsRune("\"`\\", r) {
			return '\''
		}
		return r
	}, name)
	return fx.Options(
		fx.Provide(
			fx.Annotated{Name: "schedule " + tag, Target: constructor},
			fx.Annotate(newSchedule, fx.ParamTags(`name:"schedule `+tag+`"`), fx.ResultTags(`name:"`+tag+`"`)),
		),
		fx.Invoke(fx.Annotate(func(schedule) {}, fx.ParamTags(`name:"`+tag+`"`))),
	)
}

// schedule stands for one whose hook is in the lifecycle.
type schedule struct{}

func scheduleHook(m *fxtasks.Manager, name string, s fxtasks.Schedule, fn fxtasks.Func, opts []fxtasks.TaskOption) fx.Hook {
	var p *fxtasks.Periodic
	return fx.Hook{
		OnStart: func(context.Context) (err error) {
			if p, err = m.Schedule(name, s, fn, opts...); err != nil {
				return fmt.Errorf("background.Periodic %q: %w", name, err)
			}
			return nil
		},
		OnStop: func(ctx context.Context) error {
			p.Stop()
			return applicationOf(m).drain(ctx, func(ctx context.Context) error {
				return awaitRun(ctx, m, p)
			})
		},
	}
}

// awaitRun waits for the run of p that is active, if there is one. The manager's own drain reports
// one that does not return, with its stack.
func awaitRun(ctx context.Context, m *fxtasks.Manager, p *fxtasks.Periodic) error {
	info := p.Info()
	run, ok := m.Task(info.Last.ID)
	if !ok || run.Info().Seq != info.Last.Seq {
		return nil
	}
	_ = run.Wait(ctx) // how it ended is the run's own business
	if run.Status().Finished() {
		return nil
	}
	return fmt.Errorf("background.Periodic %q: run %s: %w", info.Name, run.ID(), fxtasks.ErrStillRunning)
}
