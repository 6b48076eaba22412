//go:build unix

package main

import (
	"bytes"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// binary is the program, built once for all tests.
var binary string

func TestMain(m *testing.M) { os.Exit(buildAndRun(m)) }

func buildAndRun(m *testing.M) int {
	dir, err := os.MkdirTemp("", "observability-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	binary = filepath.Join(dir, "observability")
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

const patience = 30 * time.Second

// program is the program on its way.
type program struct {
	t              *testing.T
	cmd            *exec.Cmd
	stdout, stderr lockedBuffer
	exited         chan struct{} // closed when it has, and all of its output is here
	url            string
}

// run runs the program, with jobs of its own. It is killed at the end of the test, if need be.
func run(t *testing.T, args ...string) *program {
	t.Helper()
	args = append([]string{"-addr", "127.0.0.1:0", "-jobs", filepath.Join(t.TempDir(), "jobs.db")}, args...)
	p := &program{t: t, cmd: exec.Command(binary, args...), exited: make(chan struct{})}
	p.cmd.Stdout, p.cmd.Stderr = &p.stdout, &p.stderr
	return p
}

func (p *program) start() {
	p.t.Helper()
	if err := p.cmd.Start(); err != nil {
		p.t.Fatal(err)
	}
	go func() {
		defer close(p.exited)
		_ = p.cmd.Wait() // ProcessState tells
	}()
	p.t.Cleanup(func() {
		_ = p.cmd.Process.Kill() // an error: it has exited
		<-p.exited
		if p.t.Failed() {
			p.t.Logf("the program's log:\n%s", p.stderr.String())
		}
	})
}

var servingURL = regexp.MustCompile(`serving .*"(http://[^/]+)/orders"`)

// serve starts the program, and returns when it serves.
func (p *program) serve() {
	p.t.Helper()
	p.start()
	p.until("it serves", func() bool {
		if m := servingURL.FindStringSubmatch(p.stderr.String()); m != nil {
			p.url = m[1]
		}
		return p.url != ""
	})
}

// until polls for a condition.
func (p *program) until(what string, holds func() bool) {
	p.t.Helper()
	for deadline := time.After(patience); !holds(); {
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
	case <-time.After(patience):
		p.t.Fatal("the program does not exit")
	}
	return p.cmd.ProcessState.ExitCode()
}

// stop ends the program as its platform does.
func (p *program) stop() {
	p.t.Helper()
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		p.t.Fatal(err)
	}
	if code := p.exitCode(); code != 0 {
		p.t.Errorf("exit code is %d, want 0", code)
	}
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
