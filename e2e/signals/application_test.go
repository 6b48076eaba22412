//go:build unix

package signals_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"testing"
	"time"

	"github.com/fxtasks/background/internal/process"
)

// patience is how long tests wait for what comes much sooner. It only tells an end from none, and is
// shorter than those timeouts, of a minute, that no application may wait for.
const patience = 40 * time.Second

// application is the server on its way.
type application struct {
	t      *testing.T
	cmd    *exec.Cmd
	stdin  io.Closer // tasks that work are done once it is closed
	output process.Output
	exited chan struct{} // closed when it has, and all of its output is here
	url    string
}

// start runs the server, and returns when it serves.
func start(t *testing.T, flags ...string) *application {
	t.Helper()
	a := &application{t: t, cmd: exec.Command(binary, flags...), exited: make(chan struct{})}
	a.cmd.Stdout, a.cmd.Stderr = &a.output, &a.output
	stdin, err := a.cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	a.stdin = stdin
	if err := a.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		defer close(a.exited)
		_ = a.cmd.Wait() // ProcessState tells
	}()
	t.Cleanup(func() {
		_ = a.cmd.Process.Kill() // an error: it has exited
		<-a.exited
		if t.Failed() {
			output := a.output.String()
			t.Logf("the end of the output:\n%s", output[max(0, len(output)-5_000):])
		}
	})
	a.url = a.waitForLines("serving", 1).URL
	return a
}

// waitForLines waits until the log has n lines with the message, and gives the last one.
func (a *application) waitForLines(message string, n int) (found line) {
	a.t.Helper()
	a.until(fmt.Sprintf("%d lines say %q", n, message), func() bool {
		lines := a.log().saying(message)
		if len(lines) > 0 {
			found = lines[len(lines)-1]
		}
		return len(lines) >= n
	})
	return found
}

// until polls for a condition.
func (a *application) until(what string, holds func() bool) {
	a.t.Helper()
	for deadline := time.After(patience); !holds(); {
		select {
		case <-time.After(10 * time.Millisecond):
		case <-a.exited:
			a.t.Fatalf("the application exited while the test waited until %s", what)
		case <-deadline:
			a.t.Fatalf("the test waited in vain until %s", what)
		}
	}
}

func (a *application) signal(s os.Signal) {
	a.t.Helper()
	if err := a.cmd.Process.Signal(s); err != nil {
		a.t.Fatal(err)
	}
}

// wantExit waits for the application to exit by itself: one that a signal kills has the code -1.
func (a *application) wantExit(code int) {
	a.t.Helper()
	select {
	case <-a.exited:
	case <-time.After(patience):
		a.t.Fatalf("the application does not exit within %v", patience)
	}
	if state := a.cmd.ProcessState; state.ExitCode() != code {
		a.t.Errorf("the application ended with %v, want exit status %d", state, code)
	}
}

// client keeps no connections: they would count as goroutines left behind.
var client = &http.Client{Timeout: patience, Transport: &http.Transport{DisableKeepAlives: true}}

// submit starts a task of the kind, whose ID is the same.
func (a *application) submit(kind string) (id string) {
	a.t.Helper()
	response, err := client.Post(a.workURL(kind, kind), "", nil)
	if err != nil {
		a.t.Fatal(err)
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusAccepted {
		a.t.Fatalf("a task that %s: %s, want 202", kind, response.Status)
	}
	return kind
}

func (a *application) workURL(kind, id string) string {
	return a.url + "/work?" + url.Values{"do": {kind}, "id": {id}}.Encode()
}

// counts are tasks by their status.
type counts struct{ Running, Pending int }

func (a *application) counts() (c counts) {
	a.t.Helper()
	response, err := client.Get(a.url + "/background/stats")
	if err != nil {
		a.t.Fatal(err)
	}
	defer response.Body.Close()
	if err := json.NewDecoder(response.Body).Decode(&c); err != nil {
		a.t.Fatalf("stats: %s: %v", response.Status, err)
	}
	return c
}
