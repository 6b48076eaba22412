package oteladapter

import (
	"context"
	"strings"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"

	"github.com/fxtasks/background/fxtasks"
)

// startSpan begins the attempt's span. A span of the submitter's is in ctx, since a task keeps the
// values of the context with which it was submitted.
func (a *attempts) startSpan(ctx context.Context, info fxtasks.Info) (context.Context, trace.Span) {
	opts := make([]trace.SpanStartOption, 0, 3)
	opts = append(opts, trace.WithSpanKind(trace.SpanKindConsumer))
	if !a.asChild {
		opts = append(opts, trace.WithNewRoot())
		if from := trace.SpanContextFromContext(ctx); from.IsValid() {
			opts = append(opts, trace.WithLinks(trace.Link{SpanContext: from}))
		}
	}
	ctx, span := a.tracer.Start(ctx, "run "+info.Name, opts...)
	if span.IsRecording() {
		span.SetAttributes(attributesOf(info)...)
	}
	return ctx, span
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
