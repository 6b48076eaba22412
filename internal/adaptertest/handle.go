package adaptertest

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"reflect"
	"strings"
	"testing"

	"github.com/fxtasks/background/fxtasks"
)

const jsonBody = "Content-Type: application/json"

func handle(t *testing.T, v Version) {
	a := start(t, v, Config{API: open})
	got := make(chan Report, 2)
	a.echo.Add("POST", "/reports/:year", v.Handle(a.adapter, a.tasks, "build-report", func(_ context.Context, in Report) error {
		got <- in
		return nil
	}, fxtasks.WithMetadata(map[string]string{"kind": "yearly"})))
	a.echo.Add("POST", "/pointers/:year", v.HandlePointer(a.adapter, a.tasks, "build-report", func(_ context.Context, in *Report) error {
		got <- *in
		return nil
	}))
	a.echo.Add("DELETE", "/reports/:year", v.Handle(a.adapter, a.tasks, "drop-report", func(_ context.Context, in Report) error {
		got <- in
		return nil
	}))
	a.send("POST", "/reports/2026", `{"format":"pdf","pages":["a","b"]}`, jsonBody).
		want(http.StatusAccepted, `"name":"build-report"`, `"kind":"yearly"`).wantHeader("Retry-After", "1")
	if in := <-got; !reflect.DeepEqual(in, Report{2026, "pdf", []string{"a", "b"}}) {
		t.Errorf("bound: %+v", in)
	}
	a.send("POST", "/pointers/2025", `{"format":"ps"}`, jsonBody).want(http.StatusAccepted)
	if in := <-got; !reflect.DeepEqual(in, Report{Year: 2025, Format: "ps"}) {
		t.Errorf("bound to a pointer: %+v", in)
	}
	a.do("DELETE", "/reports/1999?format=all", "Prefer: wait=20").want(http.StatusOK, `"name":"drop-report"`, `"status":"completed"`)
	if in := <-got; !reflect.DeepEqual(in, Report{Year: 1999, Format: "all"}) {
		t.Errorf("bound from the query: %+v", in)
	}
}

func handleRefuses(t *testing.T, v Version) {
	a := start(t, v, Config{API: open})
	ran := func(context.Context, Report) error {
		t.Error("it ran")
		return nil
	}
	a.echo.Add("POST", "/reports/:year", v.Handle(a.adapter, a.tasks, "build-report", ran))
	a.send("POST", "/reports/soon", `{}`, jsonBody).want(http.StatusBadRequest, `"message"`)
	a.send("POST", "/reports/2026", `{"format":`, jsonBody).want(http.StatusBadRequest, `"message"`)
	a.send("POST", "/reports/2026", `{"format":7}`, jsonBody).want(http.StatusBadRequest, `"message"`)
	a.send("POST", "/reports/2026", "x", "Content-Type: text/nonsense").want(http.StatusUnsupportedMediaType, `"message"`)

	a.echo.Validate(func(in any) error {
		report := *in.(*Report)
		switch {
		case report.Format == "gone":
			return v.OwnError(http.StatusGone, "no such format any more")
		case report.Format != "pdf":
			return errors.New("format: must be pdf")
		}
		return nil
	})
	a.send("POST", "/reports/2026", `{"format":"ps"}`, jsonBody).want(http.StatusBadRequest, `{"message":"format: must be pdf"}`)
	a.send("POST", "/reports/2026", `{"format":"gone"}`, jsonBody).want(http.StatusGone, "no such format any more")
	if n := a.tasks.Stats().Submitted; n != 0 {
		t.Errorf("%d tasks were submitted", n)
	}
	a.echo.Add("POST", "/valid/:year", v.Handle(a.adapter, a.tasks, "build-report", func(context.Context, Report) error { return nil }))
	a.send("POST", "/valid/2026", `{"format":"pdf"}`, jsonBody, "Prefer: wait=20").want(http.StatusOK, `"status":"completed"`)
}

func httpErrors(t *testing.T, v Version) {
	for err, code := range map[error]int{
		fxtasks.ErrInvalid:                      http.StatusBadRequest,
		fxtasks.ErrNotFound:                     http.StatusNotFound,
		fxtasks.ErrDuplicateID:                  http.StatusConflict,
		fxtasks.ErrFinished:                     http.StatusConflict,
		fxtasks.ErrStillRunning:                 http.StatusConflict,
		fxtasks.ErrQueueFull:                    http.StatusTooManyRequests,
		fxtasks.ErrShuttingDown:                 http.StatusServiceUnavailable,
		context.Canceled:                        http.StatusServiceUnavailable,
		context.DeadlineExceeded:                http.StatusServiceUnavailable,
		errors.New("dial tcp 10.0.0.7: secret"): http.StatusInternalServerError,
	} {
		for _, err := range []error{err, fmt.Errorf("secret: %w", err), errors.Join(errors.New("secret"), err)} {
			got := v.HTTPError(err)
			gotCode, message, direct := v.Status(got)
			if gotCode != code || !direct || !errors.Is(got, err) || message == "" {
				t.Errorf("%v is %+v, want %d", err, got, code)
			}
			if code != http.StatusBadRequest && strings.Contains(message, "secret") {
				t.Errorf("%v tells %q", err, message)
			}
		}
	}
	if got := v.HTTPError(nil); got != nil {
		t.Errorf("nil is %v", got)
	}
	teapot := v.OwnError(http.StatusTeapot, "short and stout")
	for _, err := range []error{teapot, fmt.Errorf("wrapped: %w", teapot)} {
		if got := v.HTTPError(err); got != teapot {
			t.Errorf("%v is %v", err, got)
		}
	}
}
