//go:build unix

package telemetry_test

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// exported is what -export stdout writes: a line for each span, and for each export of metrics.
type exported struct {
	spans   []span
	metrics map[string]metric // by name, as it was exported last
}

type span struct {
	Name        string
	SpanContext spanContext
	Parent      spanContext
	SpanKind    int
	Attributes  attributes
	Links       []struct{ SpanContext spanContext }
}

type spanContext struct{ TraceID, SpanID string }

type metric struct {
	Name string
	Data struct {
		DataPoints []struct {
			Attributes attributes
			Value      float64
		}
	}
}

type attributes []struct {
	Key   string
	Value struct{ Value any }
}

func (as attributes) get(key string) string {
	for _, a := range as {
		if a.Key == key {
			return fmt.Sprint(a.Value.Value)
		}
	}
	return ""
}

func readExported(t *testing.T, output string) (e exported) {
	t.Helper()
	e.metrics = make(map[string]metric)
	for line := range strings.Lines(output) {
		var l struct {
			span
			ScopeMetrics []struct{ Metrics []metric }
		}
		if err := json.Unmarshal([]byte(line), &l); err != nil {
			t.Fatalf("no line of an export: %v: %s", err, line)
		}
		if l.ScopeMetrics == nil {
			e.spans = append(e.spans, l.span)
			continue
		}
		for _, scope := range l.ScopeMetrics {
			for _, m := range scope.Metrics {
				e.metrics[m.Name] = m
			}
		}
	}
	return e
}

// finished gives how many tasks of a name have ended with the status, by the metrics.
func (e exported) finished(name, status string) int {
	for _, p := range e.metrics["background.task.finished"].Data.DataPoints {
		if p.Attributes.get("background.task.name") == name && p.Attributes.get("background.task.status") == status {
			return int(p.Value)
		}
	}
	return -1
}

func TestWhatTheDrainDidIsExportedBeforeTheEnd(t *testing.T) {
	shop, address := startShop(t, "150", "-export", "stdout") // more than can be charged: some wait when the signal comes
	enough := regexp.MustCompile(`background_task_finished_total\{background_task_name="charge-card",background_task_status="completed",.*\} (\d+)\n`)
	shop.Until("a hundred cards are charged", func() bool {
		m := enough.FindStringSubmatch(get("http://" + address + "/metrics"))
		if m == nil {
			return false
		}
		n, err := strconv.Atoi(m[1])
		return err == nil && n >= 100
	})
	shop.Stop()
	e := readExported(t, shop.Stdout.String())

	log := shop.Stderr.String()
	_, drain, stopped := strings.Cut(log, "server stopped")
	if !stopped || !strings.Contains(drain, "task completed") {
		t.Fatal("no task ended after the server had stopped: this test shows nothing")
	}
	for _, name := range []string{"charge-card", "send-receipt"} {
		for status, line := range map[string]string{"completed": "task completed", "failed": "task failed", "timed_out": "task timed out"} {
			logged := len(regexp.MustCompile(line+` .*"task_name": "`+name+`"`).FindAllString(log, -1))
			if got := e.finished(name, status); got != logged {
				t.Errorf("the last metrics have %d tasks %s that are %s, the log has %d", got, name, status, logged)
			}
		}
	}
	cancelled := 0
	if m := regexp.MustCompile(`pending tasks cancelled by the shutdown .*"charge-card": (\d+)`).FindStringSubmatch(log); m != nil {
		cancelled, _ = strconv.Atoi(m[1])
	}
	cancelled += len(regexp.MustCompile(`task cut off by the shutdown .*"task_name": "charge-card"`).FindAllString(log, -1))
	if got := e.finished("charge-card", "cancelled"); got != cancelled {
		t.Errorf("the last metrics have %d tasks that are cancelled, the log has %d", got, cancelled)
	}
	checkLinks(t, e.spans)
}

// checkLinks checks that each task is linked to its request, and each job to the task that inserted it. All
// of those spans must have been exported, too.
func checkLinks(t *testing.T, spans []span) {
	t.Helper()
	byID, seen := map[spanContext]span{}, map[string]int{}
	for _, s := range spans {
		byID[s.SpanContext] = s
	}
	const consumer = 5
	for _, s := range spans {
		from := map[string]string{"run charge-card": "POST /orders", "run send-receipt": "run charge-card"}[s.Name]
		if from == "" {
			continue
		}
		seen[s.Name]++
		if len(s.Links) != 1 || byID[s.Links[0].SpanContext].Name != from || s.SpanKind != consumer || s.Parent.SpanID != "0000000000000000" {
			t.Fatalf("%q of kind %d has the parent %v and the links %v, want one to %q", s.Name, s.SpanKind, s.Parent, s.Links, from)
		}
		if s.Attributes.get("background.task.status") == "" {
			t.Fatalf("%q has the attributes %v", s.Name, s.Attributes)
		}
		if s.Name == "run send-receipt" && s.Attributes.get("messaging.message.id") == "" {
			t.Fatalf("the job has the attributes %v", s.Attributes)
		}
	}
	if seen["run charge-card"] < 100 || seen["run send-receipt"] < 50 {
		t.Errorf("the spans are %v", seen)
	}
}
