package main

import (
	"context"
	"fmt"

	"github.com/prometheus/client_golang/prometheus"
	"go.opentelemetry.io/otel/exporters/otlp/otlpmetric/otlpmetrichttp"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	otelprometheus "go.opentelemetry.io/otel/exporters/prometheus"
	"go.opentelemetry.io/otel/exporters/stdout/stdoutmetric"
	"go.opentelemetry.io/otel/exporters/stdout/stdouttrace"
	"go.opentelemetry.io/otel/metric"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"
	"go.opentelemetry.io/otel/trace"
	"go.uber.org/fx"
)

// NewResource says whose traces and metrics they are.
func NewResource() (*resource.Resource, error) {
	return resource.Merge(resource.Default(), resource.NewSchemaless(semconv.ServiceName("shop")))
}

// NewTracerProvider makes the provider of all spans. On stop it is shut down after all that it serves, since
// that is built after it, and exports what it has not exported yet.
func NewTracerProvider(lc fx.Lifecycle, res *resource.Resource, flags Flags) (trace.TracerProvider, error) {
	options := []sdktrace.TracerProviderOption{sdktrace.WithResource(res)}
	exporter, err := newSpanExporter(flags.Export)
	if err != nil {
		return nil, err
	}
	if exporter != nil {
		options = append(options, sdktrace.WithBatcher(exporter))
	}
	provider := sdktrace.NewTracerProvider(options...)
	lc.Append(fx.StopHook(provider.Shutdown))
	return provider, nil
}

func newSpanExporter(to string) (sdktrace.SpanExporter, error) {
	switch to {
	case "none":
		return nil, nil
	case "stdout":
		return stdouttrace.New()
	case "otlp":
		return otlptracehttp.New(context.Background())
	}
	return nil, badExport(to)
}

// NewRegistry makes what /metrics shows.
func NewRegistry() *prometheus.Registry { return prometheus.NewRegistry() }

// NewMeterProvider makes the provider of all metrics. It is shut down as the other one is.
func NewMeterProvider(lc fx.Lifecycle, res *resource.Resource, registry *prometheus.Registry, flags Flags) (metric.MeterProvider, error) {
	pulled, err := otelprometheus.New(otelprometheus.WithRegisterer(registry))
	if err != nil {
		return nil, err
	}
	options := []sdkmetric.Option{sdkmetric.WithResource(res), sdkmetric.WithReader(pulled)}
	exporter, err := newMetricExporter(flags.Export)
	if err != nil {
		return nil, err
	}
	if exporter != nil {
		options = append(options, sdkmetric.WithReader(sdkmetric.NewPeriodicReader(exporter)))
	}
	provider := sdkmetric.NewMeterProvider(options...)
	lc.Append(fx.StopHook(provider.Shutdown))
	return provider, nil
}

func newMetricExporter(to string) (sdkmetric.Exporter, error) {
	switch to {
	case "none":
		return nil, nil
	case "stdout":
		return stdoutmetric.New()
	case "otlp":
		return otlpmetrichttp.New(context.Background())
	}
	return nil, badExport(to)
}

func badExport(to string) error {
	return fmt.Errorf("-export is %q: must be none, stdout or otlp", to)
}
