package oteladapter

import (
	"context"
	"fmt"
	"time"

	"go.opentelemetry.io/otel"
	"go.uber.org/fx"

	"github.com/fxtasks/background"
	"github.com/fxtasks/background/fxtasks"
)

// Module traces and measures the tasks of background.Module, and the jobs of the graph's
// httpapi.Jobs if it has one. It uses a Config of the graph, a trace.TracerProvider and a
// metric.MeterProvider, each if there is one, else OpenTelemetry's global ones, and provides a
// background.Propagator.
//
// What is meant for it and would not reach it is an error of fx.New that matches fxtasks.ErrInvalid
// and names the fix: a *Config, a provider by the SDK's own type instead of the API's interface, and
// any of those that has a constructor which cannot be called.
//
// When the tasks have been drained, the meter provider is told to export what the drain has
// changed, for at most two seconds, if it has a ForceFlush as the SDK's has; then the manager is no
// longer observed. A provider that is built by the graph is shut down after that.
var Module fx.Option = fx.Module("background-otel",
	fx.Provide(newInstrumentation, fx.Private),
	fx.Provide(func() background.Propagator { return propagator{} }),
	background.Instrument((*instrumentation).middleware),
	fx.Invoke((*instrumentation).observe),
)

// instrumentation is what the module does to one manager. It is built before the manager, so its
// hook comes after the drain.
type instrumentation struct {
	cfg     Config
	wrapped bool         // background.New has taken the middleware
	stop    func() error // nil: the manager is not observed
}

func newInstrumentation(lc fx.Lifecycle, p params) (*instrumentation, error) {
	if err := p.check(); err != nil {
		return nil, err
	}
	i := &instrumentation{cfg: p.config()}
	lc.Append(fx.StopHook(i.end))
	return i, nil
}

func (i *instrumentation) middleware() fxtasks.Middleware {
	i.wrapped = true
	return Middleware(i.cfg)
}

func (i *instrumentation) observe(m *fxtasks.Manager, d durable) (err error) {
	if !i.wrapped {
		return fmt.Errorf("%w: oteladapter.Module is used without background.Module: give the manager to oteladapter.Observe, "+
			"and oteladapter.Middleware to the manager", fxtasks.ErrInvalid)
	}
	if err := d.check(); err != nil {
		return err
	}
	i.stop, err = observe(m, d.Jobs, i.cfg)
	return err
}

// flushTimeout is how long the last export may take: it is time of later stop hooks.
const flushTimeout = 2 * time.Second

func (i *instrumentation) end(ctx context.Context) error {
	if i.stop == nil {
		return nil
	}
	if provider, ok := i.cfg.meterProvider().(interface{ ForceFlush(context.Context) error }); ok {
		ctx, cancel := context.WithTimeout(ctx, timeToFlush(ctx))
		defer cancel()
		if err := provider.ForceFlush(ctx); err != nil {
			otel.Handle(fmt.Errorf("oteladapter: the last metrics: %w", err))
		}
	}
	return i.stop()
}

// timeToFlush leaves half of what is left to later stop hooks, for Fx skips them once it is over.
func timeToFlush(ctx context.Context) time.Duration {
	if end, ok := ctx.Deadline(); ok {
		return min(flushTimeout, time.Until(end)/2)
	}
	return flushTimeout
}
