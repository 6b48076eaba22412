package oteladapter

import (
	"errors"
	"fmt"
	"reflect"
	"strings"

	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/trace"
	"go.uber.org/fx"

	"github.com/fxtasks/background/fxtasks"
	"github.com/fxtasks/background/httpapi"
	"github.com/fxtasks/background/internal/dotgraph"
)

// params is what Module takes from the graph before the manager is built.
type params struct {
	fx.In

	Config         Config               `optional:"true"`
	TracerProvider trace.TracerProvider `optional:"true"`
	MeterProvider  metric.MeterProvider `optional:"true"`

	ConfigPointer *Config     `optional:"true"` // meant for the module, which would not see it
	Graph         fx.DotGraph `optional:"true"`
}

// durable is what it takes after that: durable jobs need the manager.
type durable struct {
	fx.In

	Jobs  httpapi.Jobs `optional:"true"`
	Graph fx.DotGraph  `optional:"true"`
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

// check gives an error that names each thing of the graph which is meant for the module and would
// not reach it, and its fix.
func (p params) check() error {
	g, used := dotgraph.Parse(string(p.Graph)), p.config()
	return errors.Join(
		p.checkPointer(g),
		checkBuilt[Config](g, p.Config != Config{}),
		checkBuilt[trace.TracerProvider](g, p.TracerProvider != nil),
		checkBuilt[metric.MeterProvider](g, p.MeterProvider != nil),
		checkSDK[trace.TracerProvider](g, used.TracerProvider != nil, used.tracerProvider()),
		checkSDK[metric.MeterProvider](g, used.MeterProvider != nil, used.meterProvider()),
	)
}

func (d durable) check() error {
	return checkBuilt[httpapi.Jobs](dotgraph.Parse(string(d.Graph)), d.Jobs != nil)
}

func (p params) checkPointer(g dotgraph.Graph) error {
	config, pointer := typeName[Config](), typeName[*Config]()
	if p.ConfigPointer == nil && len(g.Missing(pointer)) == 0 || g.Takes(config, pointer) {
		return nil
	}
	return fmt.Errorf("%w: the graph has a %s, which oteladapter.Module does not use: supply an %s, not a pointer to one",
		fxtasks.ErrInvalid, pointer, config)
}

// checkBuilt gives an error if the graph has a constructor for T whose parameters are missing:
// dig's optional passes over that in silence.
func checkBuilt[T any](g dotgraph.Graph, built bool) error {
	missing := g.Missing(typeName[T]())
	if built || len(missing) == 0 {
		return nil
	}
	return fmt.Errorf("%w: the graph has a constructor for %s, which oteladapter.Module uses, but it cannot be called: provide %s",
		fxtasks.ErrInvalid, typeName[T](), strings.Join(missing, ", "))
}

// checkSDK gives an error if the graph has a provider by the SDK's own type, *trace.TracerProvider
// for example, and the module would use another one. The SDK is known by that name alone: this
// package does not import it.
func checkSDK[API any](g dotgraph.Graph, given bool, used API) error {
	api := typeName[API]()
	sdk := "*" + api
	if given || !g.Gives(sdk) || reflect.TypeOf(used).String() == sdk { // the last: it is the global one
		return nil
	}
	return fmt.Errorf("%w: the graph has a %s, which oteladapter.Module does not use: provide it as a %s, "+
		"by fx.Annotate(constructor, fx.As(new(%s))) for example", fxtasks.ErrInvalid, sdk, api, api)
}

func typeName[T any]() string { return reflect.TypeFor[T]().String() }
