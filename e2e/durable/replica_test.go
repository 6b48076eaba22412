//go:build unix

package durable_test

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/fxtasks/background/internal/process"
)

// patience is how long anything may take that is promised within a minute.
const patience = 90 * time.Second

// client keeps no connections: they would be leaks of the tests.
var client = &http.Client{Timeout: 10 * time.Second, Transport: &http.Transport{DisableKeepAlives: true}}

// replica is one process.
type replica struct {
	t      *testing.T
	db     string
	name   string
	url    string
	cmd    *exec.Cmd
	output process.Output
	exited chan struct{} // closed when it has
	status error         // then
}

// start starts a replica and waits until it answers.
func start(t *testing.T, db, name string) *replica {
	t.Helper()
	r := launch(t, db, name)
	r.up()
	return r
}

// launch starts a replica. It is killed at the end of the test.
func launch(t *testing.T, db, name string) *replica {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr := listener.Addr().String()
	listener.Close()
	r := &replica{t: t, db: db, name: name, url: "http://" + addr, exited: make(chan struct{})}
	r.cmd = exec.Command(binary, "-addr", addr, "-db", db, "-instance", name)
	r.cmd.Stdout, r.cmd.Stderr = &r.output, &r.output
	if err := r.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		defer close(r.exited)
		r.status = r.cmd.Wait()
	}()
	t.Cleanup(func() {
		r.signal(syscall.SIGKILL)
		<-r.exited
		if t.Failed() {
			t.Logf("the output of %s ends:\n%s", name, tail(r.output.String()))
		}
	})
	return r
}

func tail(s string) string { return s[max(0, len(s)-4000):] }

func (r *replica) up() {
	r.t.Helper()
	await(r.t, r.name+" answers", func() bool { return r.try(http.MethodGet, "/healthz", "", nil) })
}

func (r *replica) signal(s syscall.Signal) { _ = r.cmd.Process.Signal(s) } // an error: it has exited

func (r *replica) kill() {
	r.signal(syscall.SIGKILL)
	<-r.exited
}

// stop ends the replica as its platform does.
func (r *replica) stop() {
	r.t.Helper()
	r.signal(syscall.SIGTERM)
	select {
	case <-r.exited:
	case <-time.After(patience):
		r.t.Fatalf("%s does not stop", r.name)
	}
	if r.status != nil {
		r.t.Errorf("%s exits with %v", r.name, r.status)
	}
}

func await(t *testing.T, what string, holds func() bool) {
	t.Helper()
	for end := time.Now().Add(patience); !holds(); time.Sleep(50 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("%s: not in %v", what, patience)
		}
	}
}

// try sends a request, reads the answer into out unless that is nil, and reports whether it was answered well.
func (r *replica) try(method, path, body string, out any) bool {
	req, err := http.NewRequest(method, r.url+path, strings.NewReader(body))
	if err != nil {
		return false
	}
	resp, err := client.Do(req)
	if err != nil {
		return false
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode >= 300 {
		return false
	}
	return out == nil || json.Unmarshal(text, out) == nil
}

// get asks until there is an answer.
func (r *replica) get(path string, out any) {
	r.t.Helper()
	await(r.t, "GET "+path, func() bool { return r.try(http.MethodGet, path, "", out) })
}

// job is what the tests read of a job.
type job struct {
	ID, Status, Instance string
	StartedAt            time.Time `json:"started_at"`
	FinishedAt           time.Time `json:"finished_at"`
	Failures             []struct {
		At    time.Time
		Error string
	}
}

func (r *replica) job(id string) (j job) {
	r.t.Helper()
	r.get("/background/jobs/"+id, &j)
	return j
}

// post inserts a job, and gives its ID, or "" if it was not acknowledged.
func (r *replica) post(name string, steps int, step time.Duration) string {
	var j job
	body := fmt.Sprintf(`{"name":%q,"steps":%d,"step_ms":%d}`, name, steps, step.Milliseconds())
	if !r.try(http.MethodPost, "/reports", body, &j) {
		return ""
	}
	return j.ID
}

// report is a row that a job has written at its end.
type report struct {
	Name, Instance string
	Attempt        int
}

// ledger is what was acknowledged, to be compared with what was done.
type ledger struct {
	t     *testing.T
	steps int // of 20 ms, of each job; 0: two
	names []string
	next  int
}

// load inserts jobs by turns for a while, as fast as one client can without being a benchmark.
func (l *ledger) load(d time.Duration, replicas ...*replica) {
	for end := time.Now().Add(d); time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
		l.next++
		name := fmt.Sprintf("r%d", l.next)
		if replicas[l.next%len(replicas)].post(name, cmp.Or(l.steps, 2), 20*time.Millisecond) != "" {
			l.names = append(l.names, name)
		}
	}
}

// settle waits until all that was acknowledged is done, and gives how often each was.
func (l *ledger) settle(r *replica) map[string]int {
	l.t.Helper()
	var done map[string]int
	missing := 0
	for end := time.Now().Add(patience); ; time.Sleep(time.Second) {
		var reports []report
		r.get("/reports", &reports)
		done = make(map[string]int)
		for _, row := range reports {
			done[row.Name]++
		}
		missing = 0
		for _, name := range l.names {
			if done[name] == 0 {
				missing++
			}
		}
		if missing == 0 {
			break
		}
		if time.Now().After(end) {
			l.t.Fatalf("of %d jobs that were acknowledged %d are not done", len(l.names), missing)
		}
	}
	twice := 0
	for _, n := range done {
		if n > 1 {
			twice++
		}
	}
	l.t.Logf("%d jobs acknowledged, all done, %d of them more than once", len(l.names), twice)
	return done
}

// once makes it an error if any job was done more than once: for tests in which no replica dies.
func (l *ledger) once(done map[string]int) {
	l.t.Helper()
	for name, n := range done {
		if n > 1 {
			l.t.Errorf("%s was done %d times", name, n)
		}
	}
}
