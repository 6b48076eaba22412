//go:build unix

package telemetry_test

import (
	"io"
	"net/http"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/fxtasks/background/e2e/internal/process"
)

// patience is how long tests wait for what comes much sooner.
const patience = time.Minute

// client keeps no connections: they would be leaks of the tests.
var client = &http.Client{Timeout: 10 * time.Second, Transport: &http.Transport{DisableKeepAlives: true}}

// program is one that runs until the end of the test, or until stop.
type program struct {
	t              *testing.T
	cmd            *exec.Cmd
	stdout, stderr process.Output
	exited         chan struct{} // closed when it has, and all of its output is here
}

func run(t *testing.T, path string, args ...string) *program {
	t.Helper()
	p := &program{t: t, cmd: exec.Command(path, args...), exited: make(chan struct{})}
	p.cmd.Stdout, p.cmd.Stderr = &p.stdout, &p.stderr
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
			log := p.stderr.String()
			t.Logf("the log of %s ends:\n%s", filepath.Base(path), log[max(0, len(log)-4000):])
		}
	})
	return p
}

// until polls for a condition.
func (p *program) until(what string, holds func() bool) {
	p.t.Helper()
	for deadline := time.After(patience); !holds(); {
		select {
		case <-time.After(100 * time.Millisecond):
		case <-p.exited:
			p.t.Fatalf("%s exited while the test waited until %s", p.cmd.Path, what)
		case <-deadline:
			p.t.Fatalf("the test waited in vain until %s", what)
		}
	}
}

// stop ends the program as its platform does.
func (p *program) stop() {
	p.t.Helper()
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		p.t.Fatal(err)
	}
	select {
	case <-p.exited:
	case <-time.After(patience):
		p.t.Fatalf("%s does not stop", p.cmd.Path)
	}
	if code := p.cmd.ProcessState.ExitCode(); code != 0 {
		p.t.Errorf("%s exits with %d", p.cmd.Path, code)
	}
}

var servingAddress = regexp.MustCompile(`serving .*"http://([^/]+)/orders"`)

// startShop starts the example with so many orders a second, and gives its address.
func startShop(t *testing.T, load string, flags ...string) (shop *program, address string) {
	t.Helper()
	shop = run(t, binary, append([]string{"-addr", "127.0.0.1:0", "-jobs", filepath.Join(t.TempDir(), "jobs.db"), "-load", load}, flags...)...)
	shop.until("it serves", func() bool {
		if m := servingAddress.FindStringSubmatch(shop.stderr.String()); m != nil {
			address = m[1]
		}
		return address != ""
	})
	return shop, address
}

// get gives the body of an answer, or "" if there is none.
func get(url string) string {
	response, err := client.Get(url)
	if err != nil {
		return ""
	}
	defer response.Body.Close()
	var body strings.Builder
	if _, err := io.Copy(&body, response.Body); err != nil || response.StatusCode != http.StatusOK {
		return ""
	}
	return body.String()
}
