package oteladapter

import (
	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/trace"
)

// Config says where traces and metrics go.
type Config struct {
	TracerProvider trace.TracerProvider // nil: OpenTelemetry's global one
	MeterProvider  metric.MeterProvider // nil: OpenTelemetry's global one

	// SpanAsChild makes a task's span the child of its submitter's span. By default it is the root of
	// a new trace, linked to that span: tasks outlive the request that submitted them.
	SpanAsChild bool
}

const scope = "github.com/fxtasks/background/oteladapter"

func (c Config) tracerProvider() trace.TracerProvider {
	if c.TracerProvider != nil {
		return c.TracerProvider
	}
	return otel.GetTracerProvider()
}

func (c Config) meterProvider() metric.MeterProvider {
	if c.MeterProvider != nil {
		return c.MeterProvider
	}
	return otel.GetMeterProvider()
}
