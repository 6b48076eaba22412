package httpapi_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fxtasks/background/fxtasks"
	"github.com/fxtasks/background/fxtasks/fxtaskstest"
)

// accepts answers each request with a task that takes so long.
func accepts(t testing.TB, takes time.Duration) http.Handler {
	m := fxtaskstest.New(t)
	api := newAPI(t, m, open)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.ReadAll(r.Body)
		task, err := api.Submit(r, "", m, "work", func(ctx context.Context) error {
			select {
			case <-time.After(takes):
				return nil
			case <-ctx.Done():
				return context.Cause(ctx)
			}
		})
		if err != nil {
			t.Error(err)
			return
		}
		api.Accepted(w, r, mount, task)
	})
}

// A client that gets no answer tries again, and the work runs twice.
func TestTheAnswerArrivesWhateverTheServersTimeouts_go47229(t *testing.T) {
	for name, http2 := range map[string]bool{"HTTP/1.1": false, "HTTP/2": true} {
		t.Run(name, func(t *testing.T) {
			const timeout = 100 * time.Millisecond
			server := httptest.NewUnstartedServer(accepts(t, 3*timeout))
			server.EnableHTTP2 = http2
			server.Config.WriteTimeout, server.Config.ReadTimeout, server.Config.IdleTimeout = timeout, timeout, timeout
			server.StartTLS()
			defer server.Close()
			c := &client{t, server.Client(), server.URL}
			for range 2 { // the second on the same connection, if it is still there
				a := c.do("POST", "/reports", `{"month": 7}`, "Prefer: wait=20").want(http.StatusOK).wantHeader("Preference-Applied", "wait=20")
				if !a.task().Done {
					t.Errorf("the task is %s", a.body)
				}
			}
		})
	}
}

// Middleware may keep the deadline from being lifted, and http.TimeoutHandler answers itself when it has
// passed: then the answer comes before.
func TestTheAnswerArrivesThroughMiddleware_go47229(t *testing.T) {
	const timeout = 400 * time.Millisecond
	for name, wrap := range map[string]func(http.Handler) http.Handler{
		"a writer that hides the server's": func(next http.Handler) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				next.ServeHTTP(struct{ http.ResponseWriter }{w}, r)
			})
		},
		"TimeoutHandler": func(next http.Handler) http.Handler { return http.TimeoutHandler(next, timeout, "too late") },
	} {
		t.Run(name, func(t *testing.T) {
			server := httptest.NewUnstartedServer(wrap(accepts(t, time.Minute)))
			server.Config.WriteTimeout = timeout
			server.Start()
			defer server.Close()
			c := &client{t, server.Client(), server.URL}
			if task := c.do("POST", "/reports", "", "Prefer: wait=20").want(http.StatusAccepted).task(); task.Done {
				t.Error("a task of a minute has ended")
			}
		})
	}
}

func TestTheEndOfAStreamIsClean(t *testing.T) {
	m := fxtaskstest.New(t)
	api := newAPI(t, m, open)
	server := httptest.NewUnstartedServer(mounted(api))
	server.EnableHTTP2 = true
	server.Config.WriteTimeout = time.Minute
	server.StartTLS()
	defer server.Close()
	http2 := &client{t, server.Client(), server.URL + mount}
	type end struct {
		protocol string
		err      error
	}
	ends := make(chan end)
	const streams = 10
	for i := range streams {
		c := []*client{serve(t, api), http2}[i%2]
		r, err := c.http.Get(c.url + "/events")
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = r.Body.Close() }()
		go func() {
			_, err := io.Copy(io.Discard, r.Body) // gives nil for io.EOF
			ends <- end{r.Proto, err}
		}()
	}
	for range 20 {
		submit(t, m, "work", nothing)
	}
	api.CloseStreams()
	for range streams {
		if end := <-ends; end.err != nil {
			t.Errorf("%s: a client that reads gets %v", end.protocol, end.err)
		}
	}
}

// A writer that keeps the response back until it is complete, as http.TimeoutHandler's, can carry no
// stream: one problem, and no panic at each try.
func TestMiddlewareThatCannotFlush_echo2592(t *testing.T) {
	m := fxtaskstest.New(t)
	api := newAPI(t, m, open)
	c := serveHandler(t, api, http.TimeoutHandler(mounted(api), time.Minute, ""), mount)
	c.get("/events").wantProblem(http.StatusInternalServerError)
	c.get("/tasks").want(http.StatusOK)
	claims := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { mounted(api).ServeHTTP(claimsToFlush{w}, r) })
	serveHandler(t, api, http.TimeoutHandler(claims, time.Minute, ""), mount).get("/events").wantProblem(http.StatusInternalServerError)
}

// claimsToFlush is as Echo's Response.
type claimsToFlush struct{ http.ResponseWriter }

func (w claimsToFlush) Unwrap() http.ResponseWriter { return w.ResponseWriter }

func (w claimsToFlush) Flush() {
	if err := http.NewResponseController(w.ResponseWriter).Flush(); errors.Is(err, http.ErrNotSupported) {
		panic("response writer flushing is not supported")
	}
}

func TestEachEndIsToldOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := fxtaskstest.New(t)
		api := newAPI(t, m, open)
		s := stream(t, api)
		for range 10 {
			submit(t, m, "work", nothing) // over before the stream is read
		}
		ended := make(map[string]int)
		for _, e := range s.tasks() {
			if body := e.task(); body.Done {
				ended[body.ID]++
			}
		}
		if len(ended) != 10 {
			t.Errorf("%d tasks have ended, want 10", len(ended))
		}
		for id, n := range ended {
			if n != 1 {
				t.Errorf("the end of %s was told %d times", id, n)
			}
		}
	})
}

func TestIDsWithSlashes_nexuspublic430(t *testing.T) {
	m := fxtaskstest.New(t)
	c := serveNew(t, m)
	for id, paths := range map[string][]string{
		"a/b":         {"/tasks/a/b", "/tasks/a%2Fb", "/tasks/a%2fb"},
		"a/b/c d":     {"/tasks/a/b/c%20d", "/tasks/a%2Fb/c%20d"},
		"a%2Fb":       {"/tasks/a%252Fb"},
		"x/":          {"/tasks/x/", "/tasks/x%2F"},
		"stats":       {"/tasks/stats"},
		"7/retry":     {"/tasks/7/retry"},
		"ü/é?#":       {"/tasks/%C3%BC/%C3%A9%3F%23"},
		"tasks/tasks": {"/tasks/tasks/tasks"},
	} {
		for _, path := range paths {
			task := submit(t, m, "work", untilCancelled, fxtasks.WithID(id))
			if got := c.get(path).want(http.StatusOK).task().ID; got != id {
				t.Errorf("%s is %q, want %q", path, got, id)
			}
			c.do("DELETE", path, "")
			if err := task.Wait(t.Context()); !errors.Is(err, fxtasks.ErrCancelled) {
				t.Errorf("DELETE %s: the task ended with %v", path, err)
			}
		}
	}
}

func TestMethodsThatRoutersDoNotKnow(t *testing.T) {
	c := serveNew(t, fxtaskstest.New(t))
	for _, method := range []string{"QUERY", "LOCK", "PROPFIND", "FOO", "get"} {
		c.do(method, "/tasks", "").wantHeader("Allow", "GET, HEAD").wantProblem(http.StatusMethodNotAllowed)
		c.do(method, "/tasks/7", "").wantHeader("Allow", "DELETE, GET, HEAD").wantProblem(http.StatusMethodNotAllowed)
	}
}
