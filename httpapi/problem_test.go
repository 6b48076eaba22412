package httpapi_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/fxtasks/background/fxtasks"
	"github.com/fxtasks/background/fxtasks/fxtaskstest"
	"github.com/fxtasks/background/httpapi"
)

func TestUnknownResourcesAreProblems(t *testing.T) {
	c := serveNew(t, fxtaskstest.New(t))
	for _, path := range []string{"/nowhere", "/tasks/", "/tasks/a/b", "/stats/", "/events/1", "/livez/", "/openapi.yaml", "/assets/",
		"/assets/nothing.js", "/assets/a/b", "/%2F", "/task%73", "/Tasks", "/index.html", "/assets/index.html", "/assets/..%2Fpage.go"} {
		for _, method := range []string{"GET", "DELETE", "POST"} {
			if p := c.do(method, path, ""); method == "GET" || p.status != http.StatusMethodNotAllowed {
				p.wantProblem(http.StatusNotFound)
			}
		}
	}
}

func TestOtherMethodsAreProblems(t *testing.T) {
	c := serveNew(t, fxtaskstest.New(t))
	for path, allow := range map[string]string{
		"/": "GET, HEAD", "/tasks": "GET, HEAD", "/tasks/7": "DELETE, GET, HEAD", "/stats": "GET, HEAD", "/events": "GET, HEAD",
		"/livez": "GET, HEAD", "/readyz": "GET, HEAD", "/openapi.json": "GET, HEAD", "/assets/x": "GET, HEAD",
	} {
		for _, method := range []string{"POST", "PUT", "PATCH", "OPTIONS", "TRACE", "DELETE", "get", "BREW"} {
			if method == "DELETE" && path == "/tasks/7" {
				continue
			}
			a := c.do(method, path, "", "Origin: https://example.org").wantHeader("Allow", allow)
			a.wantProblem(http.StatusMethodNotAllowed)
		}
	}
}

func TestHeadIsGetWithoutABody(t *testing.T) {
	m := fxtaskstest.New(t)
	c := serveNew(t, m)
	task := finished(t, submit(t, m, "work", nothing))
	for _, path := range []string{"/", "/tasks", pathOf(task), "/stats", "/livez", "/readyz", "/openapi.json", "/tasks/unknown", "/tasks?page_size=0"} {
		get, head := c.get(path), c.do("HEAD", path, "")
		head.want(get.status).wantHeader("Content-Type", get.header.Get("Content-Type"))
		if len(head.body) > 0 || len(get.body) == 0 {
			t.Errorf("%s: HEAD gives %q, GET %q", path, head.body, get.body)
		}
	}
	c.do("HEAD", "/events", "").want(http.StatusOK).wantHeader("Content-Type", "text/event-stream")
}

func TestRefusalOf(t *testing.T) {
	wrapped := func(err error) error { return fmt.Errorf("reports: %w", err) }
	for _, test := range []struct {
		err    error
		status int
		retry  bool
	}{
		{fxtasks.ErrInvalid, http.StatusBadRequest, false},
		{fxtasks.ErrNotFound, http.StatusNotFound, false},
		{fxtasks.ErrDuplicateID, http.StatusConflict, false},
		{fxtasks.ErrFinished, http.StatusConflict, false},
		{fxtasks.ErrStillRunning, http.StatusConflict, false},
		{fxtasks.ErrQueueFull, http.StatusTooManyRequests, true},
		{fxtasks.ErrShuttingDown, http.StatusServiceUnavailable, true},
		{context.Canceled, http.StatusServiceUnavailable, true},
		{context.DeadlineExceeded, http.StatusServiceUnavailable, true},
		{errors.New("dial tcp 10.0.0.7: refused"), http.StatusInternalServerError, false},
	} {
		for _, err := range []error{test.err, wrapped(test.err), wrapped(wrapped(test.err))} {
			got := httpapi.RefusalOf(err)
			if got.Status != test.status || (got.RetryAfter > 0) != test.retry {
				t.Errorf("%v is %+v", err, got)
			}
			if (got.Detail == "") != (test.status == http.StatusInternalServerError) {
				t.Errorf("%v has the detail %q", err, got.Detail)
			}
			if test.status != http.StatusBadRequest && strings.Contains(got.Detail, "reports") {
				t.Errorf("%v tells of %q", err, got.Detail)
			}
		}
	}
}
