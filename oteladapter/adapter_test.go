package oteladapter_test

import (
	"context"
	"errors"
	"runtime"
	"testing"
	"time"

	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/sdk/metric"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"go.opentelemetry.io/otel/trace"
	"go.uber.org/fx"
	"go.uber.org/goleak"

	"github.com/fxtasks/background"
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

func newRig(t testing.TB, cfg oteladapter.Config) rig {
	t.Helper()
	r := rig{spans: tracetest.NewSpanRecorder(), reader: metric.NewManualReader()}
	r.traces = sdktrace.NewTracerProvider(sdktrace.WithSpanProcessor(r.spans))
	cfg.TracerProvider, cfg.MeterProvider = r.traces, metric.NewMeterProvider(metric.WithReader(r.reader))
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

// submit submits a task and waits for its end.
func (r rig) submit(t *testing.T, s fxtasks.Submitter, fn fxtasks.Func, opts ...fxtasks.TaskOption) *fxtasks.Task {
	t.Helper()
	task, err := s.Submit(context.Background(), "n", fn, opts...)
	if err != nil {
		t.Fatal(err)
	}
	<-task.Done()
	return task
}

func nothing(context.Context) error { return nil }

// attributes are a span's, by their keys.
func attributes(span sdktrace.ReadOnlySpan) map[string]string {
	got := map[string]string{}
	for _, kv := range span.Attributes() {
		got[string(kv.Key)] = kv.Value.String()
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
		"completed":                    {fn: func(context.Context) error { return nil }},
		"error":                        {fn: func(context.Context) error { return own }, errorType: "error"},
		"panic":                        {fn: func(context.Context) error { panic("no") }, errorType: "panic"},
		"goexit":                       {fn: func(context.Context) error { runtime.Goexit(); return nil }, errorType: "goexit"},
		"timeout":                      {fn: untilAsked, opts: []fxtasks.TaskOption{fxtasks.WithTimeout(time.Millisecond)}, errorType: "timeout"},
		"cancelled":                    {fn: untilAsked, cancel: fxtasks.ErrCancelled, errorType: "cancelled"},
		"by own cause":                 {fn: untilAsked, cancel: own, errorType: "cancelled"},
		"by a cause that says timeout": {fn: untilAsked, cancel: fxtasks.ErrTimeout, errorType: "cancelled"},
		"nil on cancel":                {fn: func(ctx context.Context) error { <-ctx.Done(); return nil }, cancel: own},
		"panic on cancel": {fn: func(ctx context.Context) error { <-ctx.Done(); panic("no") }, cancel: own,
			errorType: "panic"},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, oteladapter.Config{})
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
			got := attributes(span)
			if span.Name() != "run n" || got["background.task.id"] != task.ID() || got["background.task.attempt"] != "1" {
				t.Errorf("span %q has %v", span.Name(), got)
			}
			if want := task.Status().String(); got["background.task.status"] != want || got["error.type"] != c.errorType {
				t.Errorf("status %q, error.type %q; the record says %q, want %q", got["background.task.status"], got["error.type"], want, c.errorType)
			}
			if span.SpanKind() != trace.SpanKindConsumer || len(span.Events()) != 0 {
				t.Errorf("kind %v, events %v", span.SpanKind(), span.Events())
			}
			if isError := span.Status().Code == codes.Error; isError != (c.errorType != "") {
				t.Errorf("the span's status is %v", span.Status())
			}
		})
	}
}

func TestSpanIsLinkedOrChild(t *testing.T) {
	for _, asChild := range []bool{false, true} {
		r := newRig(t, oteladapter.Config{SpanAsChild: asChild})
		ctx, request := r.traces.Tracer("test").Start(context.Background(), "request")
		task, err := r.m.Submit(ctx, "n", nothing)
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

// A middleware can give the function a context that ends before the task's: the task has not timed out then.
func TestATimeoutOfAMiddlewareIsAnError(t *testing.T) {
	spans := tracetest.NewSpanRecorder()
	cfg := oteladapter.Config{TracerProvider: sdktrace.NewTracerProvider(sdktrace.WithSpanProcessor(spans))}
	impatient := func(next fxtasks.Func) fxtasks.Func {
		return func(ctx context.Context) error {
			ctx, cancel := context.WithTimeout(ctx, 0)
			defer cancel()
			return next(ctx)
		}
	}
	m, err := fxtasks.New(fxtasks.Config{}, fxtasks.WithMiddleware(impatient, oteladapter.Middleware(cfg)))
	if err != nil {
		t.Fatal(err)
	}
	task := rig{}.submit(t, m, func(ctx context.Context) error { return ctx.Err() })
	if got := attributes(spans.Ended()[0]); got["error.type"] != "error" || task.Status() != fxtasks.Failed {
		t.Errorf("the span has %v, the task has %v", got, task.Status())
	}
}

func TestEachAttemptHasASpan(t *testing.T) {
	r := newRig(t, oteladapter.Config{})
	failures := 2
	r.submit(t, r.m, func(context.Context) error {
		if failures--; failures >= 0 {
			return errors.New("not yet")
		}
		return nil
	}, fxtasks.WithRetry(fxtasks.Retry{MaxAttempts: 3, Delay: func(int) time.Duration { return 0 }}))
	want := []string{"1 failed error", "2 failed error", "3 completed "}
	for i, span := range r.spans.Ended() {
		a := attributes(span)
		if got := a["background.task.attempt"] + " " + a["background.task.status"] + " " + a["error.type"]; i >= len(want) || got != want[i] {
			t.Errorf("span %d says %q, want %q", i, got, want)
		}
	}
	if n := len(r.spans.Ended()); n != len(want) {
		t.Errorf("%d spans, want %d", n, len(want))
	}
}

func TestTheShutdownIsAnErrorTypeOfItsOwn(t *testing.T) {
	r := newRig(t, oteladapter.Config{})
	if _, err := r.m.Submit(context.Background(), "n", func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() }); err != nil {
		t.Fatal(err)
	}
	if _, err := r.m.Shutdown(context.Background()); err != nil {
		t.Fatal(err)
	}
	for _, span := range r.spans.Ended() { // none if it never started
		if got := attributes(span); got["error.type"] != "shutdown" || got["background.task.status"] != "cancelled" {
			t.Errorf("the span has %v", got)
		}
	}
}

// A durable job runs as riveradapter runs it: by Run, in the queue's group, with a context to which the
// trace was carried in the job's row.
func TestAJobIsLinkedToItsInsert(t *testing.T) {
	r := newRig(t, oteladapter.Config{})
	var p background.Propagator
	if err := fx.New(fx.NopLogger, background.Module, oteladapter.Module, fx.Populate(&p)).Err(); err != nil {
		t.Fatal(err)
	}
	ctx, insert := r.traces.Tracer("test").Start(context.Background(), "insert")
	carried := p.Inject(ctx)
	insert.End()
	queue, err := r.m.Group("jobs/mail", fxtasks.GroupConfig{})
	if err != nil {
		t.Fatal(err)
	}
	err = queue.Run(p.Extract(context.Background(), carried), "send", nothing, fxtasks.WithMetadata(map[string]string{"job_id": "7", "queue": "mail"}))
	if err != nil {
		t.Fatal(err)
	}
	span := r.spans.Ended()[1]
	if links := span.Links(); len(links) != 1 || links[0].SpanContext.SpanID() != insert.SpanContext().SpanID() || span.Parent().IsValid() {
		t.Errorf("links are %v", links)
	}
	got := attributes(span)
	for key, want := range map[string]string{
		"background.task.group": "jobs/mail", "messaging.system": "river", "messaging.destination.name": "mail", "messaging.message.id": "7",
	} {
		if got[key] != want {
			t.Errorf("%s is %q, want %q", key, got[key], want)
		}
	}
	if c := p.Inject(context.Background()); len(c) != 0 {
		t.Errorf("without a span there is %v to carry", c)
	}
}
