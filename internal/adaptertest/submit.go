package adaptertest

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"go.uber.org/fx"

	"github.com/fxtasks/background/fxtasks"
)

func submit(t *testing.T, v Version) {
	for _, prefix := range []string{"", "/ops/tasks"} {
		a := start(t, v, Config{API: open, Prefix: prefix})
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

func submitToAGroup(t *testing.T, v Version) {
	a := start(t, v, Config{API: open})
	group, err := a.tasks.Group("reports", fxtasks.GroupConfig{})
	if err != nil {
		t.Fatal(err)
	}
	a.echo.Add("POST", "/reports", func(c Context) error { return a.adapter.Submit(c, group, "build-report", nothing) })
	a.do("POST", "/reports").want(http.StatusAccepted, `"group":"reports"`)
}

func accepted(t *testing.T, v Version) {
	a := start(t, v, Config{API: open})
	a.echo.Add("POST", "/reports", func(c Context) error {
		r, err := fxtasks.SubmitResult(c.Request().Context(), a.tasks, "sum", func(context.Context) (int, error) { return 1, nil })
		if err != nil {
			return v.HTTPError(err)
		}
		return a.adapter.Accepted(c, r.Task)
	})
	location := a.do("POST", "/reports").want(http.StatusAccepted).header.Get("Location")
	a.do("GET", location).want(http.StatusOK, `"name":"sum"`)
	a.do("POST", "/reports", "Prefer: wait=20").want(http.StatusOK, `"status":"completed"`)
}

func preferWait(t *testing.T, v Version) {
	a := start(t, v, Config{API: open})
	a.submits("/good", nothing)
	a.submits("/bad", func(context.Context) error { return errors.New("no paper") })
	a.submits("/endless", untilCancelled)
	a.do("POST", "/good", "Prefer: wait=20").want(http.StatusOK, `"status":"completed"`).
		wantHeader("Preference-Applied", "wait=20").wantHeader("Retry-After", "")
	a.do("POST", "/bad", "Prefer: wait=86400").want(http.StatusOK, `"status":"failed"`, `"message":"no paper"`).
		wantHeader("Preference-Applied", "wait=30")
	a.do("POST", "/endless", "Prefer: wait=0").want(http.StatusAccepted, `"done":false`).wantHeader("Preference-Applied", "")
}

func location(t *testing.T, v Version) {
	a := start(t, v, Config{API: open, Location: func(c Context, id string) string {
		if c.Request().URL.Path == "/internal" {
			return ""
		}
		return "/orders/" + id + "?of=" + c.Request().Header.Get("User")
	}})
	a.submits("/reports", nothing, fxtasks.WithID("7"), fxtasks.WithDuplicate(fxtasks.Join))
	a.submits("/internal", nothing, fxtasks.WithID("7"), fxtasks.WithDuplicate(fxtasks.Join))
	a.do("POST", "/reports", "User: ann").want(http.StatusAccepted, `"id":"7"`).wantHeader("Location", "/orders/7?of=ann")
	a.do("POST", "/reports", "User: ann", "Prefer: wait=20").want(http.StatusOK).wantHeader("Location", "/orders/7?of=ann")
	a.do("POST", "/internal").want(http.StatusAccepted).wantHeader("Location", "/background/tasks/7")
}

// rendered makes the application's own error handler tell what it gets.
func rendered(v Version, e Echo) {
	e.OnError(func(c Context, err error) {
		code, message, direct := v.Status(err)
		if !direct {
			code, message = http.StatusInternalServerError, fmt.Sprintf("not an *echo.HTTPError but a %T", err)
		}
		_ = c.String(code, "rendered by the application: "+message)
	})
}

func refusals(t *testing.T, v Version) {
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
			a := start(t, v, Config{API: open}, fx.Supply(fxtasks.Config{MaxRunning: 1, MaxPending: 1}))
			rendered(v, a.echo)
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

func blockingSubmit(t *testing.T, v Version) {
	a := start(t, v, Config{API: open}, fx.Supply(fxtasks.Config{MaxRunning: 1, MaxPending: -1}))
	if _, err := a.tasks.Submit(t.Context(), "work", untilCancelled); err != nil {
		t.Fatal(err)
	}
	begun, got := make(chan struct{}), make(chan error, 1)
	a.echo.Add("POST", "/reports", func(c Context) error {
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
	if code, _, direct := v.Status(<-got); !direct || code != http.StatusServiceUnavailable {
		t.Errorf("the handler got a %d", code)
	}
}

func blockingOutlivesTimeouts(t *testing.T, v Version) {
	const timeout = 100 * time.Millisecond
	for name, http2 := range map[string]bool{"HTTP/1.1": false, "HTTP/2": true} {
		t.Run(name, func(t *testing.T) {
			a := start(t, v, Config{API: open}, fx.Supply(fxtasks.Config{MaxRunning: 1, MaxPending: -1}))
			server := httptest.NewUnstartedServer(a.echo)
			server.Config.WriteTimeout, server.EnableHTTP2 = timeout, http2
			server.StartTLS()
			defer server.Close()
			a.url, a.http = server.URL, server.Client()
			a.submits("/reports", nothing, fxtasks.WithBlocking())
			for _, want := range []int{http.StatusAccepted, http.StatusServiceUnavailable} {
				work, err := a.tasks.Submit(t.Context(), "work", untilCancelled, fxtasks.WithBlocking())
				if err != nil {
					t.Fatal(err)
				}
				time.AfterFunc(3*timeout, func() { // the server's timeout is real time
					if want == http.StatusAccepted {
						work.Cancel(nil)
					} else if _, err := a.tasks.Shutdown(context.Background()); err != nil {
						t.Error(err)
					}
				})
				a.do("POST", "/reports").want(want)
			}
		})
	}
}

func idempotencyKeys(t *testing.T, v Version) {
	byUser := func(c Context) string { return c.Request().Header.Get("User") }
	for name, test := range map[string]struct {
		caller func(Context) string
		joined bool // by another user
	}{"one caller": {nil, true}, "callers": {byUser, false}} {
		t.Run(name, func(t *testing.T) {
			a := start(t, v, Config{API: open, Caller: test.caller})
			a.submits("/reports", untilCancelled)
			a.echo.Add("POST", "/imports", func(c Context) error { return a.adapter.Submit(c, a.tasks, "import", untilCancelled) })
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

func chosenID(t *testing.T, v Version) {
	a := start(t, v, Config{API: open})
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
