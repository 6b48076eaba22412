//go:build unix

package main

import (
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"strings"
	"sync"
	"testing"
)

func TestAnOrderIsMeasuredAndTraced(t *testing.T) {
	t.Parallel()
	p := run(t, "-export", "stdout")
	p.serve()
	if code := p.order(`{"id":"A-1"}`); code != http.StatusAccepted {
		t.Fatalf("the order: %d, want 202", code)
	}
	if code := p.order(`{`); code != http.StatusBadRequest {
		t.Errorf("an order that is no JSON: %d, want 400", code)
	}
	p.until("its task has ended", func() bool {
		return regexp.MustCompile(`background_task_finished_total\{background_task_name="charge-card",.*\} 1\n`).MatchString(p.metrics())
	})
	p.stop()
	for _, span := range []string{`{"Name":"POST /orders"`, `{"Name":"run charge-card"`} {
		if !strings.Contains(p.stdout.String(), span) {
			t.Errorf("no span is %s", span)
		}
	}
	if !strings.Contains(p.stdout.String(), `"Name":"background.task.finished"`) {
		t.Error("the last metrics are not exported")
	}
}

func TestItMakesOrdersOfItsOwn(t *testing.T) {
	t.Parallel()
	p := run(t, "-load", "50")
	p.serve()
	for _, name := range []string{"charge-card", "send-receipt", "reconcile"} {
		p.until("a "+name+" has completed", func() bool {
			return regexp.MustCompile(`background_task_duration_seconds_count\{.*"` + name + `".*"completed".*\} [1-9]`).MatchString(p.metrics())
		})
	}
	p.stop()
	if strings.Contains(p.stderr.String(), "an order is lost") {
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
	p := run(t, "-export", "otlp")
	p.cmd.Env = append(os.Environ(), "OTEL_EXPORTER_OTLP_ENDPOINT="+collector.URL)
	p.serve()
	p.order(`{"id":"A-1"}`)
	p.stop()
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
			p := run(t, test.args...)
			p.start()
			if code := p.exitCode(); code != 1 {
				t.Errorf("exit code is %d, want 1", code)
			}
			if out := p.stderr.String(); !strings.Contains(out, "cannot start") || !strings.Contains(out, test.says) {
				t.Errorf("want an error that says %s", test.says)
			}
		})
	}
}
