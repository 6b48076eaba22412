//go:build unix

package telemetry_test

import (
	"encoding/json"
	"fmt"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/fxtasks/background/internal/process"
)

// tool gives a program of Debian's package prometheus, or skips the test.
func tool(t *testing.T, name string) (path string) {
	t.Helper()
	path, err := exec.LookPath(name)
	if err == nil {
		return path
	}
	install := name + " is missing: run `apt-get install --no-install-recommends prometheus`"
	if os.Getenv("CI") == "true" {
		t.Fatal(install)
	}
	t.Skip(install)
	return ""
}

// prometheus is a server of the test's own.
type prometheus struct {
	*process.Running
	t   *testing.T
	url string
}

// startPrometheus starts one that scrapes the target each second, and has the rules of docs/alerts.yaml.
func startPrometheus(t *testing.T, target string) prometheus {
	t.Helper()
	path, dir := tool(t, "prometheus"), t.TempDir()
	rules, err := filepath.Abs("../../docs/alerts.yaml")
	if err != nil {
		t.Fatal(err)
	}
	config := filepath.Join(dir, "prometheus.yml")
	err = os.WriteFile(config, fmt.Appendf(nil, `
global: {scrape_interval: 1s, evaluation_interval: 1s}
rule_files: [%q]
scrape_configs:
  - job_name: shop
    static_configs: [{targets: [%q]}]
`, rules, target), 0o600)
	if err != nil {
		t.Fatal(err)
	}
	address := freeAddress(t)
	server := run(t, path, "--config.file="+config, "--storage.tsdb.path="+filepath.Join(dir, "data"), "--web.listen-address="+address)
	p := prometheus{server, t, "http://" + address}
	p.Until("Prometheus is ready", func() bool { return get(p.url+"/-/ready") != "" })
	return p
}

func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// sample is one series of the answer to a query.
type sample struct {
	Metric map[string]string
	Value  [2]any // time and value
}

// query gives the samples, without those that are not a number.
func (p prometheus) query(expr string) (found []sample) {
	p.t.Helper()
	var answer struct{ Data struct{ Result []sample } }
	p.ask("/api/v1/query?"+url.Values{"query": {expr}}.Encode(), &answer)
	for _, s := range answer.Data.Result {
		if s.Value[1] != "NaN" {
			found = append(found, s)
		}
	}
	return found
}

func (p prometheus) ask(path string, answer any) {
	p.t.Helper()
	body := get(p.url + path)
	if err := json.Unmarshal([]byte(body), answer); err != nil {
		p.t.Fatalf("Prometheus refuses %s: %v", path, err)
	}
}
