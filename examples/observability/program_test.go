//go:build unix

package main

import (
	"bytes"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/fxtasks/background/internal/process"
)

// binary is the program, built once for all tests.
var binary string

func TestMain(m *testing.M) { process.Main(m, &binary, "..", "./observability") }

// program is the program on its way.
type program struct {
	*process.Running
	t   *testing.T
	url string
}

// run starts the program, with jobs and an environment of its own.
func run(t *testing.T, env []string, args ...string) *program {
	t.Helper()
	args = append([]string{"-addr", "127.0.0.1:0", "-jobs", filepath.Join(t.TempDir(), "jobs.db")}, args...)
	cmd := exec.Command(binary, args...)
	cmd.Env = append(os.Environ(), env...)
	return &program{Running: process.Start(t, cmd), t: t}
}

var servingURL = regexp.MustCompile(`serving .*"(http://[^/]+)/orders"`)

// serve is run, and returns when the program serves.
func serve(t *testing.T, env []string, args ...string) *program {
	t.Helper()
	p := run(t, env, args...)
	p.Until("it serves", func() bool {
		if m := servingURL.FindStringSubmatch(p.Stderr.String()); m != nil {
			p.url = m[1]
		}
		return p.url != ""
	})
	return p
}

// order sends an order, and gives the status of the answer.
func (p *program) order(body string) int {
	p.t.Helper()
	response, err := http.Post(p.url+"/orders", "application/json", strings.NewReader(body))
	if err != nil {
		p.t.Fatal(err)
	}
	_ = response.Body.Close()
	return response.StatusCode
}

// metrics gives what Prometheus would scrape.
func (p *program) metrics() string {
	p.t.Helper()
	response, err := http.Get(p.url + "/metrics")
	if err != nil {
		p.t.Fatal(err)
	}
	defer response.Body.Close()
	var body bytes.Buffer
	if _, err := body.ReadFrom(response.Body); err != nil {
		p.t.Fatal(err)
	}
	return body.String()
}
