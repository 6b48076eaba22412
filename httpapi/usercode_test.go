package httpapi_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"reflect"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"

	"github.com/fxtasks/background/fxtasks"
	"github.com/fxtasks/background/fxtasks/fxtaskstest"
	"github.com/fxtasks/background/httpapi"
)

func TestUnauthenticated(t *testing.T) {
	m := fxtaskstest.New(t)
	task := submit(t, m, "work", untilCancelled, fxtasks.WithID("a"))
	for name, err := range map[string]error{"the error": httpapi.ErrUnauthenticated, "wrapped": fmt.Errorf("the internal reason: %w", httpapi.ErrUnauthenticated)} {
		t.Run(name, func(t *testing.T) {
			c := serve(t, newAPI(t, m, httpapi.Config{Authorize: func(*http.Request, httpapi.Action, *fxtasks.Info) error { return err }}))
			for _, request := range []string{"GET /tasks", "GET /stats", "GET /events", "GET /tasks/a", "GET /tasks/unknown", "DELETE /tasks/a", "DELETE /tasks/unknown"} {
				method, path, _ := strings.Cut(request, " ")
				if p := c.do(method, path, "").wantProblem(http.StatusUnauthorized); strings.Contains(p.Detail, "internal") {
					t.Errorf("%s tells %q", request, p.Detail)
				}
			}
			c.get("/livez").want(http.StatusOK)
			c.get("/").want(http.StatusOK)
		})
	}
	onlyView := serve(t, newAPI(t, m, httpapi.Config{Authorize: func(_ *http.Request, a httpapi.Action, _ *fxtasks.Info) error {
		if a == httpapi.ActionCancel {
			return httpapi.ErrUnauthenticated
		}
		return nil
	}}))
	onlyView.do("DELETE", "/tasks/a", "").wantProblem(http.StatusUnauthorized)
	if !task.Info().CancelRequestedAt.IsZero() {
		t.Error("the task was cancelled")
	}
}

func TestTheLoginURLIsOnThePage(t *testing.T) {
	m := fxtaskstest.New(t)
	page := string(serve(t, newAPI(t, m, httpapi.Config{AllowUnauthenticated: true, LoginURL: `/login?next="><b>&x`})).get("/").body)
	if want := `data-login-url="/login?next=&#34;&gt;&lt;b&gt;&amp;x"`; !strings.Contains(page, want) {
		t.Errorf("the page has no %s", want)
	}
	if page := string(serveNew(t, m).get("/").body); strings.Contains(page, "data-login-url") {
		t.Error("the page has a login URL though there is none")
	}
}

func TestWhoCancelled(t *testing.T) {
	core, logs := observer.New(zapcore.InfoLevel)
	m := fxtaskstest.New(t)
	c := serve(t, newAPI(t, m, httpapi.Config{AllowUnauthenticated: true, Logger: zap.New(core),
		Caller: func(r *http.Request) string { return r.Header.Get("X-User") }}))
	for _, test := range []struct{ user, body, reason string }{
		{"ann", `{"reason": "no longer wanted"}`, "no longer wanted"}, {"ann", "", fxtasks.ErrCancelled.Error()}, {"", `{"reason": "x"}`, "x"},
	} {
		task := submit(t, m, "work", untilCancelled)
		fxtaskstest.WaitForStatus(t, m, task, fxtasks.Running)
		c.do("DELETE", pathOf(task), test.body, "X-User: "+test.user)
		if err := task.Wait(t.Context()); !errors.Is(err, fxtasks.ErrCancelled) {
			t.Errorf("the task ended with %v", err)
		}
		if got := c.get(pathOf(task)).task().Cancel; got.By != test.user || got.Reason != test.reason {
			t.Errorf("%+v shows %+v", test, got)
		}
		line := logs.TakeAll()[0].ContextMap()
		if line["caller"] != test.user || line["task_id"] != task.ID() || !strings.HasPrefix(fmt.Sprint(line["remote_addr"]), "127.0.0.1:") {
			t.Errorf("the line has %v", line)
		}
	}
}

func TestLinks(t *testing.T) {
	m := fxtaskstest.New(t)
	task := finished(t, submit(t, m, "work", nothing, fxtasks.WithID("7")))
	c := serve(t, newAPI(t, m, httpapi.Config{AllowUnauthenticated: true, Links: func(task fxtasks.Info) []httpapi.Link {
		return []httpapi.Link{{Text: "trace", URL: "https://traces.example/" + task.ID}, {Text: "log", URL: "../logs?id=" + task.ID}, {Text: "plain", URL: "HTTP://x"},
			{Text: "bad", URL: "javascript:alert(1)"}, {Text: "bad", URL: "java\nscript:alert(1)"}, {Text: "bad", URL: " javascript:alert(1)"},
			{Text: "bad", URL: "data:text/html,x"}, {Text: "bad", URL: "file:///etc/passwd"}, {Text: "bad", URL: ""}, {Text: "", URL: "https://x"}}
	}}))
	want := []httpapi.Link{{Text: "trace", URL: "https://traces.example/7"}, {Text: "log", URL: "../logs?id=7"}, {Text: "plain", URL: "HTTP://x"}}
	if got := c.get(pathOf(task)).task().Links.More; !reflect.DeepEqual(got, want) {
		t.Errorf("the links are %+v", got)
	}
	if got := c.get("/tasks").list().Tasks[0].Links.More; !reflect.DeepEqual(got, want) {
		t.Errorf("the list's links are %+v", got)
	}
}

// What panics in the application's code refuses or shows less. It costs no answer: a client that
// got none would start the work again.
func TestPanicsInTheApplicationsCode(t *testing.T) {
	core, logs := observer.New(zapcore.ErrorLevel)
	m := fxtaskstest.New(t)
	task := submit(t, m, "work", untilCancelled, fxtasks.WithMetadata(map[string]string{"token": "s3cret"}))
	boom := func() { panic(errors.New("boom")) }
	showing := newAPI(t, m, httpapi.Config{AllowUnauthenticated: true, Logger: zap.New(core),
		Redact: func(string, string) string { boom(); return "" },
		Links:  func(fxtasks.Info) []httpapi.Link { boom(); return nil },
		Caller: func(*http.Request) string { boom(); return "" }})
	c := serve(t, showing)
	if got := c.get(pathOf(task)).want(http.StatusOK).task(); got.Metadata["token"] != "(redacted)" || got.Links.More != nil {
		t.Errorf("the task is %+v", got)
	}
	if l := c.get("/tasks?metadata.token=s3cret").list(); len(l.Tasks) > 0 {
		t.Error("metadata that cannot be redacted can be searched for")
	}
	post(t, showing, task).want(http.StatusAccepted)
	c.do("DELETE", pathOf(task), "").wantProblem(http.StatusInternalServerError)
	if !task.Info().CancelRequestedAt.IsZero() {
		t.Error("it is not known who cancelled it")
	}
	if logs.Len() == 0 {
		t.Error("nothing is logged")
	}
	refusing := serve(t, newAPI(t, m, httpapi.Config{Authorize: func(*http.Request, httpapi.Action, *fxtasks.Info) error { boom(); return nil }}))
	refusing.get("/tasks").wantProblem(http.StatusForbidden)
	refusing.get(pathOf(task)).wantProblem(http.StatusNotFound)
}

func TestAPanicOnAStreamFreesItsSlot(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := fxtaskstest.New(t)
		var broken atomic.Bool
		api := newAPI(t, m, httpapi.Config{MaxStreams: 1, Authorize: func(*http.Request, httpapi.Action, *fxtasks.Info) error {
			if broken.Load() {
				panic("boom")
			}
			return nil
		}})
		stream(t, api)
		broken.Store(true)
		time.Sleep(2 * time.Second)
		broken.Store(false)
		if s := stream(t, api); s.status != http.StatusOK {
			t.Errorf("the next stream is answered with %d", s.status)
		}
	})
}

// An authorizer is asked again each second, and what it refuses ends.
func TestAStreamEndsAfterLogout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := fxtaskstest.New(t)
		var out atomic.Bool
		api := newAPI(t, m, httpapi.Config{Authorize: func(*http.Request, httpapi.Action, *fxtasks.Info) error {
			if out.Load() {
				return httpapi.ErrUnauthenticated
			}
			return nil
		}})
		s := servePipe(t, api, func(*http.Server) {}).open().read()
		time.Sleep(time.Minute)
		if _, ended := s.got(); ended {
			t.Fatal("it ended too early")
		}
		out.Store(true)
		before, _ := s.got()
		submit(t, m, "secret", nothing)
		time.Sleep(1100 * time.Millisecond)
		if text, ended := s.got(); !ended || strings.Contains(text, "secret") || text != before {
			t.Errorf("the stream goes on: %t, with %q", !ended, strings.TrimPrefix(text, before))
		}
	})
}

func TestListsLeaveOutWhatIsLarge_bullboard808(t *testing.T) {
	m := fxtaskstest.New(t)
	large := strings.Repeat("ü", 64<<10)
	failed := finished(t, submit(t, m, "work", func(context.Context) error { return errors.New(large) }))
	panicked := finished(t, submit(t, m, "work", func(context.Context) error { panic(large) }))
	cancelled := submit(t, m, "work", untilCancelled)
	cancelled.Cancel(errors.New(large))
	finished(t, cancelled)
	c := serveNew(t, m)
	a := c.get("/tasks").want(http.StatusOK)
	if len(a.body) > 8<<10 {
		t.Errorf("the list has %d bytes", len(a.body))
	}
	for _, listed := range a.list().Tasks {
		if n := len([]rune(listed.Error.Message)); n != 500 || listed.Error.Stack != "" {
			t.Errorf("the message has %d characters", n)
		}
	}
	if got := c.get(pathOf(failed)).task().Error.Message; got != large {
		t.Errorf("alone, the message has %d bytes", len(got))
	}
	if got := c.get(pathOf(panicked)).task().Error; got.Stack == "" {
		t.Error("alone, there is no stack")
	}
	events := serveNew(t, m).stream("Last-Event-ID: x")
	events.next()
	if e := events.next(); strings.Contains(e.data, large) {
		t.Error("an event has all")
	}
}
