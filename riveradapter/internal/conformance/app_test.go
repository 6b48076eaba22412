package conformance

import (
	"context"
	"strconv"
	"testing"
	"time"

	"github.com/riverqueue/river"
	"github.com/riverqueue/river/rivertype"
	"go.uber.org/fx"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	background "github.com/fxtasks/background"
	"github.com/fxtasks/background/fxtasks"
	"github.com/fxtasks/background/httpapi"
	"github.com/fxtasks/background/riveradapter"
)

// Job is the jobs of most tests: what it does is the test's function.
type Job struct {
	Text string `json:"text"`
}

func (Job) Kind() string { return "job" }

type workFunc = func(ctx context.Context, job *river.Job[Job]) error

// heartbeat is a short one: what takes minutes by default takes seconds here.
const heartbeat = 500 * time.Millisecond

const patience = 30 * time.Second

// app is one replica in this process.
type app struct {
	t      *testing.T
	fx     *fx.App
	client riveradapter.Client
	jobs   httpapi.Jobs
	tasks  *fxtasks.Manager
	logs   *observer.ObservedLogs

	stopped bool
}

// quick is how tests configure a replica.
func quick(instance string) riveradapter.Config {
	return riveradapter.Config{
		Instance:  instance,
		Heartbeat: heartbeat,
		Configure: func(c *river.Config) {
			c.FetchCooldown, c.FetchPollInterval = 10*time.Millisecond, 100*time.Millisecond
			c.RetryPolicy = soon{}
		},
	}
}

// soon retries after a tenth of a second.
type soon struct{}

func (soon) NextRetry(*rivertype.JobRow) time.Time { return time.Now().Add(100 * time.Millisecond) }

// newApp makes an application that is not started.
func newApp(t *testing.T, source string, cfg riveradapter.Config, more ...fx.Option) *app {
	t.Helper()
	core, logs := observer.New(zap.DebugLevel)
	a := &app{t: t, logs: logs}
	a.fx = fx.New(
		fx.NopLogger,
		fx.Supply(cfg, zap.New(core)),
		background.Module,
		module(source),
		fx.Populate(&a.client, &a.jobs, &a.tasks),
		fx.Options(more...),
	)
	return a
}

// start starts a replica, and stops it when the test ends.
func start(t *testing.T, s *store, cfg riveradapter.Config, more ...fx.Option) *app {
	t.Helper()
	a := newApp(t, s.source, cfg, more...)
	if err := a.fx.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := a.stop(); err != nil {
			t.Errorf("the stop: %v", err)
		}
	})
	return a
}

// stop stops it, once.
func (a *app) stop() error {
	if a.stopped {
		return nil
	}
	a.stopped = true
	ctx, cancel := context.WithTimeout(context.Background(), 15*time.Second)
	defer cancel()
	return a.fx.Stop(ctx)
}

func (a *app) insert(args river.JobArgs, opts *river.InsertOpts) int64 {
	a.t.Helper()
	result, err := a.client.Insert(a.t.Context(), args, opts)
	if err != nil {
		a.t.Fatal(err)
	}
	return result.Job.ID
}

func (a *app) row(id int64) *rivertype.JobRow {
	a.t.Helper()
	row, err := a.client.JobGet(a.t.Context(), id)
	if err != nil {
		a.t.Fatal(err)
	}
	return row
}

func (a *app) job(id int64) httpapi.Job {
	a.t.Helper()
	job, err := a.jobs.Job(a.t.Context(), name(id))
	if err != nil {
		a.t.Fatal(err)
	}
	return job
}

func name(id int64) string { return strconv.FormatInt(id, 10) }

// ended waits for the job.
func (a *app) ended(id int64) *rivertype.JobRow {
	a.t.Helper()
	ctx, cancel := context.WithTimeout(a.t.Context(), patience)
	defer cancel()
	row, err := riveradapter.Wait(ctx, a.client, id)
	if err != nil {
		a.t.Fatalf("waiting for job %d, which is %+v: %v", id, a.row(id), err)
	}
	return row
}

// await waits until the condition holds.
func await(t *testing.T, what string, holds func() bool) {
	t.Helper()
	for end := time.Now().Add(patience); !holds(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("%s: not in %v", what, patience)
		}
	}
}

// receive takes what a worker sends.
func receive[T any](t *testing.T, from <-chan T) T {
	t.Helper()
	select {
	case v := <-from:
		return v
	case <-time.After(patience):
		t.Fatalf("nothing came in %v", patience)
		panic("unreachable")
	}
}
