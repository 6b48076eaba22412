//go:build unix

package main

import (
	"bytes"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/fxtasks/background/internal/pgtest"
	"github.com/fxtasks/background/internal/process"
)

// binary is the program, built once for all tests.
var binary string

func TestMain(m *testing.M) { process.Main(m, &binary, "..", "./durable", pgtest.Stop) }

const patience = time.Minute

// program is one replica.
type program struct {
	t   *testing.T
	cmd *exec.Cmd
	url string
}

func run(t *testing.T, db, instance string) *program {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr := listener.Addr().String()
	listener.Close()
	p := &program{t: t, cmd: exec.Command(binary, "-addr", addr, "-db", db, "-instance", instance), url: "http://" + addr}
	var output bytes.Buffer // read only when it has exited
	p.cmd.Stdout, p.cmd.Stderr = &output, &output
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = p.cmd.Process.Kill() // an error: it has exited
		_ = p.cmd.Wait()
		if t.Failed() {
			t.Logf("the output of %s:\n%s", instance, output.String())
		}
	})
	await(t, "healthy", func() bool {
		resp, err := http.Get(p.url + "/healthz")
		if err != nil {
			return false
		}
		resp.Body.Close()
		return resp.StatusCode == http.StatusOK
	})
	return p
}

func await(t *testing.T, what string, holds func() bool) {
	t.Helper()
	for end := time.Now().Add(patience); !holds(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("%s: not in %v", what, patience)
		}
	}
}

// do sends a request and reads the answer's JSON into out.
func (p *program) do(method, path, body string, out any) *http.Response {
	p.t.Helper()
	req, err := http.NewRequest(method, p.url+path, strings.NewReader(body))
	if err != nil {
		p.t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		p.t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		p.t.Fatal(err)
	}
	if err := json.Unmarshal(text, out); err != nil {
		p.t.Fatalf("%s %s: %d %s", method, path, resp.StatusCode, text)
	}
	return resp
}

// job is what the tests read of a job.
type job struct {
	ID, Status, Instance string
	Done                 bool
	Progress             struct{ Current, Total int64 }
	Failures             []struct{ Error string }
}

func (p *program) job(location string) (j job) {
	p.t.Helper()
	p.do(http.MethodGet, location, "", &j)
	return j
}

func (p *program) built(name string) (n int) {
	p.t.Helper()
	var reports []Report
	p.do(http.MethodGet, "/reports", "", &reports)
	for _, r := range reports {
		if r.Name == name {
			n++
		}
	}
	return n
}

func onBoth(t *testing.T, test func(t *testing.T, db string)) {
	t.Run("sqlite", func(t *testing.T) { t.Parallel(); test(t, "sqlite:"+filepath.Join(t.TempDir(), "jobs.db")) })
	t.Run("postgres", func(t *testing.T) { t.Parallel(); test(t, pgtest.Shared(t).Database(t)) })
}

func TestAReportIsBuilt(t *testing.T) {
	onBoth(t, func(t *testing.T, db string) {
		p := run(t, db, "a")
		var j job
		resp := p.do(http.MethodPost, "/reports", `{"name":"x","steps":3,"step_ms":10,"fail_times":1}`, &j)
		location := resp.Header.Get("Location")
		if resp.StatusCode != http.StatusAccepted || location != "/background/jobs/"+j.ID {
			t.Fatalf("POST: %d, Location %q, job %+v", resp.StatusCode, location, j)
		}
		await(t, "built", func() bool { return p.job(location).Done })
		await(t, "progress", func() bool { return p.job(location).Progress.Current == 3 })
		if j = p.job(location); j.Status != "completed" || j.Instance != "a" || len(j.Failures) != 1 || p.built("x") != 1 {
			t.Errorf("the job is %+v", j)
		}
	})
}

func TestABatchIsAllOrNothing(t *testing.T) {
	onBoth(t, func(t *testing.T, db string) {
		p := run(t, db, "a")
		var batch struct{ IDs []int64 }
		if p.do(http.MethodPost, "/reports/batch", `{"count":5,"name":"no","rollback":true}`, &batch); batch.IDs == nil || len(batch.IDs) != 0 {
			t.Errorf("the batch that is rolled back gives %v", batch.IDs)
		}
		if p.do(http.MethodPost, "/reports/batch", `{"count":5,"name":"yes","steps":0}`, &batch); len(batch.IDs) != 5 {
			t.Errorf("the batch gives %v", batch.IDs)
		}
		await(t, "built", func() bool { return p.built("yes") == 5 })
		if n := p.built("no"); n != 0 {
			t.Errorf("%d reports of the batch that was rolled back", n)
		}
	})
}

func TestAReportOutlivesTheProcess(t *testing.T) {
	onBoth(t, func(t *testing.T, db string) {
		a := run(t, db, "a")
		var j job
		location := a.do(http.MethodPost, "/reports", `{"name":"x","steps":30,"step_ms":100}`, &j).Header.Get("Location")
		await(t, "running", func() bool { return a.job(location).Status == "running" })
		if err := a.cmd.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		b := run(t, db, "b")
		await(t, "built elsewhere", func() bool { return b.job(location).Done })
		if j = b.job(location); j.Status != "completed" || j.Instance != "b" || len(j.Failures) != 1 || b.built("x") != 1 {
			t.Errorf("the job is %+v", j)
		}
	})
}

func TestADeployGivesJobsToTheNextReplica(t *testing.T) {
	onBoth(t, func(t *testing.T, db string) {
		a := run(t, db, "a")
		var j job
		location := a.do(http.MethodPost, "/reports", `{"name":"x","steps":40,"step_ms":100}`, &j).Header.Get("Location")
		await(t, "running", func() bool { return a.job(location).Status == "running" })
		b := run(t, db, "b")
		if err := a.cmd.Process.Signal(syscall.SIGTERM); err != nil {
			t.Fatal(err)
		}
		if err := a.cmd.Wait(); err != nil {
			t.Errorf("on SIGTERM the program exits with %v", err)
		}
		await(t, "built elsewhere", func() bool { return b.job(location).Done })
		if j = b.job(location); j.Status != "completed" || j.Instance != "b" || len(j.Failures) != 0 {
			t.Errorf("the job is %+v", j)
		}
	})
}

func TestTicksAreOnTheClock(t *testing.T) {
	p := run(t, "sqlite:"+filepath.Join(t.TempDir(), "jobs.db"), "a")
	var ticks []TickRow
	await(t, "a tick", func() bool { p.do(http.MethodGet, "/ticks", "", &ticks); return len(ticks) > 0 })
	if at := ticks[0].At; !at.Equal(at.Truncate(tickPeriod)) || ticks[0].Instance != "a" {
		t.Errorf("the tick is %+v", ticks[0])
	}
}

func TestABadReportIsRefused(t *testing.T) {
	p := run(t, "sqlite:"+filepath.Join(t.TempDir(), "jobs.db"), "a")
	for _, body := range []string{`{"steps":-1}`, `{"step_ms":-1}`, `{"fail_times":-1}`, `{`} {
		var answer struct{ Message string }
		if resp := p.do(http.MethodPost, "/reports", body, &answer); resp.StatusCode != http.StatusBadRequest {
			t.Errorf("%s: %d", body, resp.StatusCode)
		}
	}
}
