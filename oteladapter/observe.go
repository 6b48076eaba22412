package oteladapter

import (
	"context"
	"fmt"
	"time"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"

	"github.com/fxtasks/background/fxtasks"
	"github.com/fxtasks/background/httpapi"
)

// Observe gives the counters and gauges of m to the MeterProvider, whenever that collects, until
// stop is called. They are the manager's own Stats: tasks that never ran count as well.
func Observe(m *fxtasks.Manager, cfg Config) (stop func() error, err error) {
	return observe(m, nil, cfg)
}

// observe does so for the jobs as well, unless they are nil.
func observe(m *fxtasks.Manager, jobs httpapi.Jobs, cfg Config) (stop func() error, err error) {
	if m == nil {
		return nil, fmt.Errorf("%w: the manager to observe is nil", fxtasks.ErrInvalid)
	}
	o, meter := &observer{m: m, jobs: jobs}, cfg.meterProvider().Meter(scope)
	all, err := o.instruments(meter)
	if err != nil {
		return nil, fmt.Errorf("oteladapter: %w", err)
	}
	r, err := meter.RegisterCallback(o.collect, all...)
	if err != nil {
		return nil, fmt.Errorf("oteladapter: %w", err)
	}
	return r.Unregister, nil
}

type observer struct {
	m    *fxtasks.Manager
	jobs httpapi.Jobs

	submitted, finished, retries, rejected metric.Int64ObservableCounter
	count, limit, stuck, jobCount          metric.Int64ObservableGauge
	oldest, lastCompleted                  metric.Float64ObservableGauge
}

func (o *observer) instruments(m metric.Meter) (all []metric.Observable, err error) {
	for _, c := range []struct {
		to                      *metric.Int64ObservableCounter
		name, unit, description string
	}{
		{&o.submitted, "background.task.submitted", "{task}", "Tasks that were accepted."},
		{&o.finished, "background.task.finished", "{task}", "Tasks that have ended."},
		{&o.retries, "background.task.retries", "{attempt}", "Attempts after which another was due."},
		{&o.rejected, "background.task.rejected", "{task}", "Submits that gave an error."},
	} {
		if *c.to, err = m.Int64ObservableCounter(c.name, metric.WithUnit(c.unit), metric.WithDescription(c.description)); err != nil {
			return nil, err
		}
		all = append(all, *c.to)
	}
	for _, g := range []struct {
		to                      *metric.Int64ObservableGauge
		name, unit, description string
	}{
		{&o.count, "background.task.count", "{task}", "Tasks that are pending or running now."},
		{&o.limit, "background.task.limit", "{task}", "How many tasks may be pending or running; absent where there is no limit."},
		{&o.stuck, "background.task.stuck", "{task}", "Running tasks that were asked to end 10 s ago or more."},
		{&o.jobCount, "background.job.count", "{job}", "Durable jobs of all replicas."},
	} {
		if *g.to, err = m.Int64ObservableGauge(g.name, metric.WithUnit(g.unit), metric.WithDescription(g.description)); err != nil {
			return nil, err
		}
		all = append(all, *g.to)
	}
	for _, g := range []struct {
		to                *metric.Float64ObservableGauge
		name, description string
	}{
		{&o.oldest, "background.task.oldest.age", "For how long the oldest task has waited or run."},
		{&o.lastCompleted, "background.schedule.last_completed.time", "When a run of the schedule last completed, in Unix time."},
	} {
		if *g.to, err = m.Float64ObservableGauge(g.name, metric.WithUnit("s"), metric.WithDescription(g.description)); err != nil {
			return nil, err
		}
		all = append(all, *g.to)
	}
	return all, nil
}

func (o *observer) collect(ctx context.Context, to metric.Observer) error {
	s := o.m.Stats()
	for name, c := range s.ByName {
		o.counts(to, keyName.String(name), c)
	}
	to.ObserveInt64(o.stuck, int64(s.Stuck))
	to.ObserveFloat64(o.oldest, s.OldestPending.Seconds(), with(status(fxtasks.Pending)))
	to.ObserveFloat64(o.oldest, s.OldestRunning.Seconds(), with(status(fxtasks.Running)))
	o.limits(to, s.MaxRunning, s.MaxPending)
	for i, g := range o.m.Groups() {
		if i == maxSeries {
			break
		}
		cfg := g.Config()
		o.limits(to, cfg.MaxRunning, cfg.MaxPending, keyGroup.String(g.Name()))
	}
	for _, p := range o.m.Periodics() {
		if info := p.Info(); !info.LastCompleted.IsZero() {
			at := float64(info.LastCompleted.UnixNano()) / float64(time.Second)
			to.ObserveFloat64(o.lastCompleted, at, with(keyName.String(info.Name)))
		}
	}
	o.countJobs(ctx, to)
	return nil
}

// countTimeout is how long a collection waits for the database.
const countTimeout = 2 * time.Second

// jobStatuses are those that a job can have.
var jobStatuses = []fxtasks.Status{fxtasks.Pending, fxtasks.Running, fxtasks.Completed, fxtasks.Failed, fxtasks.Cancelled}

// countJobs asks the database of the jobs. That it does not answer is told to OpenTelemetry's error
// handler: as an error of the collection it would keep all other metrics from being exported. Once
// the shutdown has begun it is not asked: it may be closed.
func (o *observer) countJobs(ctx context.Context, to metric.Observer) {
	if o.jobs == nil || o.m.State() != fxtasks.Open {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, countTimeout)
	defer cancel()
	counts, err := o.jobs.Counts(ctx)
	if err != nil {
		otel.Handle(fmt.Errorf("oteladapter: background.job.count: %w", err))
		return
	}
	for _, st := range jobStatuses { // also those of which there are none: a series that ends looks like an outage
		to.ObserveInt64(o.jobCount, int64(counts[st]), with(status(st)))
	}
}

func (o *observer) counts(to metric.Observer, name attribute.KeyValue, c fxtasks.Counts) {
	to.ObserveInt64(o.submitted, int64(c.Submitted), with(name))
	to.ObserveInt64(o.retries, int64(c.Retried), with(name))
	to.ObserveInt64(o.rejected, int64(c.Rejected), with(name))
	to.ObserveInt64(o.finished, int64(c.Completed), with(name, status(fxtasks.Completed)))
	to.ObserveInt64(o.finished, int64(c.Failed), with(name, status(fxtasks.Failed)))
	to.ObserveInt64(o.finished, int64(c.Cancelled), with(name, status(fxtasks.Cancelled)))
	to.ObserveInt64(o.finished, int64(c.TimedOut), with(name, status(fxtasks.TimedOut)))
	to.ObserveInt64(o.count, int64(c.Pending), with(name, status(fxtasks.Pending)))
	to.ObserveInt64(o.count, int64(c.Running), with(name, status(fxtasks.Running)))
}

// limits leaves out what has no limit. A negative MaxPending means that none may be pending.
func (o *observer) limits(to metric.Observer, running, pending int, group ...attribute.KeyValue) {
	if running > 0 {
		to.ObserveInt64(o.limit, int64(running), with(append(group, status(fxtasks.Running))...))
	}
	if pending != 0 {
		to.ObserveInt64(o.limit, int64(max(pending, 0)), with(append(group, status(fxtasks.Pending))...))
	}
}

func status(s fxtasks.Status) attribute.KeyValue { return keyStatus.String(s.String()) }

func with(kvs ...attribute.KeyValue) metric.MeasurementOption { return metric.WithAttributes(kvs...) }
