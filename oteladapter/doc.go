// Package oteladapter gives the tasks of package fxtasks OpenTelemetry traces and metrics. It needs
// OpenTelemetry's API alone: the application chooses SDK and exporter.
//
// With Fx, one module instruments the graph's manager:
//
//	fx.New(
//		fx.Provide(NewTracerProvider, NewMeterProvider), // as trace.TracerProvider and metric.MeterProvider
//		background.Module,
//		oteladapter.Module,
//	)
//
// Without Fx there are two calls:
//
//	cfg := oteladapter.Config{TracerProvider: traces, MeterProvider: meters}
//	m, err := fxtasks.New(fxtasks.Config{}, fxtasks.WithMiddleware(oteladapter.Middleware(cfg)))
//	stop, err := oteladapter.Observe(m, cfg)
//
// # Traces
//
// Each attempt of a task has a span "run NAME" of kind consumer, linked to the span in which the task
// was submitted: a task outlives its request, and a trace that goes on for hours helps nobody.
// Config.SpanAsChild makes it that span's child. A durable job's span is linked to that of its insert,
// on whichever replica it runs.
//
// # Metrics
//
// The histograms background.task.duration and background.task.wait_time are per attempt. Counters
// and gauges are the manager's Stats, read at each collection: what was refused, or cancelled before it
// ran, counts as well. docs/observability.md has the table of all names, a Grafana dashboard and alerts.
package oteladapter
