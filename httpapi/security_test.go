package httpapi_test

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/fxtasks/background/fxtasks"
	"github.com/fxtasks/background/fxtasks/fxtaskstest"
	"github.com/fxtasks/background/httpapi"
)

var errDenied = errors.New("the internal reason")

// rules is an authorizer that refuses some actions, by "action" and "action id", and remembers
// what it was asked.
type rules struct {
	denied []string

	mu    sync.Mutex // protects asked
	asked []string
}

func (r *rules) authorize(_ *http.Request, a httpapi.Action, task *fxtasks.Info) error {
	question := string(a)
	if task != nil {
		question += " " + task.ID
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.asked = append(r.asked, question)
	if slices.Contains(r.denied, question) {
		return errDenied
	}
	return nil
}

// questions gives what was asked since the last call.
func (r *rules) questions() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	defer func() { r.asked = nil }()
	return r.asked
}

func TestWhatTheAuthorizerIsAsked(t *testing.T) {
	m := fxtaskstest.New(t)
	finished(t, submit(t, m, "work", nothing, fxtasks.WithID("a")))
	finished(t, submit(t, m, "work", func(context.Context) error { panic("no paper") }, fxtasks.WithID("b")))
	r := new(rules)
	c := serve(t, newAPI(t, m, httpapi.Config{Authorize: r.authorize}))
	for request, want := range map[string][]string{
		"GET /livez": nil, "GET /readyz": nil, "GET /openapi.json": nil, "GET /": nil, "GET /assets/none": nil,
		"GET /nowhere": nil, "POST /tasks": nil, "GET /tasks/unknown": {"view"}, "DELETE /tasks/unknown": {"view"},
		"GET /stats":      {"view"},
		"HEAD /events":    {"view"},
		"GET /tasks":      {"view", "view b", "view a"},
		"GET /tasks/a":    {"view a"},
		"GET /tasks/b":    {"view b", "view_stack b"},
		"DELETE /tasks/a": {"view a", "cancel a"},
		"DELETE /tasks/b": {"view b", "cancel b", "view_stack b"},
	} {
		method, path, _ := strings.Cut(request, " ")
		c.do(method, path, "")
		if got := r.questions(); !slices.Equal(got, want) {
			t.Errorf("%s: asked %q, want %q", request, got, want)
		}
	}
}

func TestWhoMayViewNothing(t *testing.T) {
	m := fxtaskstest.New(t)
	task := submit(t, m, "work", untilCancelled, fxtasks.WithID("a"))
	c := serve(t, newAPI(t, m, httpapi.Config{Authorize: (&rules{denied: []string{"view", "view a"}}).authorize}))
	for _, path := range []string{"/tasks", "/tasks?page_size=0", "/stats", "/events"} {
		if p := c.get(path).wantProblem(http.StatusForbidden); strings.Contains(p.Detail, "internal") {
			t.Errorf("%s tells %q", path, p.Detail)
		}
	}
	for _, method := range []string{"GET", "DELETE"} {
		hidden, unknown := c.do(method, "/tasks/a", "").wantProblem(http.StatusNotFound), c.do(method, "/tasks/b", "").wantProblem(http.StatusNotFound)
		if hidden.TaskID = "b"; hidden != unknown {
			t.Errorf("a hidden task is %+v, an unknown one %+v", hidden, unknown)
		}
	}
	if !task.Info().CancelRequestedAt.IsZero() {
		t.Error("the hidden task was cancelled")
	}
	for _, path := range []string{"/", "/livez", "/readyz", "/openapi.json"} {
		c.get(path).want(http.StatusOK)
	}
}

func TestHiddenTasksAreLeftOutOfListsButCounted(t *testing.T) {
	m := fxtaskstest.New(t)
	for _, id := range []string{"a", "b", "c", "d"} {
		finished(t, submit(t, m, "work", nothing, fxtasks.WithID(id)))
	}
	c := serve(t, newAPI(t, m, httpapi.Config{Authorize: (&rules{denied: []string{"view b", "view c"}}).authorize}))
	if l := c.get("/tasks").list(); !slices.Equal(l.ids(), []string{"d", "a"}) || l.TotalSize != 4 {
		t.Errorf("the list is %v of %d", l.ids(), l.TotalSize)
	}
	first := c.get("/tasks?page_size=2").list()
	second := c.get("/tasks?page_size=2&page_token=" + first.NextPageToken).list()
	if !slices.Equal(first.ids(), []string{"d"}) || !slices.Equal(second.ids(), []string{"a"}) || second.NextPageToken != "" {
		t.Errorf("the pages are %v and %v", first.ids(), second.ids())
	}
}

func TestStacksAreForThoseWhoMaySeeThem(t *testing.T) {
	m := fxtaskstest.New(t)
	for _, id := range []string{"a", "b"} {
		finished(t, submit(t, m, "work", func(context.Context) error { panic("no paper") }, fxtasks.WithID(id)))
	}
	c := serve(t, newAPI(t, m, httpapi.Config{Authorize: (&rules{denied: []string{"view_stack a"}}).authorize}))
	for id, want := range map[string]bool{"a": false, "b": true} {
		for _, a := range []answer{c.get("/tasks/" + id), c.do("DELETE", "/tasks/"+id, "")} {
			e := a.want(http.StatusOK).task().Error
			if e.Type != "panic" || !strings.Contains(e.Message, "no paper") || (e.Stack != "") != want {
				t.Errorf("%s: %s", a.request, a.body)
			}
		}
	}
	if list := string(c.get("/tasks").want(http.StatusOK).body); strings.Contains(list, `"stack"`) {
		t.Errorf("the list is %s", list)
	}
}

func TestHeadersOfEveryAnswer(t *testing.T) {
	m := fxtaskstest.New(t)
	c := serveNew(t, m)
	task := finished(t, submit(t, m, "work", nothing))
	for _, request := range []string{"GET /", "GET /assets/none", "GET /tasks", "GET /tasks?page_size=0", "GET " + pathOf(task), "GET /tasks/unknown",
		"DELETE " + pathOf(task), "GET /stats", "HEAD /events", "GET /livez", "GET /readyz", "GET /openapi.json", "GET /nowhere", "POST /tasks"} {
		method, path, _ := strings.Cut(request, " ")
		a := c.do(method, path, "", "Origin: https://example.org").
			wantHeader("X-Content-Type-Options", "nosniff").
			wantHeader("Referrer-Policy", "no-referrer").
			wantHeader("Content-Security-Policy", "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "+
				"connect-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'")
		if !strings.HasPrefix(a.header.Get("Cache-Control"), "no-store") {
			t.Errorf("%s may be cached: %q", request, a.header.Get("Cache-Control"))
		}
		for name := range a.header {
			if strings.HasPrefix(name, "Access-Control-") {
				t.Errorf("%s has the header %s", request, name)
			}
		}
	}
}

func TestTheDocumentIsServedAsIs(t *testing.T) {
	a := serveNew(t, fxtaskstest.New(t)).get("/openapi.json").want(http.StatusOK).wantHeader("Content-Type", "application/json")
	if version, _ := a.members()["openapi"].(string); !strings.HasPrefix(version, "3.1.") {
		t.Errorf("its version is %q", version)
	}
}
