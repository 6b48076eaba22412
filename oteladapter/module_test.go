package oteladapter_test

import (
	"context"
	"testing"

	otelmetric "go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	"go.uber.org/fx"
	"go.uber.org/fx/fxtest"

	"github.com/fxtasks/background"
	"github.com/fxtasks/background/fxtasks"
	"github.com/fxtasks/background/oteladapter"
)

func TestModuleMeasuresTheGraphsManager(t *testing.T) {
	reader := metric.NewManualReader()
	var m *fxtasks.Manager
	var p background.Propagator
	app := fxtest.New(t, background.Module, oteladapter.Module,
		fx.Provide(func() otelmetric.MeterProvider { return metric.NewMeterProvider(metric.WithReader(reader)) }),
		fx.Populate(&m, &p))
	app.RequireStart()
	task, err := m.Submit(context.Background(), "n", func(context.Context) error { return nil })
	if err != nil {
		t.Fatal(err)
	}
	<-task.Done()
	app.RequireStop()
	got := rig{reader: reader}.metrics(t)
	for _, name := range []string{"background.task.duration", "background.task.wait_time"} {
		if h, ok := got[name].Data.(metricdata.Histogram[float64]); !ok || h.DataPoints[0].Count != 1 {
			t.Errorf("%s after the stop is %v", name, got[name])
		}
	}
	if _, ok := got["background.task.finished"]; !ok {
		t.Error("the counters are gone after the stop")
	}
}
