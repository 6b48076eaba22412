package oteladapter

import (
	"context"

	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"
	"go.uber.org/fx"

	"github.com/fxtasks/background"
	"github.com/fxtasks/background/fxtasks"
	"github.com/fxtasks/background/httpapi"
)

// Module traces and measures the tasks of the graph's manager, and the jobs of its httpapi.Jobs if
// it has one. It uses a Config of the graph, a trace.TracerProvider and a metric.MeterProvider, each
// if there is one, else OpenTelemetry's global ones, and provides a background.Propagator.
//
// The manager is observed until the providers are shut down, also while the application stops:
// only then do the last metrics have what the drain did.
var Module fx.Option = fx.Module("background-otel",
	background.Instrument(func(p params) fxtasks.Middleware { return Middleware(p.config()) }),
	fx.Provide(func() background.Propagator { return propagator{} }),
	fx.Invoke(func(p params, m *fxtasks.Manager, o struct {
		fx.In
		Jobs httpapi.Jobs `optional:"true"`
	}) error {
		_, err := observe(m, o.Jobs, p.config())
		return err
	}),
)

type params struct {
	fx.In

	Config         Config               `optional:"true"`
	TracerProvider trace.TracerProvider `optional:"true"`
	MeterProvider  metric.MeterProvider `optional:"true"`
}

// config lets what the Config names win over the graph's.
func (p params) config() Config {
	c := p.Config
	if c.TracerProvider == nil {
		c.TracerProvider = p.TracerProvider
	}
	if c.MeterProvider == nil {
		c.MeterProvider = p.MeterProvider
	}
	return c
}

// propagator carries a trace in W3C's form, whatever the application's global propagator is: the
// replicas must agree.
type propagator struct{}

func (propagator) Inject(ctx context.Context) map[string]string {
	carried := propagation.MapCarrier{}
	propagation.TraceContext{}.Inject(ctx, carried)
	return carried
}

func (propagator) Extract(ctx context.Context, carried map[string]string) context.Context {
	return propagation.TraceContext{}.Extract(ctx, propagation.MapCarrier(carried))
}
