package oteladapter

import (
	"context"
	"time"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/trace"

	"github.com/fxtasks/background/fxtasks"
)

// Middleware makes a span of each attempt, and measures how long it waited and ran. An instrument
// that cannot be made is told to OpenTelemetry's error handler, and the tasks run without it.
func Middleware(cfg Config) fxtasks.Middleware {
	i := &instrumented{tracer: cfg.tracer(), asChild: cfg.SpanAsChild, series: newSeriesTable()}
	meter := cfg.meter()
	i.duration = histogram(meter, "background.task.duration", "How long an attempt of a task ran.")
	i.wait = histogram(meter, "background.task.wait_time", "How long an attempt of a task waited from when it was due until it started.")
	return func(next fxtasks.Func) fxtasks.Func {
		return func(ctx context.Context) error { return i.run(ctx, next) }
	}
}

// buckets are the histograms' boundaries, in seconds: 5 ms to 1 h.
var buckets = []float64{.005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600, 1800, 3600}

func histogram(m metric.Meter, name, description string) metric.Float64Histogram {
	h, err := m.Float64Histogram(name, metric.WithUnit("s"), metric.WithDescription(description),
		metric.WithExplicitBucketBoundaries(buckets...))
	if err != nil {
		otel.Handle(err)
	}
	return h
}

type instrumented struct {
	tracer         trace.Tracer
	asChild        bool
	duration, wait metric.Float64Histogram
	series         *seriesTable
}

func (i *instrumented) run(ctx context.Context, next fxtasks.Func) (err error) {
	task, ok := fxtasks.FromContext(ctx)
	if !ok {
		return next(ctx)
	}
	info := task.Info()
	s := i.series.of(info.Name, info.Group)
	due := info.CreatedAt
	if info.NotBefore.After(due) {
		due = info.NotBefore
	}
	i.wait.Record(ctx, max(info.StartedAt.Sub(due), 0).Seconds(), s.wait...)

	own, span := i.start(ctx, s, info)
	begun, returned := time.Now(), false
	// It must be a deferred function that does not recover: a panic goes on with its own stack.
	defer func() {
		o := outcome(0)
		if returned {
			o = outcomeOf(ctx, err)
		} else {
			o = unwinding()
		}
		i.duration.Record(own, time.Since(begun).Seconds(), s.duration[o]...)
		end(span, o)
	}()
	err = next(own)
	returned = true
	return err
}

// start begins the span. A span of the submitter's is in ctx, since a task keeps the values of the
// context with which it was submitted.
func (i *instrumented) start(ctx context.Context, s *series, info fxtasks.Info) (context.Context, trace.Span) {
	name := s.span
	if s == i.series.other {
		name = "run " + info.Name
	}
	opts := make([]trace.SpanStartOption, 0, 3)
	opts = append(opts, trace.WithSpanKind(trace.SpanKindConsumer))
	if !i.asChild {
		opts = append(opts, trace.WithNewRoot())
		if from := trace.SpanContextFromContext(ctx); from.IsValid() {
			opts = append(opts, trace.WithLinks(trace.Link{SpanContext: from}))
		}
	}
	own, span := i.tracer.Start(ctx, name, opts...)
	if span.IsRecording() {
		span.SetAttributes(keyID.String(info.ID), keyName.String(info.Name), keyAttempt.Int(info.Attempt))
		if info.Group != "" {
			span.SetAttributes(keyGroup.String(info.Group))
		}
	}
	return own, span
}

func end(span trace.Span, o outcome) {
	if span.IsRecording() {
		span.SetAttributes(keyStatus.String(outcomeStatus[o].String()))
		if o != completed {
			span.SetAttributes(keyError.String(outcomeError[o]))
			span.SetStatus(codes.Error, outcomeError[o])
		}
	}
	span.End()
}
