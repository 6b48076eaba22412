// Package openapi_test holds the answers of a running API against the OpenAPI document that it
// serves: every route and every status code, with tasks in every state.
package openapi_test

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/fxtasks/background/fxtasks"
	"github.com/fxtasks/background/fxtasks/fxtaskstest"
	"github.com/fxtasks/background/httpapi"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestEveryAnswerIsAsDocumented(t *testing.T) {
	seen := make(map[answer]bool)
	for name, test := range map[string]func(*testing.T, *fxtasks.Manager, map[answer]bool){
		"tasks":   checkTasks,
		"lists":   checkLists,
		"cancels": checkCancels,
		"refused": checkRefused,
		"streams": checkStreams,
		"drained": checkDrained,
		"others":  checkOthers,
		"jobs":    checkJobs,
		"again":   checkSchedules,
		"unknown": checkUnauthenticated,
		"hosts":   checkHosts,
	} {
		t.Run(name, func(t *testing.T) {
			m := fxtaskstest.NewWithConfig(t, fxtasks.Config{MaxRunning: 20})
			t.Cleanup(func() { _ = m.CancelAll(context.Background(), nil) })
			test(t, m, seen)
		})
	}
	documented := newChecker(t, fxtaskstest.New(t), open, seen).documented()
	for _, a := range documented {
		asset := a == answer{"GET", "/assets/{name}", http.StatusOK}       // which ones there are is the page's business
		if !asset && a.status != http.StatusMethodNotAllowed && !seen[a] { // an answer to GET it cannot be; see checkOthers
			t.Errorf("%v is documented and was never answered", a)
		}
	}
}

var open = httpapi.Config{AllowUnauthenticated: true}

var errReport = errors.New("no paper")

// submitAll gives tasks in every state that there is, by ID.
func submitAll(t *testing.T, m *fxtasks.Manager) []string {
	t.Helper()
	group, err := m.Group("reports", fxtasks.GroupConfig{MaxRunning: 1})
	if err != nil {
		t.Fatal(err)
	}
	waits := func(ctx context.Context) error { <-ctx.Done(); return context.Cause(ctx) }
	reports := func(p fxtasks.Progress) fxtasks.Func {
		return func(ctx context.Context) error {
			fxtasks.ReportProgress(ctx, p)
			return waits(ctx)
		}
	}
	release := make(chan struct{})
	t.Cleanup(func() { close(release) })
	var ids []string
	submit := func(id string, s fxtasks.Submitter, want fxtasks.Status, fn fxtasks.Func, opts ...fxtasks.TaskOption) *fxtasks.Task {
		task, err := s.Submit(context.Background(), "build-report", fn, append(opts, fxtasks.WithID(id))...)
		if err != nil {
			t.Fatal(err)
		}
		fxtaskstest.WaitForStatus(t, m, task, want)
		ids = append(ids, id)
		return task
	}
	submit("running", group, fxtasks.Running, waits, fxtasks.WithMetadata(map[string]string{"customer": "7", "": ""}))
	submit("pending", group, fxtasks.Pending, waits, fxtasks.WithTimeout(time.Hour))
	submit("deadline", m, fxtasks.Running, waits, fxtasks.WithTimeout(time.Hour))
	submit("a/b c%20\"ü?#", m, fxtasks.Running, waits)
	submit("progress", m, fxtasks.Running, reports(fxtasks.Progress{Current: 1, Total: 3, Unit: "pages", Message: "rendering"}))
	submit("beyond", m, fxtasks.Running, reports(fxtasks.Progress{Current: 7, Total: 3}))
	submit("unknown total", m, fxtasks.Running, reports(fxtasks.Progress{Current: -1}))
	submit("cancelling", m, fxtasks.Running, func(context.Context) error { <-release; return nil }).Cancel(errReport)
	submit("completed", m, fxtasks.Completed, func(context.Context) error { return nil })
	submit("failed", m, fxtasks.Failed, func(context.Context) error { return errReport })
	submit("panicked", m, fxtasks.Failed, func(context.Context) error { panic("no paper") })
	submit("goexit", m, fxtasks.Failed, func(context.Context) error { runtime.Goexit(); return nil })
	submit("timed out", m, fxtasks.TimedOut, waits, fxtasks.WithTimeout(time.Nanosecond))
	for _, id := range []string{"cancelled", "cancelled with a cause"} {
		task := submit(id, m, fxtasks.Running, waits)
		if task.Cancel(nil); task.Wait(t.Context()) == nil {
			t.Fatal("the cancelled task completed")
		}
	}
	submit("never started", group, fxtasks.Pending, waits).Cancel(errReport)
	return ids
}

func checkTasks(t *testing.T, m *fxtasks.Manager, seen map[answer]bool) {
	c := newChecker(t, m, open, seen)
	ids := submitAll(t, m)
	result, err := fxtasks.SubmitResult(t.Context(), m, "count", func(context.Context) (int, error) { return 7, nil }, fxtasks.WithID("result"))
	if err != nil {
		t.Fatal(err)
	}
	<-result.Done()
	for _, id := range append(ids, "result") {
		path := "/tasks/" + url.PathEscape(id)
		r := c.check(t, "GET", path, "", nil, http.StatusOK)
		c.check(t, "GET", path, "", http.Header{"If-None-Match": {r.header.Get("ETag")}}, http.StatusNotModified)
	}
	c.check(t, "GET", "/tasks/unknown", "", nil, http.StatusNotFound)
}

func checkLists(t *testing.T, m *fxtasks.Manager, seen map[answer]bool) {
	c := newChecker(t, m, open, seen)
	c.check(t, "GET", "/tasks", "", nil, http.StatusOK)
	c.check(t, "GET", "/stats", "", nil, http.StatusOK)
	submitAll(t, m)
	c.check(t, "GET", "/stats", "", nil, http.StatusOK)
	c.check(t, "GET", "/history", "", nil, http.StatusOK)
	for _, query := range []string{"", "?status=running&status=failed", "?name=build-report&group=reports", "?metadata.customer=7",
		"?created_after=2020-01-01T00:00:00Z&created_before=2120-01-01T00:00:00.5%2B01:00", "?page_size=5000", "?q=PORT", "?order=oldest", "?order=ended"} {
		c.check(t, "GET", "/tasks"+query, "", nil, http.StatusOK)
	}
	c.check(t, "GET", "/failures", "", nil, http.StatusOK)
	c.check(t, "GET", "/failures?x=1", "", nil, http.StatusBadRequest)
	var first struct {
		NextPageToken string `json:"next_page_token"`
	}
	if err := json.Unmarshal(c.check(t, "GET", "/tasks?page_size=2", "", nil, http.StatusOK).body, &first); err != nil {
		t.Fatal(err)
	}
	c.check(t, "GET", "/tasks?page_size=2&page_token="+first.NextPageToken, "", nil, http.StatusOK)
	c.check(t, "GET", "/tasks?order=oldest&page_token="+first.NextPageToken, "", nil, http.StatusBadRequest)
	for _, query := range []string{"?status=lost", "?page_size=0", "?page_size=many", "?page_token=2", "?created_after=now", "?name=%zz"} {
		c.check(t, "GET", "/tasks"+query, "", nil, http.StatusBadRequest)
	}
}

func checkCancels(t *testing.T, m *fxtasks.Manager, seen map[answer]bool) {
	c := newChecker(t, m, open, seen)
	submitAll(t, m)
	c.check(t, "DELETE", "/tasks/pending", `{"reason": "no longer wanted"}`, nil, http.StatusOK)
	c.check(t, "DELETE", "/tasks/failed", "", nil, http.StatusOK)
	c.check(t, "DELETE", "/tasks/cancelling", "", nil, http.StatusAccepted)
	c.check(t, "DELETE", "/tasks/unknown", "", nil, http.StatusNotFound)
	c.check(t, "DELETE", "/tasks/progress", `{"reason": 1}`, nil, http.StatusBadRequest)
	c.check(t, "DELETE", "/tasks/progress", large, nil, http.StatusRequestEntityTooLarge)
	c.check(t, "DELETE", "/tasks/progress", "", http.Header{"Sec-Fetch-Site": {"cross-site"}}, http.StatusForbidden)
}

func checkRefused(t *testing.T, m *fxtasks.Manager, seen map[answer]bool) {
	submitAll(t, m)
	nothing := newChecker(t, m, httpapi.Config{Jobs: someJobs(), Authorize: func(*http.Request, httpapi.Action, *fxtasks.Info) error {
		return errReport
	}}, seen)
	for _, path := range []string{"/tasks", "/stats", "/history", "/failures", "/events", "/schedules", "/jobs", "/jobs/away"} {
		nothing.check(t, "GET", path, "", nil, http.StatusForbidden)
	}
	nothing.check(t, "GET", "/tasks/running", "", nil, http.StatusNotFound)
	nothing.check(t, "DELETE", "/tasks/running", "", nil, http.StatusNotFound)

	viewer := newChecker(t, m, httpapi.Config{Authorize: func(_ *http.Request, a httpapi.Action, _ *fxtasks.Info) error {
		if a != httpapi.ActionView {
			return errReport
		}
		return nil
	}}, seen)
	viewer.check(t, "GET", "/tasks/panicked", "", nil, http.StatusOK)
	viewer.check(t, "DELETE", "/tasks/running", "", nil, http.StatusForbidden)
	newChecker(t, m, httpapi.Config{AllowUnauthenticated: true, ReadOnly: true}, seen).
		check(t, "DELETE", "/tasks/running", "", nil, http.StatusForbidden)
}

func checkStreams(t *testing.T, m *fxtasks.Manager, seen map[answer]bool) {
	c := newChecker(t, m, httpapi.Config{AllowUnauthenticated: true, MaxStreams: 1}, seen)
	kinds := make(map[string]int)
	stream := c.stream(t, http.Header{"Last-Event-ID": {"another-1"}})
	c.check(t, "GET", "/events", "", nil, http.StatusServiceUnavailable)
	newCheckerBehind(t, m, open, seen, func(h http.Handler) http.Handler { return http.TimeoutHandler(h, time.Minute, "") }).
		check(t, "GET", "/events", "", nil, http.StatusInternalServerError)
	submitAll(t, m)
	for kinds["task"] < 20 || kinds["progress"] == 0 || kinds["stats"] < 2 || kinds["reset"] == 0 {
		event, data := stream.next(t)
		kinds[event]++
		schema, ok := map[string]string{"task": "Task", "progress": "Progress", "stats": "Stats"}[event]
		if (event == "reset" || event == "ping") && data == "{}" {
			continue
		}
		if !ok {
			t.Fatalf("event %q is not documented", event)
		}
		var value any
		if err := json.Unmarshal([]byte(data), &value); err != nil {
			t.Fatal(err)
		}
		if event == "progress" {
			value = value.(map[string]any)["progress"]
		}
		c.checkSchema(t, schema, value)
	}
}

func checkDrained(t *testing.T, m *fxtasks.Manager, seen map[answer]bool) {
	c := newChecker(t, m, open, seen)
	c.check(t, "GET", "/readyz", "", nil, http.StatusOK)
	if _, err := m.Shutdown(t.Context()); err != nil {
		t.Fatal(err)
	}
	c.check(t, "GET", "/readyz", "", nil, http.StatusServiceUnavailable)
	c.check(t, "GET", "/livez", "", nil, http.StatusOK)
	c.check(t, "GET", "/stats", "", nil, http.StatusOK)
	c.check(t, "GET", "/tasks", "", nil, http.StatusOK)
}

func checkOthers(t *testing.T, m *fxtasks.Manager, seen map[answer]bool) {
	c := newChecker(t, m, open, seen)
	c.check(t, "GET", "/", "", nil, http.StatusOK)
	c.check(t, "GET", "/openapi.json", "", nil, http.StatusOK)
	c.check(t, "GET", "/assets/no.js", "", nil, http.StatusNotFound)
	c.check(t, "GET", "/jobs", "", nil, http.StatusNotFound)
	for path, status := range map[string]int{"/nowhere": http.StatusNotFound, "/jobs": http.StatusNotFound} {
		c.checkProblem(t, "GET", path, status)
	}
	for _, path := range c.paths() {
		if strings.HasPrefix(path, "/jobs") { // not without jobs
			continue
		}
		for _, method := range []string{"POST", "PUT", "PATCH", "OPTIONS"} {
			if method == "POST" && strings.HasSuffix(path, "/run") {
				continue
			}
			c.checkProblem(t, method, strings.NewReplacer("{id}", "x", "{name}", "x").Replace(path), http.StatusMethodNotAllowed)
		}
	}
	if len(c.paths()) < 9 || !slices.Contains(c.paths(), "/tasks/{id}") {
		t.Errorf("only %v are documented", c.paths())
	}
}

// large is more than a body may have.
var large = strings.Repeat(" ", 64<<10+1)

// checkUnauthenticated asks as somebody whom the application does not know.
func checkUnauthenticated(t *testing.T, m *fxtasks.Manager, seen map[answer]bool) {
	c := newChecker(t, m, httpapi.Config{Jobs: someJobs(), Authorize: func(*http.Request, httpapi.Action, *fxtasks.Info) error {
		return httpapi.ErrUnauthenticated
	}}, seen)
	for _, request := range []string{"GET /tasks", "GET /tasks/7", "DELETE /tasks/7", "GET /stats", "GET /history", "GET /failures", "GET /events", "GET /schedules", "POST /schedules/x/run",
		"GET /jobs", "GET /jobs/1", "DELETE /jobs/1", "POST /jobs/1/retry", "GET /jobs/away"} {
		method, path, _ := strings.Cut(request, " ")
		c.check(t, method, path, "", nil, http.StatusUnauthorized)
	}
}

func checkSchedules(t *testing.T, m *fxtasks.Manager, seen map[answer]bool) {
	c := newChecker(t, m, open, seen)
	if _, err := m.Schedule("nightly", fxtasks.Every(24*time.Hour), func(ctx context.Context) error { <-ctx.Done(); return context.Cause(ctx) }); err != nil {
		t.Fatal(err)
	}
	c.check(t, "GET", "/schedules", "", nil, http.StatusOK)
	c.check(t, "GET", "/schedules?x=1", "", nil, http.StatusBadRequest)
	c.check(t, "POST", "/schedules/nightly/run", "", http.Header{"Sec-Fetch-Site": {"cross-site"}}, http.StatusForbidden)
	c.check(t, "POST", "/schedules/nightly/run", "", nil, http.StatusAccepted)
	c.check(t, "POST", "/schedules/nightly/run", "", nil, http.StatusConflict)
	c.check(t, "POST", "/schedules/unknown/run", "", nil, http.StatusNotFound)
	c.check(t, "GET", "/schedules", "", nil, http.StatusOK)
}

// checkHosts asks for a host that is not served.
func checkHosts(t *testing.T, m *fxtasks.Manager, seen map[answer]bool) {
	c := newChecker(t, m, httpapi.Config{AllowUnauthenticated: true, Jobs: someJobs(), AllowedHosts: []string{"ops.example.com"}}, seen)
	for _, a := range c.documented() {
		if a.status == http.StatusMisdirectedRequest {
			c.check(t, a.method, strings.NewReplacer("{id}", "x", "{name}", "x").Replace(a.path), "", nil, a.status)
		}
	}
}
