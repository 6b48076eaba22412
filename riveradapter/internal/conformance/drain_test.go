package conformance

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/riverqueue/river"
	"github.com/riverqueue/river/rivertype"
	"go.uber.org/fx"

	"github.com/fxtasks/background/fxtasks"
	"github.com/fxtasks/background/riveradapter"
)

func TestAStopGivesJobsTheirGrace(t *testing.T) {
	onBoth(t, func(t *testing.T, s *store) {
		cfg := quick("a")
		cfg.DrainGrace = 5 * time.Second
		started := make(chan struct{})
		a := start(t, s, cfg, riveradapter.WorkFunc(func(ctx context.Context, _ *river.Job[Job]) error {
			close(started)
			select {
			case <-ctx.Done():
				return context.Cause(ctx)
			case <-time.After(time.Second):
				return nil
			}
		}))
		id := a.insert(Job{}, nil)
		receive(t, started)
		began := time.Now()
		if err := a.stop(); err != nil {
			t.Fatal(err)
		}
		if took := time.Since(began); took > 4*time.Second {
			t.Errorf("the stop took %v, want no longer than the job", took)
		}
		b := start(t, s, quick("b"), nothing())
		if row := b.row(id); row.State != rivertype.JobStateCompleted {
			t.Errorf("the job is %s, want completed", row.State)
		}
	})
}

// nothing is a worker for those who only look.
func nothing() fx.Option {
	return riveradapter.WorkFunc(func(context.Context, *river.Job[Job]) error { return nil })
}

func TestAJobThatAStopCutsShortGoesOnElsewhere(t *testing.T) {
	onBoth(t, func(t *testing.T, s *store) {
		causes := make(chan error, 1)
		a := start(t, s, quick("a"), riveradapter.WorkFunc(func(ctx context.Context, _ *river.Job[Job]) error {
			causes <- nil
			<-ctx.Done()
			causes <- context.Cause(ctx)
			return errors.New("an error of its own")
		}))
		id := a.insert(Job{}, &river.InsertOpts{MaxAttempts: 1})
		receive(t, causes)
		if err := a.stop(); err != nil {
			t.Fatal(err)
		}
		if cause := receive(t, causes); !errors.Is(cause, fxtasks.ErrShutdown) {
			t.Errorf("the cause is %v, want ErrShutdown", cause)
		}
		b := start(t, s, quick("b"), nothing())
		row := b.ended(id)
		if row.State != rivertype.JobStateCompleted || row.Attempt != 1 || len(row.Errors) != 0 {
			t.Errorf("the job is %+v, want it completed by its first attempt", row)
		}
	})
}

func TestAStuckJobDoesNotKeepLaterHooksFromRunning(t *testing.T) {
	onBoth(t, func(t *testing.T, s *store) {
		started, release := make(chan struct{}), make(chan struct{})
		closed := false
		a := start(t, s, quick("a"),
			fx.Supply(fxtasks.Config{ShutdownTimeout: time.Second}),
			fx.Provide(func(lc fx.Lifecycle) *resource {
				lc.Append(fx.StopHook(func() { closed = true }))
				return &resource{}
			}),
			riveradapter.Worker[Job](func(*resource) river.Worker[Job] {
				return river.WorkFunc(func(context.Context, *river.Job[Job]) error {
					close(started)
					<-release
					return nil
				})
			}))
		t.Cleanup(func() { close(release) })
		a.insert(Job{}, nil)
		receive(t, started)
		if err := a.stop(); err == nil {
			t.Error("the stop reports nothing")
		}
		if !closed {
			t.Error("the later hook has not run")
		}
	})
}

type resource struct{}

func TestWhatWorkersNeedClosesAfterTheJobs(t *testing.T) {
	onBoth(t, func(t *testing.T, s *store) {
		cfg := quick("a")
		cfg.DrainGrace = 5 * time.Second
		started, closed := make(chan struct{}), make(chan struct{})
		a := start(t, s, cfg,
			fx.Provide(func(lc fx.Lifecycle, client riveradapter.Client) *resource { // needs the client, and the worker needs it
				lc.Append(fx.StopHook(func() { close(closed) }))
				return &resource{}
			}),
			riveradapter.Worker[Job](func(*resource) (river.Worker[Job], error) {
				return river.WorkFunc(func(context.Context, *river.Job[Job]) error {
					close(started)
					time.Sleep(200 * time.Millisecond)
					select {
					case <-closed:
						return errors.New("closed")
					default:
						return nil
					}
				}), nil
			}))
		id := a.insert(Job{}, nil)
		receive(t, started)
		if err := a.stop(); err != nil {
			t.Fatal(err)
		}
		if row := start(t, s, quick("b"), nothing()).row(id); row.State != rivertype.JobStateCompleted {
			t.Errorf("the job is %+v", row)
		}
	})
}
