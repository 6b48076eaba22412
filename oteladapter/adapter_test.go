package oteladapter_test

import (
	"context"
	"errors"
	"runtime"
	"testing"
	"time"

	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"go.uber.org/goleak"

	"github.com/fxtasks/background/fxtasks"
	"github.com/fxtasks/background/oteladapter"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

type rig struct {
	m      *fxtasks.Manager
	spans  *tracetest.SpanRecorder
	traces *sdktrace.TracerProvider
	reader *metric.ManualReader
	stop   func() error
}

func newRig(t testing.TB, asChild bool) rig {
	t.Helper()
	r := rig{spans: tracetest.NewSpanRecorder(), reader: metric.NewManualReader()}
	r.traces = sdktrace.NewTracerProvider(sdktrace.WithSpanProcessor(r.spans))
	cfg := oteladapter.Config{TracerProvider: r.traces, SpanAsChild: asChild,
		MeterProvider: metric.NewMeterProvider(metric.WithReader(r.reader))}
	var err error
	if r.m, err = fxtasks.New(fxtasks.Config{}, fxtasks.WithMiddleware(oteladapter.Middleware(cfg))); err != nil {
		t.Fatal(err)
	}
	if r.stop, err = oteladapter.Observe(r.m, cfg); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _, _ = r.m.Shutdown(context.Background()) })
	return r
}

func (r rig) metrics(t *testing.T) map[string]metricdata.Metrics {
	t.Helper()
	var rm metricdata.ResourceMetrics
	if err := r.reader.Collect(context.Background(), &rm); err != nil {
		t.Fatal(err)
	}
	got := map[string]metricdata.Metrics{}
	for _, s := range rm.ScopeMetrics {
		for _, m := range s.Metrics {
			got[m.Name] = m
		}
	}
	return got
}

func TestSpanSaysWhatTheRecordSays(t *testing.T) {
	own := errors.New("own cause")
	untilAsked := func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() }
	for name, c := range map[string]struct {
		fn        fxtasks.Func
		opts      []fxtasks.TaskOption
		cancel    error
		errorType string
	}{
		"completed":     {fn: func(context.Context) error { return nil }},
		"error":         {fn: func(context.Context) error { return own }, errorType: "error"},
		"panic":         {fn: func(context.Context) error { panic("no") }, errorType: "panic"},
		"goexit":        {fn: func(context.Context) error { runtime.Goexit(); return nil }, errorType: "goexit"},
		"timeout":       {fn: untilAsked, opts: []fxtasks.TaskOption{fxtasks.WithTimeout(time.Millisecond)}, errorType: "timeout"},
		"cancelled":     {fn: untilAsked, cancel: fxtasks.ErrCancelled, errorType: "cancelled"},
		"by own cause":  {fn: untilAsked, cancel: own, errorType: "cancelled"},
		"nil on cancel": {fn: func(ctx context.Context) error { <-ctx.Done(); return nil }, cancel: own},
		"panic on cancel": {fn: func(ctx context.Context) error { <-ctx.Done(); panic("no") }, cancel: own,
			errorType: "panic"},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, false)
			started := make(chan struct{})
			task, err := r.m.Submit(context.Background(), "n", func(ctx context.Context) error { close(started); return c.fn(ctx) }, c.opts...)
			if err != nil {
				t.Fatal(err)
			}
			if <-started; c.cancel != nil {
				task.Cancel(c.cancel)
			}
			<-task.Done()
			span := r.spans.Ended()[0]
			got := map[string]string{}
			for _, kv := range span.Attributes() {
				got[string(kv.Key)] = kv.Value.String()
			}
			if span.Name() != "run n" || got["background.task.id"] != task.ID() || got["background.task.attempt"] != "1" {
				t.Errorf("span %q has %v", span.Name(), got)
			}
			if want := task.Status().String(); got["background.task.status"] != want || got["error.type"] != c.errorType {
				t.Errorf("status %q, error.type %q; the record says %q, want %q", got["background.task.status"], got["error.type"], want, c.errorType)
			}
			if isError := span.Status().Code == codes.Error; isError != (c.errorType != "") {
				t.Errorf("the span's status is %v", span.Status())
			}
		})
	}
}

func TestSpanIsLinkedOrChild(t *testing.T) {
	for _, asChild := range []bool{false, true} {
		r := newRig(t, asChild)
		ctx, request := r.traces.Tracer("test").Start(context.Background(), "request")
		task, err := r.m.Submit(ctx, "n", func(context.Context) error { return nil })
		if err != nil {
			t.Fatal(err)
		}
		<-task.Done()
		span, from := r.spans.Ended()[0], request.SpanContext()
		linked := len(span.Links()) == 1 && span.Links()[0].SpanContext.Equal(from) && !span.Parent().IsValid() && span.SpanContext().TraceID() != from.TraceID()
		child := len(span.Links()) == 0 && span.Parent().SpanID() == from.SpanID()
		if linked == asChild || child != asChild {
			t.Errorf("SpanAsChild %v: links %v, parent %v", asChild, span.Links(), span.Parent())
		}
		request.End()
	}
}

func TestTasksThatNeverRanAreCounted(t *testing.T) {
	r := newRig(t, false)
	task, err := r.m.Submit(context.Background(), "late", func(context.Context) error { return nil }, fxtasks.WithDelay(time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	task.Cancel(nil)
	<-task.Done()
	var cancelled int64
	for _, p := range r.metrics(t)["background.task.finished"].Data.(metricdata.Sum[int64]).DataPoints {
		if v, _ := p.Attributes.Value("background.task.status"); v.AsString() == "cancelled" {
			cancelled += p.Value
		}
	}
	if cancelled != 1 {
		t.Errorf("cancelled is %d, want 1", cancelled)
	}
	if err := r.stop(); err != nil {
		t.Fatal(err)
	}
	if m, ok := r.metrics(t)["background.task.finished"]; ok {
		t.Errorf("after stop there is still %v", m)
	}
}
