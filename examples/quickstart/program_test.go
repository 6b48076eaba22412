//go:build unix

package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime/debug"
	"slices"
	"sync"
	"testing"
	"time"
)

// binary is the program, built once for all tests.
var binary string

func TestMain(m *testing.M) { os.Exit(buildAndRun(m)) }

func buildAndRun(m *testing.M) int {
	dir, err := os.MkdirTemp("", "quickstart-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	binary = filepath.Join(dir, "quickstart")
	build := exec.Command("go", "build", fmt.Sprintf("-race=%v", raceEnabled()), "-o", binary, ".")
	if out, err := build.CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "%v: %v\n%s", build, err, out)
		return 1
	}
	return m.Run()
}

// raceEnabled says whether the tests run with -race: then the program shall, too.
func raceEnabled() bool {
	info, ok := debug.ReadBuildInfo()
	return ok && slices.Contains(info.Settings, debug.BuildSetting{Key: "-race", Value: "true"})
}

// program is the program on its way.
type program struct {
	t      *testing.T
	cmd    *exec.Cmd
	output lockedBuffer
	exited chan struct{} // closed when it has, and all of its output is here
	url    string
}

// run runs the program. It is killed at the end of the test, if need be.
func run(t *testing.T, args ...string) *program {
	t.Helper()
	p := &program{t: t, cmd: exec.Command(binary, args...), exited: make(chan struct{})}
	p.cmd.Stdout, p.cmd.Stderr = &p.output, &p.output
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		defer close(p.exited)
		_ = p.cmd.Wait() // ProcessState tells
	}()
	t.Cleanup(func() {
		_ = p.cmd.Process.Kill() // an error: it has exited
		<-p.exited
		if t.Failed() {
			t.Logf("the program's output:\n%s", p.output.String())
		}
	})
	return p
}

var servingURL = regexp.MustCompile(`serving .*"(http://[^/]+)/`)

// start runs the program on a free port, and returns when it serves.
func start(t *testing.T, dir string) *program {
	t.Helper()
	p := run(t, "-addr", "127.0.0.1:0", "-dir", dir)
	p.until("it serves", func() bool {
		if m := servingURL.FindStringSubmatch(p.output.String()); m != nil {
			p.url = m[1]
		}
		return p.url != ""
	})
	return p
}

// until polls for a condition.
func (p *program) until(what string, holds func() bool) {
	p.t.Helper()
	for deadline := time.After(30 * time.Second); !holds(); {
		select {
		case <-time.After(5 * time.Millisecond):
		case <-p.exited:
			p.t.Fatalf("the program exited while the test waited until %s", what)
		case <-deadline:
			p.t.Fatalf("the test waited in vain until %s", what)
		}
	}
}

// exitCode waits for the program to exit.
func (p *program) exitCode() int {
	p.t.Helper()
	select {
	case <-p.exited:
	case <-time.After(30 * time.Second):
		p.t.Fatal("the program does not exit")
	}
	return p.cmd.ProcessState.ExitCode()
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
	p.until(id+" is "+what, func() bool {
		v = p.get(id)
		return holds(v)
	})
	return v
}

func (p *program) waitForProgress(id string) {
	p.t.Helper()
	p.waitFor(id, "under way", func(v view) bool { return v.Progress.Current > 0 })
}

// lockedBuffer can be read while it is written.
type lockedBuffer struct {
	mu  sync.Mutex // protects buf
	buf bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.String()
}
