package conformance

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/riverqueue/river"
	"github.com/riverqueue/river/rivertype"
	"go.uber.org/fx"

	background "github.com/fxtasks/background"
	"github.com/fxtasks/background/fxtasks"
	"github.com/fxtasks/background/riveradapter"
)

func TestTenReplicasStartAtOnceOnAnEmptyDatabase(t *testing.T) {
	onBoth(t, func(t *testing.T, s *store) {
		var apps []*app
		for range 10 {
			apps = append(apps, newApp(t, s.source, quick("a"), nothing()))
		}
		began := time.Now()
		var all sync.WaitGroup
		for _, a := range apps {
			all.Go(func() {
				if err := a.fx.Start(t.Context()); err != nil {
					t.Error(err)
				}
			})
		}
		all.Wait()
		t.Logf("ten replicas were up after %v", time.Since(began))
		id := apps[0].insert(Job{}, nil)
		if row := apps[9].ended(id); row.State != rivertype.JobStateCompleted {
			t.Errorf("the job is %+v", row)
		}
		for _, a := range apps {
			if err := a.stop(); err != nil {
				t.Error(err)
			}
		}
	})
}

func TestMigrateCheckAndOff(t *testing.T) {
	onBoth(t, func(t *testing.T, s *store) {
		cfg := quick("a")
		cfg.Migrate = riveradapter.Check
		empty := newApp(t, s.source, cfg, nothing())
		err := empty.fx.Start(t.Context())
		if err == nil || !strings.Contains(err.Error(), "not up to date") {
			t.Errorf("on an empty database the start gives %v", err)
		}
		_ = empty.stop()
		start(t, s, quick("a"), nothing())
		start(t, s, cfg, nothing())
		cfg.Migrate = riveradapter.Off
		start(t, s, cfg, nothing())
	})
}

func TestTablesAreThereForTheHooksOfThoseThatInsert(t *testing.T) {
	onBoth(t, func(t *testing.T, s *store) {
		var id int64
		a := start(t, s, quick("a"), nothing(), fx.Invoke(func(lc fx.Lifecycle, c riveradapter.Client) {
			lc.Append(fx.StartHook(func(ctx context.Context) error {
				result, err := c.Insert(ctx, Job{}, nil)
				if err == nil {
					id = result.Job.ID
				}
				return err
			}))
		}))
		a.ended(id)
	})
}

// Other is jobs that no worker works.
type Other struct{}

func (Other) Kind() string { return "other" }

// Bad is jobs of a kind that River does not allow.
type Bad struct{}

func (Bad) Kind() string { return "not a kind" }

// Pointer is jobs whose kind cannot be asked for.
type Pointer struct{ kind string }

func (p *Pointer) Kind() string { return p.kind }

type missing struct{}

func TestMisuseIsAnErrorThatNamesIt(t *testing.T) {
	work := func(context.Context, *river.Job[Job]) error { return nil }
	configure := func(change func(*river.Config)) fx.Option {
		return fx.Replace(riveradapter.Config{Configure: change})
	}
	onBoth(t, func(t *testing.T, s *store) {
		for what, c := range map[string]struct {
			options fx.Option
			names   []string
		}{
			"two workers of a kind":             {fx.Options(nothing(), nothing()), []string{`"job"`}},
			"a bad kind":                        {riveradapter.WorkFunc(func(context.Context, *river.Job[Bad]) error { return nil }), []string{"not a kind", "Bad"}},
			"a nil pointer's kind":              {riveradapter.WorkFunc(func(context.Context, *river.Job[*Pointer]) error { return nil }), []string{"*conformance.Pointer", "by value"}},
			"a missing dependency":              {riveradapter.Worker[Job](func(*missing) river.Worker[Job] { return nil }), []string{"*conformance.missing"}},
			"a nil worker":                      {riveradapter.Worker[Job](func() river.Worker[Job] { return nil }), []string{`"job"`, "nil"}},
			"a failing constructor":             {riveradapter.Worker[Job](func() (river.Worker[Job], error) { return nil, errors.New("no luck") }), []string{"no luck"}},
			"no constructor":                    {riveradapter.Worker[Job](42), []string{`"job"`, "int"}},
			"a constructor of another":          {riveradapter.Worker[Other](func() river.Worker[Job] { return river.WorkFunc(work) }), []string{`"other"`}},
			"a nil function":                    {riveradapter.WorkFunc[Job](nil), []string{`"job"`}},
			"no worker at all":                  {fx.Options(), []string{"riveradapter.Worker"}},
			"a Periodic without a worker":       {fx.Options(nothing(), riveradapter.Periodic("p1", fxtasks.Every(time.Hour), func(time.Time) (Other, *river.InsertOpts) { return Other{}, nil })), []string{`"p1"`, `"other"`}},
			"two Periodics of an ID":            {fx.Options(nothing(), periodicTick("p1"), periodicTick("p1"), riveradapter.WorkFunc(new(ticks).work)), []string{`"p1"`}},
			"a bad Periodic ID":                 {fx.Options(nothing(), periodicTick("a b")), []string{`"a b"`}},
			"a nil schedule":                    {fx.Options(nothing(), riveradapter.Periodic("p1", nil, tick)), []string{`"p1"`, "schedule"}},
			"a nil periodic function":           {fx.Options(nothing(), riveradapter.Periodic[Tick]("p1", fxtasks.Every(time.Hour), nil)), []string{`"p1"`}},
			"a Config pointer":                  {fx.Options(nothing(), fx.Supply(&riveradapter.Config{})), []string{"*riveradapter.Config", "by value"}},
			"a Propagator that cannot be built": {fx.Options(nothing(), fx.Provide(func(*missing) background.Propagator { return tracer{} })), []string{"background.Propagator", "*conformance.missing"}},
			"an ID":                             {fx.Options(nothing(), configure(func(c *river.Config) { c.ID = "x" })), []string{"ID", "Instance"}},
			"dropped middleware":                {fx.Options(nothing(), configure(func(c *river.Config) { c.Middleware = nil })), []string{"Middleware"}},
			"deprecated middleware": {fx.Options(nothing(), configure(func(c *river.Config) {
				//lint:ignore SA1019 this is about those who use it still
				c.WorkerMiddleware = []rivertype.WorkerMiddleware{river.WorkerMiddlewareFunc(nil)}
			})), []string{"Middleware"}},
			"other workers":     {fx.Options(nothing(), configure(func(c *river.Config) { c.Workers = river.NewWorkers() })), []string{"Workers"}},
			"other queues":      {fx.Options(nothing(), configure(func(c *river.Config) { c.Queues = nil })), []string{"Queues"}},
			"a stop timeout":    {fx.Options(nothing(), configure(func(c *river.Config) { c.SoftStopTimeout = 1 })), []string{"SoftStopTimeout", "DrainGrace"}},
			"a bad River value": {fx.Options(nothing(), configure(func(c *river.Config) { c.MaxAttempts = -1 })), []string{"MaxAttempts"}},
			"a short heartbeat": {fx.Options(nothing(), fx.Replace(riveradapter.Config{Heartbeat: 1})), []string{"Heartbeat", "1ns"}},
			"a bad Migrate":     {fx.Options(nothing(), fx.Replace(riveradapter.Config{Migrate: 9})), []string{"Migrate", "9"}},
			"a bad instance":    {fx.Options(nothing(), fx.Replace(riveradapter.Config{Instance: "a\nb"})), []string{"Instance"}},
			"a group that is taken": {fx.Options(nothing(), fx.Invoke(func(m *fxtasks.Manager) error {
				_, err := m.Group("jobs/default", fxtasks.GroupConfig{})
				return err
			})), []string{"jobs/default"}},
		} {
			err := newApp(t, s.source, quick("a"), c.options).fx.Err()
			if err == nil {
				t.Errorf("%s: no error", what)
				continue
			}
			for _, name := range c.names {
				if !strings.Contains(err.Error(), name) {
					t.Errorf("%s: %q does not name %s", what, err, name)
				}
			}
		}
	})
}

func periodicTick(id string) fx.Option {
	return riveradapter.Periodic(id, fxtasks.Every(time.Hour), tick)
}

func TestAConfigThatCannotBeBuiltIsAnError(t *testing.T) {
	onBoth(t, func(t *testing.T, s *store) {
		provide := fx.Provide(func(*missing) riveradapter.Config { return riveradapter.Config{} })
		err := fx.New(fx.NopLogger, background.Module, module(s.source), nothing(), provide).Err()
		if err == nil || !strings.Contains(err.Error(), "riveradapter.Config") || !strings.Contains(err.Error(), "*conformance.missing") {
			t.Errorf("the error is %v", err)
		}
	})
}

func TestWithoutADatabaseAWorkerIsAnError(t *testing.T) {
	for what, option := range map[string]fx.Option{"worker": nothing(), "Periodic": periodicTick("p1")} {
		err := fx.New(fx.NopLogger, background.Module, option).Err()
		if err == nil || !strings.Contains(err.Error(), "postgres.Module") || !strings.Contains(err.Error(), what) {
			t.Errorf("%s: the error is %v", what, err)
		}
	}
}
