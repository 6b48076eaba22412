package oteladapter

import (
	"context"
	"time"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/metric/noop"
	"go.opentelemetry.io/otel/trace"

	"github.com/fxtasks/background/fxtasks"
	"github.com/fxtasks/background/internal/attemptinfo"
)

// Middleware makes a span of each attempt, and measures how long it waited and ran. A histogram
// that cannot be made is told to OpenTelemetry's error handler, and the tasks run without it.
//
// The status of an attempt is that of its return: what the function gave, and what had been asked
// of it by then.
func Middleware(cfg Config) fxtasks.Middleware {
	meter := cfg.meterProvider().Meter(scope)
	a := &attempts{
		tracer:   cfg.tracerProvider().Tracer(scope),
		asChild:  cfg.SpanAsChild,
		duration: histogram(meter, "background.task.duration", "How long an attempt of a task ran."),
		wait:     histogram(meter, "background.task.wait_time", "How long an attempt of a task waited from when it was due until it started."),
		series:   newSeriesTable(),
	}
	return func(next fxtasks.Func) fxtasks.Func {
		return func(ctx context.Context) error { return a.run(ctx, next) }
	}
}

// buckets are the histograms' boundaries, in seconds: 5 ms to 1 h.
var buckets = []float64{.005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600, 1800, 3600}

func histogram(m metric.Meter, name, description string) metric.Float64Histogram {
	h, err := m.Float64Histogram(name, metric.WithUnit("s"), metric.WithDescription(description),
		metric.WithExplicitBucketBoundaries(buckets...))
	if err != nil {
		otel.Handle(err)
		return noop.Float64Histogram{}
	}
	return h
}

// attempts measures those of one manager.
type attempts struct {
	tracer         trace.Tracer
	asChild        bool // spans, of the submitter's
	duration, wait metric.Float64Histogram
	series         *seriesTable
}

func (a *attempts) run(ctx context.Context, next fxtasks.Func) (err error) {
	t, ok := attemptinfo.Of(ctx)
	if !ok {
		return next(ctx)
	}
	begun, returned := time.Now(), false
	s := a.series.of(t.Name, t.Group)
	own, span := a.startSpan(ctx, s.spanName(t.Name))
	a.wait.Record(own, t.Waited.Seconds(), s.wait...)

	// It must be a deferred function that does not recover: a panic goes on with its own stack.
	defer func() {
		o := completed
		switch {
		case !returned:
			o = unwinding()
		case err != nil:
			o = outcomeOf(ctx)
		}
		a.duration.Record(own, time.Since(begun).Seconds(), s.duration[o]...)
		endSpan(span, o)
	}()
	err = next(own)
	returned = true
	return err
}
