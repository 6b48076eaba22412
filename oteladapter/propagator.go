package oteladapter

import (
	"context"

	"go.opentelemetry.io/otel/propagation"
)

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
