package main

import (
	"context"
	"math"
	"time"

	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"

	"github.com/fxtasks/background/fxtasks"
	"github.com/fxtasks/background/oteladapter"
)

// telemetryRows is about what oteladapter adds to a task that does nothing.
func telemetryRows(n sizes) []row {
	const note = "One goroutine submits the batch of the first row, without oteladapter and then with it and OpenTelemetry's SDK, which keeps " +
		"the metrics: what is shown is the difference. Either no span is sampled, or each is, and goes to an exporter that drops it."
	return []row{{
		key:   "telemetry",
		title: "what traces and metrics add to a no-op",
		note:  note,
		unit:  duration,
		apart: true,
		goal:  float64(2 * time.Microsecond),
		ours:  contender{name: "no span sampled", sample: added(sdktrace.NeverSample(), n.batch, nanoseconds)},
		peers: []contender{{"all spans sampled", 0, added(sdktrace.AlwaysSample(), n.batch, nanoseconds)}},
	}, {
		key:   "telemetry-allocations",
		title: "allocations that traces and metrics add",
		note:  "The same, by number.",
		unit:  count,
		most:  3, // they hardly differ
		apart: true,
		goal:  3,
		ours:  contender{name: "no span sampled", sample: added(sdktrace.NeverSample(), n.batch, allocations)},
		peers: []contender{{"all spans sampled", 0, added(sdktrace.AlwaysSample(), n.batch, allocations)}},
	}}
}

// added measures what the adapter adds per task, to a tenth of a unit: the runtime allocates a little, too.
func added(s sdktrace.Sampler, n int, measure meter) func() float64 {
	with, without := batch(func() pool { return openMeasured(s) }, 1, n, measure), batch(openOurs, 1, n, measure)
	return func() float64 { return math.Round(10*(with()-without())) / 10 }
}

// measured is ours with oteladapter.
type measured struct {
	ours
	traces *sdktrace.TracerProvider
}

func openMeasured(s sdktrace.Sampler) pool {
	cfg := oteladapter.Config{
		TracerProvider: sdktrace.NewTracerProvider(sdktrace.WithSampler(s), sdktrace.WithBatcher(dropped{})),
		MeterProvider:  sdkmetric.NewMeterProvider(sdkmetric.WithReader(sdkmetric.NewManualReader())),
	}
	m := must(fxtasks.New(fxtasks.Config{ShutdownTimeout: time.Hour}, fxtasks.WithMiddleware(oteladapter.Middleware(cfg))))
	must(oteladapter.Observe(m, cfg))
	return measured{ours{m}, cfg.TracerProvider.(*sdktrace.TracerProvider)}
}

func (p measured) close() {
	p.ours.close()
	if err := p.traces.Shutdown(context.Background()); err != nil {
		panic(err)
	}
}

// dropped is an exporter.
type dropped struct{}

func (dropped) ExportSpans(context.Context, []sdktrace.ReadOnlySpan) error { return nil }
func (dropped) Shutdown(context.Context) error                             { return nil }
