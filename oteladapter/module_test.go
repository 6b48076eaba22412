package oteladapter_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"go.opentelemetry.io/otel"
	otelmetric "go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"go.opentelemetry.io/otel/trace"
	"go.uber.org/fx"

	"github.com/fxtasks/background"
	"github.com/fxtasks/background/fxtasks"
	"github.com/fxtasks/background/httpapi"
	"github.com/fxtasks/background/oteladapter"
)

// handled gives what OpenTelemetry's error handler is told during the test.
func handled(t *testing.T) func() []string {
	var mu sync.Mutex
	var told []string
	before := otel.GetErrorHandler()
	otel.SetErrorHandler(otel.ErrorHandlerFunc(func(err error) {
		mu.Lock()
		defer mu.Unlock()
		told = append(told, err.Error())
	}))
	t.Cleanup(func() { otel.SetErrorHandler(before) })
	return func() []string {
		mu.Lock()
		defer mu.Unlock()
		return told
	}
}

// started starts an application with the modules, and gives its manager. It is stopped at the end of the test
// at the latest.
func started(t *testing.T, options ...fx.Option) (m *fxtasks.Manager, stop func()) {
	t.Helper()
	app := fx.New(fx.NopLogger, background.Module, oteladapter.Module, fx.Options(options...), fx.Populate(&m))
	if err := app.Start(context.Background()); err != nil {
		t.Fatal(err)
	}
	stop = sync.OnceFunc(func() {
		if err := app.Stop(context.Background()); err != nil {
			t.Error(err)
		}
	})
	t.Cleanup(stop)
	return m, stop
}

// exporter keeps the last metrics that it is given.
type exporter struct {
	metric.Exporter
	last series
}

func (e *exporter) Export(_ context.Context, rm *metricdata.ResourceMetrics) error {
	e.last = seriesOf(*rm)
	return nil
}
func (e *exporter) ForceFlush(context.Context) error { return nil }
func (e *exporter) Shutdown(context.Context) error   { return nil }
func (e *exporter) Temporality(k metric.InstrumentKind) metricdata.Temporality {
	return metric.DefaultTemporalitySelector(k)
}
func (e *exporter) Aggregation(k metric.InstrumentKind) metric.Aggregation {
	return metric.DefaultAggregationSelector(k)
}

func TestTheLastMetricsHaveWhatTheDrainDid(t *testing.T) {
	push, pull := new(exporter), metric.NewManualReader()
	provider := metric.NewMeterProvider(metric.WithReader(pull), metric.WithReader(metric.NewPeriodicReader(push, metric.WithInterval(time.Hour))))
	t.Cleanup(func() { _ = provider.Shutdown(context.Background()) })
	m, stop := started(t, fx.Provide(func() otelmetric.MeterProvider { return provider }), fx.Supply(fx.Annotate(jobs{}, fx.As(new(httpapi.Jobs)))))
	running := make(chan struct{})
	_, err := m.Submit(context.Background(), "n", func(ctx context.Context) error { close(running); <-ctx.Done(); return ctx.Err() })
	if err != nil {
		t.Fatal(err)
	}
	<-running
	stop()
	if got := push.last["background.task.finished{name=n,status=cancelled} {task}"]; got != 1 {
		t.Errorf("cancelled is %v, want 1: %v", got, push.last)
	}
	push.last.want(t, series{}, "background.job.count") // their database may be closed by then
	for key := range collect(t, pull) {
		if !strings.HasPrefix(key, "background.task.duration{") && !strings.HasPrefix(key, "background.task.wait_time{") {
			t.Errorf("after the stop there is still %s", key)
		}
	}
}

// One provider can serve the applications of a process one after the other.
func TestAnApplicationThatHasStoppedIsObservedNoMore(t *testing.T) {
	reader := metric.NewManualReader()
	supply := fx.Supply(fx.Annotate(metric.NewMeterProvider(metric.WithReader(reader)), fx.As(new(otelmetric.MeterProvider))))
	for range 2 {
		m, stop := started(t, supply)
		if err := m.Run(context.Background(), "n", nothing); err != nil {
			t.Fatal(err)
		}
		if got := collect(t, reader)["background.task.submitted{name=n} {task}"]; got != 1 {
			t.Errorf("submitted is %v, want 1", got)
		}
		stop()
	}
}

func TestModuleUsesTheGlobalProvidersIfTheGraphHasNone(t *testing.T) {
	spans, before := tracetest.NewSpanRecorder(), otel.GetTracerProvider()
	otel.SetTracerProvider(sdktrace.NewTracerProvider(sdktrace.WithSpanProcessor(spans)))
	t.Cleanup(func() { otel.SetTracerProvider(before) })
	// That one is in the graph by the SDK's type does no harm then.
	m, _ := started(t, fx.Provide(func() *sdktrace.TracerProvider { return nil }))
	if err := m.Run(context.Background(), "n", nothing); err != nil || len(spans.Ended()) != 1 {
		t.Errorf("%v, %d spans", err, len(spans.Ended()))
	}
}

// jobs counts, or fails to.
type jobs struct {
	httpapi.Jobs
	err error
}

func (j jobs) Counts(context.Context) (map[fxtasks.Status]int, error) {
	return map[fxtasks.Status]int{fxtasks.Pending: 3, fxtasks.Failed: 1}, j.err
}

func TestJobsAreCountedIfThereAreAny(t *testing.T) {
	for name, test := range map[string]struct {
		options fx.Option
		want    series
		told    int
	}{
		"none": {fx.Options(), series{}, 0},
		"some": {fx.Supply(fx.Annotate(jobs{}, fx.As(new(httpapi.Jobs)))), series{
			"background.job.count{status=pending} {job}": 3, "background.job.count{status=failed} {job}": 1,
			"background.job.count{status=running} {job}": 0, "background.job.count{status=completed} {job}": 0, "background.job.count{status=cancelled} {job}": 0,
		}, 0},
		// It costs no other metric: an error of the collection would.
		"of a database that is away": {fx.Supply(fx.Annotate(jobs{err: errors.New("away")}, fx.As(new(httpapi.Jobs)))), series{}, 1},
	} {
		t.Run(name, func(t *testing.T) {
			told, reader := handled(t), metric.NewManualReader()
			_, stop := started(t, test.options, fx.Supply(oteladapter.Config{MeterProvider: metric.NewMeterProvider(metric.WithReader(reader))}))
			got := collect(t, reader)
			got.want(t, test.want, "background.job.count")
			if _, ok := got["background.task.stuck{} {task}"]; !ok || len(told()) != test.told {
				t.Errorf("%v, and OpenTelemetry's error handler was told %q", got, told())
			}
			stop()
		})
	}
}

type missing struct{}

func TestWhatWouldNotReachTheModuleIsAnError(t *testing.T) {
	newMeters := func() *metric.MeterProvider { return metric.NewMeterProvider() }
	newTraces := func() *sdktrace.TracerProvider { return sdktrace.NewTracerProvider() }
	for name, c := range map[string]struct {
		option fx.Option
		want   []string // of the error; none: no error
	}{
		"nothing":                   {fx.Options(), nil},
		"a Config":                  {fx.Supply(oteladapter.Config{}), nil},
		"a pointer to one":          {fx.Supply(new(oteladapter.Config)), []string{"*oteladapter.Config", "supply an oteladapter.Config, not a pointer"}},
		"a Config made from it":     {fx.Provide(func() *oteladapter.Config { return nil }, func(*oteladapter.Config) oteladapter.Config { return oteladapter.Config{} }), nil},
		"a pointer that replaces":   {fx.Replace(new(oteladapter.Config)), []string{"*oteladapter.Config"}},
		"the SDK's meter provider":  {fx.Provide(newMeters), []string{"*metric.MeterProvider", "provide it as a metric.MeterProvider"}},
		"the SDK's tracer provider": {fx.Provide(newTraces), []string{"*trace.TracerProvider", "provide it as a trace.TracerProvider"}},
		"both by the API's types": {fx.Provide(fx.Annotate(newMeters, fx.As(new(otelmetric.MeterProvider))),
			fx.Annotate(newTraces, fx.As(new(trace.TracerProvider)))), nil},
		"the SDK's type and the API's": {fx.Provide(newMeters, func(p *metric.MeterProvider) otelmetric.MeterProvider { return p }), nil},
		"the SDK's type in the Config": {fx.Provide(newTraces, func(p *sdktrace.TracerProvider) oteladapter.Config {
			return oteladapter.Config{TracerProvider: p}
		}), nil},
		"a Config that cannot be built":   {fx.Provide(func(*missing) oteladapter.Config { return oteladapter.Config{} }), []string{"oteladapter.Config", "*oteladapter_test.missing"}},
		"a provider that cannot be built": {fx.Provide(func(*missing) trace.TracerProvider { return nil }), []string{"trace.TracerProvider", "*oteladapter_test.missing"}},
		"Jobs that cannot be built":       {fx.Provide(func(*missing) httpapi.Jobs { return nil }), []string{"httpapi.Jobs", "*oteladapter_test.missing"}},
	} {
		t.Run(name, func(t *testing.T) {
			err := fx.New(fx.NopLogger, background.Module, oteladapter.Module, c.option).Err()
			if errors.Is(err, fxtasks.ErrInvalid) != (c.want != nil) {
				t.Fatalf("the error is %v", err)
			}
			for _, part := range c.want {
				if !strings.Contains(err.Error(), part) {
					t.Errorf("the error is %v, want %q in it", err, part)
				}
			}
		})
	}
}

func TestAManagerOfSomebodyElsesIsAnError(t *testing.T) {
	err := fx.New(fx.NopLogger, oteladapter.Module, fx.Provide(func() (*fxtasks.Manager, error) { return fxtasks.New(fxtasks.Config{}) })).Err()
	if !errors.Is(err, fxtasks.ErrInvalid) || !strings.Contains(err.Error(), "background.Module") {
		t.Errorf("the error is %v", err)
	}
}
