package oteladapter_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"go.opentelemetry.io/otel/attribute"
	otelmetric "go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/metric/noop"
	"go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"

	"github.com/fxtasks/background/fxtasks"
	"github.com/fxtasks/background/oteladapter"
)

// series are what a reader collects: "name{attributes} unit" to the value, of a histogram to its sum.
type series map[string]float64

func collect(t *testing.T, reader metric.Reader) series {
	t.Helper()
	var rm metricdata.ResourceMetrics
	if err := reader.Collect(context.Background(), &rm); err != nil {
		t.Fatal(err)
	}
	return seriesOf(rm)
}

func seriesOf(rm metricdata.ResourceMetrics) series {
	got := series{}
	for _, scope := range rm.ScopeMetrics {
		for _, m := range scope.Metrics {
			add := func(set attribute.Set, value float64) {
				var labels []string
				for _, kv := range set.ToSlice() {
					labels = append(labels, strings.TrimPrefix(string(kv.Key), "background.task.")+"="+kv.Value.String())
				}
				got[m.Name+"{"+strings.Join(labels, ",")+"} "+m.Unit] = value
			}
			switch data := m.Data.(type) {
			case metricdata.Sum[int64]:
				for _, p := range data.DataPoints {
					add(p.Attributes, float64(p.Value))
				}
			case metricdata.Gauge[int64]:
				for _, p := range data.DataPoints {
					add(p.Attributes, float64(p.Value))
				}
			case metricdata.Gauge[float64]:
				for _, p := range data.DataPoints {
					add(p.Attributes, p.Value)
				}
			case metricdata.Histogram[float64]:
				for _, p := range data.DataPoints {
					add(p.Attributes, p.Sum)
				}
			}
		}
	}
	return got
}

// want compares the series of some instruments.
func (s series) want(t *testing.T, want series, instruments ...string) {
	t.Helper()
	got := maps.Clone(s)
	maps.DeleteFunc(got, func(key string, _ float64) bool {
		name, _, _ := strings.Cut(key, "{")
		return !slices.Contains(instruments, name)
	})
	if !maps.Equal(got, want) {
		t.Errorf("%v are\n\t%v, want\n\t%v", instruments, got, want)
	}
}

// Section 7 of the contract, name by name and unit by unit.
func TestEveryMetricHasItsNameUnitAndAttributes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, oteladapter.Config{})
		mail, err := r.m.Group("mail", fxtasks.GroupConfig{MaxRunning: 1, MaxPending: 1})
		if err != nil {
			t.Fatal(err)
		}
		_, err = r.m.Schedule("tick", fxtasks.Every(time.Hour), nothing)
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Until(time.Now().Truncate(time.Hour).Add(time.Hour)))
		synctest.Wait()
		ticked := time.Now()

		attempt := 0
		_, err = mail.Submit(t.Context(), "n", func(ctx context.Context) error {
			attempt++
			if time.Sleep(time.Second); attempt == 1 {
				return errors.New("not yet")
			}
			<-ctx.Done()
			time.Sleep(11 * time.Second)
			return ctx.Err()
		}, fxtasks.WithRetry(fxtasks.Retry{MaxAttempts: 2, Delay: func(int) time.Duration { return 2 * time.Second }}), fxtasks.WithTimeout(5*time.Second))
		if err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		if _, err := mail.Submit(t.Context(), "n", nothing); err != nil { // starts after the first attempt
			t.Fatal(err)
		}
		time.Sleep(4 * time.Second) // the second attempt has run for 1 s
		synctest.Wait()
		for range 2 { // one waits, one is refused
			_, _ = mail.Submit(t.Context(), "n", nothing)
		}
		time.Sleep(14 * time.Second) // it has run for 15 s, 10 s of them after its timeout
		synctest.Wait()
		collect(t, r.reader).want(t, series{
			"background.task.submitted{name=n} {task}": 3, "background.task.submitted{name=tick} {task}": 1,
			"background.task.retries{name=n} {attempt}": 1, "background.task.retries{name=tick} {attempt}": 0,
			"background.task.rejected{name=n} {task}": 1, "background.task.rejected{name=tick} {task}": 0,
			"background.task.finished{name=n,status=completed} {task}": 1, "background.task.finished{name=tick,status=completed} {task}": 1,
			"background.task.finished{name=n,status=failed} {task}": 0, "background.task.finished{name=tick,status=failed} {task}": 0,
			"background.task.finished{name=n,status=cancelled} {task}": 0, "background.task.finished{name=tick,status=cancelled} {task}": 0,
			"background.task.finished{name=n,status=timed_out} {task}": 0, "background.task.finished{name=tick,status=timed_out} {task}": 0,
			"background.task.count{name=n,status=pending} {task}": 1, "background.task.count{name=tick,status=pending} {task}": 0,
			"background.task.count{name=n,status=running} {task}": 1, "background.task.count{name=tick,status=running} {task}": 0,
			"background.task.limit{group=mail,status=running} {task}": 1, "background.task.limit{group=mail,status=pending} {task}": 1,
			"background.task.oldest.age{status=pending} s": 14, "background.task.oldest.age{status=running} s": 15,
			"background.task.stuck{} {task}":                       1,
			"background.schedule.last_completed.time{name=tick} s": float64(ticked.Unix()),
		}, "background.task.submitted", "background.task.retries", "background.task.rejected", "background.task.finished", "background.task.count",
			"background.task.limit", "background.task.oldest.age", "background.task.stuck", "background.schedule.last_completed.time")

		time.Sleep(time.Second)
		synctest.Wait()
		time.Sleep(time.Second)
		synctest.Wait()
		collect(t, r.reader).want(t, series{
			"background.task.duration{group=mail,name=n,status=completed} s":                    0,
			"background.task.duration{group=mail,name=n,status=failed,error.type=error} s":      1,
			"background.task.duration{group=mail,name=n,status=timed_out,error.type=timeout} s": 16,
			"background.task.duration{name=tick,status=completed} s":                            0,
			"background.task.wait_time{group=mail,name=n} s":                                    1 + 15,
			"background.task.wait_time{name=tick} s":                                            0,
		}, "background.task.duration", "background.task.wait_time")
	})
}

func TestHistogramsReachFromMillisecondsToAnHour(t *testing.T) {
	r := newRig(t, oteladapter.Config{})
	r.submit(t, r.m, nothing)
	var rm metricdata.ResourceMetrics
	if err := r.reader.Collect(context.Background(), &rm); err != nil {
		t.Fatal(err)
	}
	found := 0
	for _, scope := range rm.ScopeMetrics {
		for _, m := range scope.Metrics {
			if h, ok := m.Data.(metricdata.Histogram[float64]); ok {
				found++
				if b := h.DataPoints[0].Bounds; b[0] != 0.005 || b[len(b)-1] != 3600 {
					t.Errorf("the bounds of %s are %v", m.Name, b)
				}
			}
		}
	}
	if found != 2 {
		t.Errorf("%d histograms, want 2", found)
	}
}

// Without limits tasks run before they are on record: nothing of that may be looked at.
func TestTasksThatRunBeforeTheyAreOnRecordAreMeasured(t *testing.T) {
	r := newRig(t, oteladapter.Config{})
	const tasks = 1000
	for range tasks {
		if _, err := r.m.Submit(context.Background(), "n", nothing); err != nil {
			t.Fatal(err)
		}
	}
	if err := r.m.Wait(context.Background()); err != nil {
		t.Fatal(err)
	}
	if n := len(r.spans.Ended()); n != tasks {
		t.Errorf("%d spans, want %d", n, tasks)
	}
	collect(t, r.reader).want(t, series{"background.task.wait_time{name=n} s": 0}, "background.task.wait_time")
}

func TestTasksThatNeverRanAreCounted(t *testing.T) {
	r := newRig(t, oteladapter.Config{})
	task, err := r.m.Submit(context.Background(), "n", nothing, fxtasks.WithDelay(time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	task.Cancel(nil)
	<-task.Done()
	const cancelled = "background.task.finished{name=n,status=cancelled} {task}"
	if got := collect(t, r.reader); got[cancelled] != 1 {
		t.Errorf("cancelled is %v, want 1", got[cancelled])
	}
	if err := r.stop(); err != nil {
		t.Fatal(err)
	}
	if got := collect(t, r.reader); len(got) != 0 {
		t.Errorf("after stop there is still %v", got)
	}
}

func TestNamesBeyondTheFirstThousandAreOther(t *testing.T) {
	r := newRig(t, oteladapter.Config{})
	for n := range 1010 {
		if err := r.m.Run(context.Background(), fmt.Sprint("n", n), nothing); err != nil {
			t.Fatal(err)
		}
	}
	durations := 0
	got := collect(t, r.reader)
	for key := range got {
		if strings.HasPrefix(key, "background.task.duration{") {
			durations++
		}
	}
	if durations != 1001 {
		t.Errorf("%d series, want one for each of 1,000 names and one for the others", durations)
	}
	if _, ok := got["background.task.duration{name=other,status=completed} s"]; !ok {
		t.Error("none is the others'")
	}
	spans := r.spans.Ended()
	if last := spans[len(spans)-1].Name(); last != "run n1009" {
		t.Errorf("the last span is %q", last)
	}
}

func TestLimits(t *testing.T) {
	r := newRig(t, oteladapter.Config{})
	for name, cfg := range map[string]fxtasks.GroupConfig{"nothing waits": {MaxRunning: 2, MaxPending: -1}, "no limit": {}} {
		if _, err := r.m.Group(name, cfg); err != nil {
			t.Fatal(err)
		}
	}
	collect(t, r.reader).want(t, series{
		"background.task.limit{group=nothing waits,status=running} {task}": 2,
		"background.task.limit{group=nothing waits,status=pending} {task}": 0,
	}, "background.task.limit")
}

// noHistograms is a provider whose histograms cannot be made.
type noHistograms struct{ noop.MeterProvider }

func (noHistograms) Meter(string, ...otelmetric.MeterOption) otelmetric.Meter { return brokenMeter{} }

type brokenMeter struct{ noop.Meter }

func (brokenMeter) Float64Histogram(string, ...otelmetric.Float64HistogramOption) (otelmetric.Float64Histogram, error) {
	return nil, errors.New("no histogram")
}

func TestTasksRunWithoutAHistogramThatCannotBeMade(t *testing.T) {
	told := handled(t)
	m, err := fxtasks.New(fxtasks.Config{}, fxtasks.WithMiddleware(oteladapter.Middleware(oteladapter.Config{MeterProvider: noHistograms{}})))
	if err != nil {
		t.Fatal(err)
	}
	if task := (rig{}).submit(t, m, nothing); task.Status() != fxtasks.Completed {
		t.Errorf("the task ended as %v: %v", task.Status(), task.Err())
	}
	if got := told(); len(got) != 2 {
		t.Errorf("OpenTelemetry's error handler was told %q", got)
	}
}

func TestANilManagerIsInvalid(t *testing.T) {
	if _, err := oteladapter.Observe(nil, oteladapter.Config{}); !errors.Is(err, fxtasks.ErrInvalid) {
		t.Errorf("the error is %v", err)
	}
}
