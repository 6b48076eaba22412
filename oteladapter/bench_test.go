package oteladapter_test

import (
	"context"
	"testing"

	"go.opentelemetry.io/otel/sdk/metric"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"

	"github.com/fxtasks/background/fxtasks"
	"github.com/fxtasks/background/oteladapter"
)

// BenchmarkNoOp is what a task costs that does nothing, with and without the adapter.
func BenchmarkNoOp(b *testing.B) {
	with := func(s sdktrace.Sampler) []fxtasks.Option {
		return []fxtasks.Option{fxtasks.WithMiddleware(oteladapter.Middleware(oteladapter.Config{
			TracerProvider: sdktrace.NewTracerProvider(sdktrace.WithSampler(s)),
			MeterProvider:  metric.NewMeterProvider(metric.WithReader(metric.NewManualReader())),
		}))}
	}
	for name, options := range map[string][]fxtasks.Option{
		"without":     nil,
		"sampler=off": with(sdktrace.NeverSample()),
		"sampler=on":  with(sdktrace.AlwaysSample()),
	} {
		b.Run(name, func(b *testing.B) {
			m, err := fxtasks.New(fxtasks.Config{}, options...)
			if err != nil {
				b.Fatal(err)
			}
			b.ReportAllocs()
			for b.Loop() {
				if _, err := m.Submit(context.Background(), "n", nothing); err != nil {
					b.Fatal(err)
				}
			}
			if _, err := m.Shutdown(context.Background()); err != nil {
				b.Fatal(err)
			}
		})
	}
}
