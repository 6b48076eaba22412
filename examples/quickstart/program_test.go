//go:build unix

package main

import (
	"encoding/json"
	"net/http"
	"os/exec"
	"regexp"
	"testing"
	"time"

	"github.com/fxtasks/background/internal/process"
)

// binary is the program, built once for all tests.
var binary string

func TestMain(m *testing.M) { process.Main(m, &binary, "..", "./quickstart") }

// program is the program on its way.
type program struct {
	*process.Running
	t   *testing.T
	url string
}

func run(t *testing.T, args ...string) *program {
	t.Helper()
	return &program{Running: process.Start(t, exec.Command(binary, args...)), t: t}
}

var servingURL = regexp.MustCompile(`serving .*"(http://[^/]+)/`)

// start runs the program on a free port, and returns when it serves.
func start(t *testing.T, dir string) *program {
	t.Helper()
	p := run(t, "-addr", "127.0.0.1:0", "-dir", dir)
	p.Until("it serves", func() bool {
		if m := servingURL.FindStringSubmatch(p.Stderr.String()); m != nil {
			p.url = m[1]
		}
		return p.url != ""
	})
	return p
}

var client = &http.Client{Timeout: 30 * time.Second}

// do makes a request and reads the JSON that answers it into body.
func (p *program) do(method, path string, body any) *http.Response {
	p.t.Helper()
	request, err := http.NewRequestWithContext(p.t.Context(), method, p.url+path, nil)
	if err != nil {
		p.t.Fatal(err)
	}
	response, err := client.Do(request)
	if err != nil {
		p.t.Fatal(err)
	}
	defer response.Body.Close()
	if err := json.NewDecoder(response.Body).Decode(body); err != nil {
		p.t.Fatalf("%s %s: %s, and no JSON: %v", method, path, response.Status, err)
	}
	return response
}

// post starts a checksum.
func (p *program) post() (created view, location string) {
	p.t.Helper()
	response := p.do(http.MethodPost, "/checksums", &created)
	if response.StatusCode != http.StatusAccepted {
		p.t.Fatalf("POST: %s, want 202", response.Status)
	}
	return created, response.Header.Get("Location")
}

func (p *program) get(id string) (v view) {
	p.t.Helper()
	if response := p.do(http.MethodGet, "/checksums/"+id, &v); response.StatusCode != http.StatusOK {
		p.t.Fatalf("GET: %s, want 200", response.Status)
	}
	return v
}

func (p *program) delete(id string) (v view, code int) {
	p.t.Helper()
	response := p.do(http.MethodDelete, "/checksums/"+id, &v)
	return v, response.StatusCode
}

func (p *program) list() []view {
	p.t.Helper()
	var body struct{ Checksums []view }
	p.do(http.MethodGet, "/checksums", &body)
	return body.Checksums
}

func (p *program) waitFor(id, what string, holds func(view) bool) (v view) {
	p.t.Helper()
	p.Until(id+" is "+what, func() bool {
		v = p.get(id)
		return holds(v)
	})
	return v
}

func (p *program) waitForProgress(id string) {
	p.t.Helper()
	p.waitFor(id, "under way", func(v view) bool { return v.Progress.Current > 0 })
}
