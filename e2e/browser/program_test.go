package browser_test

import (
	"encoding/json"
	"net/http"
	"net/url"
	"os/exec"
	"path/filepath"
	"regexp"
	"testing"

	"github.com/fxtasks/background/internal/process"
)

// binary is the quickstart, built once for all tests.
var binary string

func build(dir string) error {
	binary = filepath.Join(dir, "quickstart")
	return process.Build(binary, filepath.Join("..", "..", "examples"), "./quickstart")
}

// program is the quickstart on its way.
type program struct {
	t         *testing.T
	cmd       *exec.Cmd
	output    process.Output
	exited    chan struct{} // closed when it has, and all of its output is here
	dashboard string        // URL, with a slash behind it
}

var dashboardURL = regexp.MustCompile(`serving .*"dashboard": ?"([^"]+)"`)

// start runs the quickstart on a free port, and returns when it serves.
func start(t *testing.T, flags ...string) *program {
	t.Helper()
	return startAt(t, "127.0.0.1:0", flags...)
}

func startAt(t *testing.T, addr string, flags ...string) *program {
	t.Helper()
	p := &program{t: t, exited: make(chan struct{})}
	p.cmd = exec.Command(binary, append([]string{"-addr", addr, "-dir", t.TempDir()}, flags...)...)
	p.cmd.Stdout, p.cmd.Stderr = &p.output, &p.output
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		defer close(p.exited)
		_ = p.cmd.Wait() // ProcessState tells
	}()
	t.Cleanup(func() {
		p.kill()
		if t.Failed() {
			t.Logf("the program's output:\n%s", p.output.String())
		}
	})
	until(t, "the program serves", func() bool {
		if m := dashboardURL.FindStringSubmatch(p.output.String()); m != nil {
			p.dashboard = m[1]
		}
		return p.dashboard != "" || p.hasExited()
	})
	if p.dashboard == "" {
		t.Fatal("the program exited at once")
	}
	return p
}

func (p *program) hasExited() bool {
	select {
	case <-p.exited:
		return true
	default:
		return false
	}
}

func (p *program) kill() {
	_ = p.cmd.Process.Kill() // an error: it has exited
	<-p.exited
}

// addr is where it listens.
func (p *program) addr() string {
	u, err := url.Parse(p.dashboard)
	if err != nil {
		p.t.Fatal(err)
	}
	return u.Host
}

// client keeps no connections: they would count as goroutines left behind.
var client = &http.Client{Timeout: patience, Transport: &http.Transport{DisableKeepAlives: true}}

// do makes a request of the API and reads the JSON that answers it into body.
func (p *program) do(method, path string, body any) {
	p.t.Helper()
	base, err := url.Parse(p.dashboard)
	if err != nil {
		p.t.Fatal(err)
	}
	target, err := base.Parse(path)
	if err != nil {
		p.t.Fatal(err)
	}
	request, err := http.NewRequestWithContext(p.t.Context(), method, target.String(), nil)
	if err != nil {
		p.t.Fatal(err)
	}
	response, err := client.Do(request)
	if err != nil {
		p.t.Fatal(err)
	}
	defer response.Body.Close()
	if err := json.NewDecoder(response.Body).Decode(body); err != nil || response.StatusCode >= 300 {
		p.t.Fatalf("%s %s: %s (%v)", method, path, response.Status, err)
	}
}

// task is what the API says of a task, as far as tests ask.
type task struct {
	ID, Name, Status string
	Done             bool
	Metadata         map[string]string
	Progress         struct{ Current float64 }
	Error            struct{ Message, Stack string }
	Cancel           *struct{ Reason string }
}

func (p *program) task(id string) (found task) {
	p.t.Helper()
	p.do(http.MethodGet, "tasks/"+url.PathEscape(id), &found)
	return found
}

// list gives the tasks that match, the newest first.
func (p *program) list(query string) []task {
	p.t.Helper()
	var list struct{ Tasks []task }
	p.do(http.MethodGet, "tasks?"+query, &list)
	return list.Tasks
}

// waitFor gives the first task that matches, as soon as there is one.
func (p *program) waitFor(query string) (found task) {
	p.t.Helper()
	until(p.t, "there is a task with "+query, func() bool {
		for _, found = range p.list(query) {
		}
		return found.ID != ""
	})
	return found
}

// counts are tasks by their status, in the words of the page.
type counts struct{ Running, Pending, Failed, Completed int }

func (p *program) counts() (c counts) {
	p.t.Helper()
	p.do(http.MethodGet, "stats", &c)
	return c
}
