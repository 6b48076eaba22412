//go:build unix

package main

import (
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"sync"
	"testing"
)

func TestAnOrderIsMeasuredAndTraced(t *testing.T) {
	t.Parallel()
	p := serve(t, nil, "-export", "stdout")
	if code := p.order(`{"id":"A-1"}`); code != http.StatusAccepted {
		t.Fatalf("the order: %d, want 202", code)
	}
	if code := p.order(`{`); code != http.StatusBadRequest {
		t.Errorf("an order that is no JSON: %d, want 400", code)
	}
	p.Until("its task has ended", func() bool {
		return regexp.MustCompile(`background_task_finished_total\{background_task_name="charge-card",.*\} 1\n`).MatchString(p.metrics())
	})
	p.Stop()
	for _, span := range []string{`{"Name":"POST /orders"`, `{"Name":"run charge-card"`} {
		if !strings.Contains(p.Stdout.String(), span) {
			t.Errorf("no span is %s", span)
		}
	}
	if !strings.Contains(p.Stdout.String(), `"Name":"background.task.finished"`) {
		t.Error("the last metrics are not exported")
	}
}

func TestItMakesOrdersOfItsOwn(t *testing.T) {
	t.Parallel()
	p := serve(t, nil, "-load", "50")
	for _, name := range []string{"charge-card", "send-receipt", "reconcile"} {
		p.Until("a "+name+" has completed", func() bool {
			return regexp.MustCompile(`background_task_duration_seconds_count\{.*"` + name + `".*"completed".*\} [1-9]`).MatchString(p.metrics())
		})
	}
	p.Stop()
	if strings.Contains(p.Stderr.String(), "an order is lost") {
		t.Error("an order was lost")
	}
}

func TestACollectorGetsTracesAndMetricsBeforeTheEnd(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	got := map[string]int{}
	collector := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		got[r.URL.Path]++
	}))
	defer collector.Close()
	p := serve(t, []string{"OTEL_EXPORTER_OTLP_ENDPOINT=" + collector.URL}, "-export", "otlp")
	p.order(`{"id":"A-1"}`)
	p.Stop()
	mu.Lock()
	defer mu.Unlock()
	if got["/v1/traces"] == 0 || got["/v1/metrics"] == 0 {
		t.Errorf("the collector got %v", got)
	}
}

func TestItDoesNotStart(t *testing.T) {
	for name, test := range map[string]struct {
		args []string
		says string
	}{
		"unknown export": {[]string{"-export", "jaeger"}, "jaeger"},
		"negative load":  {[]string{"-load", "-1"}, "-load is -1"},
	} {
		t.Run(name, func(t *testing.T) {
			p := run(t, nil, test.args...)
			if code := p.ExitCode(); code != 1 {
				t.Errorf("exit code is %d, want 1", code)
			}
			if out := p.Stderr.String(); !strings.Contains(out, "cannot start") || !strings.Contains(out, test.says) {
				t.Errorf("want an error that says %s", test.says)
			}
		})
	}
}
