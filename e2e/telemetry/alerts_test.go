//go:build unix

package telemetry_test

import (
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"
)

const (
	rulesFile = "../../docs/alerts.yaml"
	rulesTest = "testdata/alerts_test.yaml"
)

func TestPromtoolAcceptsTheAlertsAndTheirTestsPass(t *testing.T) {
	promtool := tool(t, "promtool")
	for _, args := range [][]string{{"check", "rules", rulesFile}, {"test", "rules", rulesTest}} {
		if out, err := exec.Command(promtool, args...).CombinedOutput(); err != nil {
			t.Errorf("promtool %q: %v\n%s", args, err, out)
		}
	}
}

// alertNames are those of docs/alerts.yaml.
func alertNames(t *testing.T) (names []string) {
	t.Helper()
	for _, m := range regexp.MustCompile(`(?m)^ +- alert: (\w+)$`).FindAllStringSubmatch(read(t, rulesFile), -1) {
		names = append(names, m[1])
	}
	if len(names) == 0 {
		t.Fatal("there are no alerts")
	}
	return names
}

func read(t *testing.T, file string) string {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestEachAlertHasATestAndASectionThatSaysWhatToDo(t *testing.T) {
	rules, tests, page := read(t, rulesFile), read(t, rulesTest), read(t, "../../docs/observability.md")
	for _, name := range alertNames(t) {
		if !regexp.MustCompile(`alertname: ` + name + `\n +exp_alerts:`).MatchString(tests) {
			t.Errorf("no test makes %s fire", name)
		}
		if !strings.Contains(rules, "docs/observability.md#"+strings.ToLower(name)+"\n") {
			t.Errorf("the runbook_url of %s is not its section", name)
		}
		_, section, found := strings.Cut(page, "\n### "+name+"\n")
		section, _, _ = strings.Cut(section, "\n### ")
		if !found || !strings.Contains(section, "*Do:*") {
			t.Errorf("no section says what to do about %s", name)
		}
	}
}

// checkRulesEvaluate checks what promtool cannot know: that the rules fit the series that there are.
func checkRulesEvaluate(t *testing.T, p prometheus) {
	t.Helper()
	type rule struct{ Name, Health, LastError string }
	var answer struct {
		Data struct{ Groups []struct{ Rules []rule } }
	}
	evaluated := func() (n int) {
		p.ask("/api/v1/rules", &answer)
		for _, g := range answer.Data.Groups {
			for _, r := range g.Rules {
				if r.Health == "err" {
					t.Fatalf("%s: %s", r.Name, r.LastError)
				}
				if r.Health == "ok" {
					n++
				}
			}
		}
		return n
	}
	p.Until("all rules are evaluated", func() bool { return evaluated() == len(alertNames(t)) })
}
