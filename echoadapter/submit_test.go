package echoadapter_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/labstack/echo/v4"
	"go.uber.org/fx"

	"github.com/fxtasks/background/echoadapter"
	"github.com/fxtasks/background/fxtasks"
)

// idOf gives the ID of the task that is the answer's body.
func (a answer) idOf() string {
	a.t.Helper()
	var body struct{ ID string }
	if err := json.Unmarshal([]byte(a.body), &body); err != nil || body.ID == "" {
		a.t.Fatalf("%s: %d %s (%v) is no task", a.request, a.status, a.body, err)
	}
	return body.ID
}

// submits adds a route that submits fn.
func (a *app) submits(path string, fn fxtasks.Func, opts ...fxtasks.TaskOption) {
	a.echo.POST(path, func(c echo.Context) error { return a.adapter.Submit(c, a.tasks, "build-report", fn, opts...) })
}

func TestSubmit(t *testing.T) {
	for _, prefix := range []string{"", "/ops/tasks"} {
		a := start(t, echoadapter.Config{API: open, Prefix: prefix})
		a.submits("/reports", untilCancelled, fxtasks.WithID("a/b c"))
		r := a.do("POST", "/reports").want(http.StatusAccepted, `"id":"a/b c"`, `"name":"build-report"`, `"done":false`).
			wantHeader("Retry-After", "1").wantHeader("Content-Type", "application/json").wantHeader("Cache-Control", "no-store")
		location := r.header.Get("Location")
		if !strings.HasSuffix(location, "/tasks/a%2Fb%20c") || !strings.Contains(r.body, `"self":"`+location+`"`) {
			t.Errorf("the location is %q, of %s", location, r.body)
		}
		a.do("GET", location).want(http.StatusOK, `"id":"a/b c"`) // it runs on after its request
		task, _ := a.tasks.Task("a/b c")
		task.Cancel(nil)
	}
}

func TestSubmitToAGroup(t *testing.T) {
	a := start(t, echoadapter.Config{API: open})
	group, err := a.tasks.Group("reports", fxtasks.GroupConfig{})
	if err != nil {
		t.Fatal(err)
	}
	a.echo.POST("/reports", func(c echo.Context) error { return a.adapter.Submit(c, group, "build-report", nothing) })
	a.do("POST", "/reports").want(http.StatusAccepted, `"group":"reports"`)
}

func TestAccepted(t *testing.T) {
	a := start(t, echoadapter.Config{API: open})
	a.echo.POST("/reports", func(c echo.Context) error {
		r, err := fxtasks.SubmitResult(c.Request().Context(), a.tasks, "sum", func(context.Context) (int, error) { return 1, nil })
		if err != nil {
			return echoadapter.HTTPError(err)
		}
		return a.adapter.Accepted(c, r.Task)
	})
	location := a.do("POST", "/reports").want(http.StatusAccepted).header.Get("Location")
	a.do("GET", location).want(http.StatusOK, `"name":"sum"`)
	a.do("POST", "/reports", "Prefer: wait=20").want(http.StatusOK, `"status":"completed"`)
}

func TestPreferWait(t *testing.T) {
	a := start(t, echoadapter.Config{API: open})
	a.submits("/good", nothing)
	a.submits("/bad", func(context.Context) error { return errors.New("no paper") })
	a.submits("/endless", untilCancelled)
	a.do("POST", "/good", "Prefer: wait=20").want(http.StatusOK, `"status":"completed"`).
		wantHeader("Preference-Applied", "wait=20").wantHeader("Retry-After", "")
	a.do("POST", "/bad", "Prefer: wait=86400").want(http.StatusOK, `"status":"failed"`, `"message":"no paper"`).
		wantHeader("Preference-Applied", "wait=30")
	a.do("POST", "/endless", "Prefer: wait=0").want(http.StatusAccepted, `"done":false`).wantHeader("Preference-Applied", "")
}

// refusing makes the application's own error handler tell what it gets.
func refusing(e *echo.Echo) {
	e.HTTPErrorHandler = func(err error, c echo.Context) {
		he, ok := err.(*echo.HTTPError)
		if !ok {
			he = echo.NewHTTPError(http.StatusInternalServerError, fmt.Sprintf("not an *echo.HTTPError but a %T", err))
		}
		_ = c.String(he.Code, fmt.Sprint("rendered by the application: ", he.Message))
	}
}

func TestRefusalsAreRenderedByTheApplication(t *testing.T) {
	for name, test := range map[string]struct {
		prepare    func(*app)
		opts       []fxtasks.TaskOption
		headers    []string
		status     int
		retryAfter string
	}{
		"invalid":   {opts: []fxtasks.TaskOption{fxtasks.WithTimeout(-1)}, status: http.StatusBadRequest},
		"duplicate": {opts: []fxtasks.TaskOption{fxtasks.WithID("blocker")}, status: http.StatusConflict},
		"key":       {headers: []string{"Idempotency-Key: " + strings.Repeat("k", 256)}, status: http.StatusBadRequest},
		"full": {prepare: func(a *app) {
			if _, err := a.tasks.Submit(context.Background(), "work", untilCancelled); err != nil {
				a.t.Fatal(err)
			}
		}, status: http.StatusTooManyRequests, retryAfter: "1"},
		"stopped": {prepare: func(a *app) {
			if _, err := a.tasks.Shutdown(context.Background()); err != nil {
				a.t.Fatal(err)
			}
		}, status: http.StatusServiceUnavailable, retryAfter: "1"},
	} {
		t.Run(name, func(t *testing.T) {
			a := start(t, echoadapter.Config{API: open}, fx.Supply(fxtasks.Config{MaxRunning: 1, MaxPending: 1}))
			refusing(a.echo)
			a.submits("/reports", nothing, test.opts...)
			if _, err := a.tasks.Submit(t.Context(), "work", untilCancelled, fxtasks.WithID("blocker")); err != nil {
				t.Fatal(err)
			}
			if test.prepare != nil {
				test.prepare(a)
			}
			submitted := a.tasks.Stats().Submitted
			a.do("POST", "/reports", test.headers...).want(test.status, "rendered by the application: ").
				wantHeader("Retry-After", test.retryAfter).wantHeader("Location", "")
			if n := a.tasks.Stats().Submitted; n != submitted {
				t.Errorf("%d tasks were submitted all the same", n-submitted)
			}
		})
	}
}

func TestABlockingSubmitEndsWithItsClient(t *testing.T) {
	a := start(t, echoadapter.Config{API: open}, fx.Supply(fxtasks.Config{MaxRunning: 1, MaxPending: -1}))
	if _, err := a.tasks.Submit(t.Context(), "work", untilCancelled); err != nil {
		t.Fatal(err)
	}
	begun, got := make(chan struct{}), make(chan error, 1)
	a.echo.POST("/reports", func(c echo.Context) error {
		close(begun)
		err := a.adapter.Submit(c, a.tasks, "build-report", nothing, fxtasks.WithBlocking())
		got <- err
		return err
	})
	ctx, cancel := context.WithCancel(t.Context())
	req, err := http.NewRequestWithContext(ctx, "POST", a.url+"/reports", nil)
	if err != nil {
		t.Fatal(err)
	}
	go func() { <-begun; cancel() }()
	if r, err := a.http.Do(req); err == nil {
		_ = r.Body.Close()
		t.Errorf("the answer is %s", r.Status)
	}
	if he, ok := (<-got).(*echo.HTTPError); !ok || he.Code != http.StatusServiceUnavailable {
		t.Errorf("the handler got %v", he)
	}
}

func TestIdempotencyKeys(t *testing.T) {
	byUser := func(c echo.Context) string { return c.Request().Header.Get("User") }
	for name, test := range map[string]struct {
		caller func(echo.Context) string
		joined bool // by another user
	}{"one caller": {nil, true}, "callers": {byUser, false}} {
		t.Run(name, func(t *testing.T) {
			a := start(t, echoadapter.Config{API: open, Caller: test.caller})
			a.submits("/reports", untilCancelled)
			a.echo.POST("/imports", func(c echo.Context) error { return a.adapter.Submit(c, a.tasks, "import", untilCancelled) })
			ask := func(path, user, key string) string {
				t.Helper()
				r := a.do("POST", path, "User: "+user, "Idempotency-Key: "+key).want(http.StatusAccepted)
				a.do("GET", r.header.Get("Location")).want(http.StatusOK, r.idOf())
				return r.idOf()
			}
			first := ask("/reports", "ann", "k")
			if ask("/reports", "ann", "k") != first {
				t.Error("the same key started another task")
			}
			if joined := ask("/reports", "bob", "k") == first; joined != test.joined {
				t.Errorf("another user's request joined: %t", joined)
			}
			if ask("/reports", "ann", "K") == first || ask("/imports", "ann", "k") == first {
				t.Error("another key, or another name, joined")
			}
			if r := a.do("POST", "/reports", "User: ann").want(http.StatusAccepted); r.idOf() == first {
				t.Error("without a key it joined")
			}
		})
	}
}

func TestAChosenIDHasTheSayOverTheKey(t *testing.T) {
	a := start(t, echoadapter.Config{API: open})
	a.submits("/reports", untilCancelled, fxtasks.WithID("nightly"))
	for range 2 {
		if id := a.do("POST", "/reports", "Idempotency-Key: k").want(http.StatusAccepted).idOf(); id != "nightly" {
			t.Errorf("the task is %s", id)
		}
	}
	a.do("POST", "/reports").want(http.StatusConflict)
	if n := a.tasks.Stats().Submitted; n != 1 {
		t.Errorf("%d tasks", n)
	}
}
