package httpapi_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"

	"github.com/fxtasks/background/fxtasks"
	"github.com/fxtasks/background/fxtasks/fxtaskstest"
	"github.com/fxtasks/background/httpapi"
)

func TestCancelAsksAndDoesNotWait(t *testing.T) {
	m := fxtaskstest.New(t)
	c := serveNew(t, m)
	release := make(chan struct{})
	task := submit(t, m, "work", func(ctx context.Context) error { // takes its time to end
		<-ctx.Done()
		<-release
		return context.Cause(ctx)
	})
	fxtaskstest.WaitForStatus(t, m, task, fxtasks.Running)
	got := c.do("DELETE", pathOf(task), "").want(http.StatusAccepted).wantHeader("Retry-After", "1").task()
	if got.Done || got.Status != "running" || got.Cancel == nil || got.Cancel.Reason == "" || got.Cancel.RequestedAt == "" {
		t.Errorf("the task is %+v", got)
	}
	again := c.do("DELETE", pathOf(task), `{"reason": "another"}`).want(http.StatusAccepted).task()
	if *again.Cancel != *got.Cancel {
		t.Errorf("the second request changed the first, %+v, to %+v", got.Cancel, again.Cancel)
	}
	close(release)
	if err := task.Wait(t.Context()); !errors.Is(err, fxtasks.ErrCancelled) {
		t.Errorf("it ended with %v", err)
	}
}

func TestCancelOfAPendingTaskEndsItAtOnce(t *testing.T) {
	m := fxtaskstest.NewWithConfig(t, fxtasks.Config{MaxRunning: 1})
	submit(t, m, "first", untilCancelled)
	task := submit(t, m, "second", nothing)
	got := serveNew(t, m).do("DELETE", pathOf(task), "").want(http.StatusOK).wantHeader("Retry-After", "").task()
	if !got.Done || got.Status != "cancelled" {
		t.Errorf("the task is %+v", got)
	}
}

func TestCancelOfAnEndedTaskChangesNothing(t *testing.T) {
	m := fxtaskstest.New(t)
	c := serveNew(t, m)
	for name, fn := range map[string]fxtasks.Func{"completed": nothing, "failed": func(context.Context) error { return io.EOF }} {
		task := finished(t, submit(t, m, name, fn))
		before := c.get(pathOf(task)).body
		if got := c.do("DELETE", pathOf(task), `{"reason": "late"}`).want(http.StatusOK).body; string(got) != string(before) {
			t.Errorf("%s became %s", before, got)
		}
		if after := c.get(pathOf(task)).want(http.StatusOK).body; string(after) != string(before) {
			t.Errorf("%s is %s now", before, after)
		}
	}
}

func TestReasons(t *testing.T) {
	m := fxtaskstest.New(t)
	c := serveNew(t, m)
	for body, want := range map[string]string{
		"": fxtasks.ErrCancelled.Error(), " \n": fxtasks.ErrCancelled.Error(), "{}": fxtasks.ErrCancelled.Error(),
		"null": fxtasks.ErrCancelled.Error(), `{"reason":""}`: fxtasks.ErrCancelled.Error(), `{"reason":null}`: fxtasks.ErrCancelled.Error(),
		`{"reason": "no longer wanted"}`: "no longer wanted", `{"reason": "ü \u0000 <b>", "by": "ann"}`: "ü \x00 <b>",
		`{"reason": "` + strings.Repeat("x", 64<<10-14) + `"}`: strings.Repeat("x", 64<<10-14),
	} {
		task := submit(t, m, "work", untilCancelled)
		fxtaskstest.WaitForStatus(t, m, task, fxtasks.Running)
		if a := c.do("DELETE", pathOf(task), body); a.status != http.StatusOK && a.status != http.StatusAccepted {
			t.Errorf("%.40q: %d %s", body, a.status, a.body)
			continue
		}
		err := task.Wait(t.Context())
		if got := c.get(pathOf(task)).task(); got.Cancel == nil || got.Cancel.Reason != want || got.Status != "cancelled" {
			t.Errorf("%.40q gives %+v, want the reason %.40q", body, got.Cancel, want)
		}
		if !errors.Is(err, fxtasks.ErrCancelled) || err.Error() != want {
			t.Errorf("%.40q: the task saw %.40q", body, err)
		}
	}
}

func TestRefusedCancelsChangeNothing(t *testing.T) {
	m := fxtaskstest.New(t)
	deny := func(denied httpapi.Action) httpapi.Config {
		return httpapi.Config{Authorize: func(_ *http.Request, a httpapi.Action, _ *fxtasks.Info) error {
			if a == denied {
				return errors.New("the internal reason")
			}
			return nil
		}}
	}
	for name, test := range map[string]struct {
		cfg     httpapi.Config
		body    string
		headers []string
		status  int
	}{
		"read-only":          {httpapi.Config{AllowUnauthenticated: true, ReadOnly: true}, "", nil, http.StatusForbidden},
		"may not cancel":     {deny(httpapi.ActionCancel), "", nil, http.StatusForbidden},
		"may not view":       {deny(httpapi.ActionView), "", nil, http.StatusNotFound},
		"not JSON":           {open, "reason=x", nil, http.StatusBadRequest},
		"not an object":      {open, `["x"]`, nil, http.StatusBadRequest},
		"reason not text":    {open, `{"reason": 7}`, nil, http.StatusBadRequest},
		"two documents":      {open, `{} {}`, nil, http.StatusBadRequest},
		"cut off":            {open, `{"reason": "x`, nil, http.StatusBadRequest},
		"too large":          {open, strings.Repeat(" ", 64<<10+1), nil, http.StatusRequestEntityTooLarge},
		"too large, JSON":    {open, `{"reason": "` + strings.Repeat("x", 64<<10) + `"}`, nil, http.StatusRequestEntityTooLarge},
		"another site":       {open, "", []string{"Sec-Fetch-Site: cross-site"}, http.StatusForbidden},
		"another subdomain":  {open, "", []string{"Sec-Fetch-Site: same-site"}, http.StatusForbidden},
		"another origin":     {open, "", []string{"Origin: https://example.org"}, http.StatusForbidden},
		"an opaque origin":   {open, "", []string{"Origin: null"}, http.StatusForbidden},
		"not even its place": {open, "/", nil, http.StatusNotFound},
	} {
		t.Run(name, func(t *testing.T) {
			task := submit(t, m, "work", untilCancelled, fxtasks.WithID(name))
			fxtaskstest.WaitForStatus(t, m, task, fxtasks.Running)
			before := task.Info()
			path, body := pathOf(task), test.body
			if body == "/" {
				path, body = path+"/", ""
			}
			p := serve(t, newAPI(t, m, test.cfg)).do("DELETE", path, body, test.headers...).wantProblem(test.status)
			if len(test.headers) == 0 && path == pathOf(task) && p.TaskID != name {
				t.Errorf("the problem is about %q", p.TaskID)
			}
			if strings.Contains(p.Detail, "internal") {
				t.Errorf("the detail is %q", p.Detail)
			}
			if after := task.Info(); fmt.Sprint(after) != fmt.Sprint(before) || !after.CancelRequestedAt.IsZero() {
				t.Errorf("the task went from %+v to %+v", before, after)
			}
		})
	}
}

// endless is a body that never ends, of a length that is not told.
type endless struct{ read int }

func (e *endless) Read(p []byte) (int, error) {
	e.read += len(p)
	return len(p), nil
}

func TestABodyWithoutALengthIsNotReadForEver(t *testing.T) {
	m := fxtaskstest.New(t)
	c := serveNew(t, m)
	task := submit(t, m, "work", untilCancelled)
	req, err := http.NewRequest("DELETE", c.url+pathOf(task), &endless{})
	if err != nil {
		t.Fatal(err)
	}
	c.send(req).wantProblem(http.StatusRequestEntityTooLarge)
}

func TestCancelsFromThePageItselfAndFromProgramsPass(t *testing.T) {
	m := fxtaskstest.New(t)
	c := serveNew(t, m)
	origin := strings.TrimSuffix(c.url, mount)
	for _, headers := range [][]string{nil, {"Sec-Fetch-Site: same-origin", "Origin: " + origin}, {"Sec-Fetch-Site: none"}, {"Origin: " + origin}} {
		task := submit(t, m, "work", untilCancelled)
		c.do("DELETE", pathOf(task), "", headers...)
		if err := task.Wait(t.Context()); !errors.Is(err, fxtasks.ErrCancelled) {
			t.Errorf("with %v: %v", headers, err)
		}
	}
}

func TestEveryCancelIsLogged(t *testing.T) {
	core, logs := observer.New(zapcore.InfoLevel)
	m := fxtaskstest.New(t)
	c := serve(t, newAPI(t, m, httpapi.Config{AllowUnauthenticated: true, Logger: zap.New(core)}))
	task := submit(t, m, "build-report", untilCancelled, fxtasks.WithID("7"))
	c.get("/tasks/7")
	c.do("DELETE", "/tasks/unknown", "")
	if n := logs.Len(); n != 0 {
		t.Fatalf("%d lines before any cancel", n)
	}
	c.do("DELETE", "/tasks/7", `{"reason": "no longer wanted"}`)
	finished(t, task)
	c.do("DELETE", "/tasks/7", "")
	lines := logs.All()
	if len(lines) != 2 {
		t.Fatalf("%d lines of two cancels", len(lines))
	}
	for _, line := range lines {
		fields := line.ContextMap()
		if fields["task_id"] != "7" || fields["task_name"] != "build-report" || !strings.HasPrefix(fmt.Sprint(fields["remote_addr"]), "127.0.0.1:") {
			t.Errorf("the line %q has %v", line.Message, fields)
		}
	}
	if got := lines[0].ContextMap()["reason"]; got != "no longer wanted" {
		t.Errorf("the reason in the log is %v", got)
	}
}

func TestCancelReportsATimeoutThatCameFirst(t *testing.T) {
	m := fxtaskstest.New(t)
	release := make(chan struct{})
	task := submit(t, m, "work", func(ctx context.Context) error { <-release; return context.Cause(ctx) }, fxtasks.WithTimeout(time.Nanosecond))
	for events := m.Subscribe(0); task.Info().CancelRequestedAt.IsZero(); {
		if _, err := events.Next(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	got := serveNew(t, m).do("DELETE", pathOf(task), `{"reason": "late"}`).want(http.StatusAccepted).task()
	if got.Cancel.Reason != fxtasks.ErrTimeout.Error() {
		t.Errorf("the reason is %q", got.Cancel.Reason)
	}
	close(release)
}
