package oteladapter

import (
	"context"
	"strings"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"

	"github.com/fxtasks/background/fxtasks"
)

// Options are made once: each costs an allocation.
var (
	asConsumer = []trace.SpanStartOption{trace.WithSpanKind(trace.SpanKindConsumer)}
	asNewRoot  = append(asConsumer[:1:1], trace.WithNewRoot())
)

// startSpan begins the attempt's span. A span of the submitter's is in ctx, since a task keeps the
// values of the context with which it was submitted. Where there is none, the span is a root anyway.
func (a *attempts) startSpan(ctx context.Context, name string) (own context.Context, span trace.Span) {
	if from := trace.SpanContextFromContext(ctx); a.asChild || !from.IsValid() {
		own, span = a.tracer.Start(ctx, name, asConsumer...)
	} else {
		own, span = a.tracer.Start(ctx, name, append(asNewRoot[:2:2], trace.WithLinks(trace.Link{SpanContext: from}))...)
	}
	if span.IsRecording() {
		describe(ctx, span)
	}
	return own, span
}

func describe(ctx context.Context, span trace.Span) {
	if t, ok := fxtasks.FromContext(ctx); ok {
		span.SetAttributes(attributesOf(t.Info())...)
	}
}

func attributesOf(info fxtasks.Info) []attribute.KeyValue {
	kvs := []attribute.KeyValue{keyID.String(info.ID), keyName.String(info.Name), keyAttempt.Int(info.Attempt)}
	if info.Group != "" {
		kvs = append(kvs, keyGroup.String(info.Group))
	}
	return append(kvs, messagingOf(info)...)
}

// messagingOf gives the attributes of OpenTelemetry's conventions for messaging that fit a durable
// job: views of queues are made of them. The group and the metadata are those that riveradapter gives
// the tasks that run jobs.
func messagingOf(info fxtasks.Info) []attribute.KeyValue {
	queue, isJob := strings.CutPrefix(info.Group, "jobs/")
	id := info.Metadata["job_id"]
	if !isJob || id == "" {
		return nil
	}
	return []attribute.KeyValue{
		attribute.String("messaging.system", "river"),
		attribute.String("messaging.destination.name", queue),
		attribute.String("messaging.message.id", id),
	}
}

func endSpan(span trace.Span, o outcome) {
	if span.IsRecording() {
		span.SetAttributes(keyStatus.String(o.status().String()))
		if o != completed {
			span.SetAttributes(keyError.String(o.errorType()))
			span.SetStatus(codes.Error, o.errorType())
		}
	}
	span.End()
}
