package httpapi_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"testing"

	"github.com/fxtasks/background/fxtasks"
	"github.com/fxtasks/background/httpapi"
)

var open = httpapi.Config{AllowUnauthenticated: true}

func newAPI(t testing.TB, m *fxtasks.Manager, cfg httpapi.Config) *httpapi.API {
	t.Helper()
	api, err := httpapi.New(m, cfg)
	if err != nil {
		t.Fatal(err)
	}
	return api
}

const mount = "/background"

// mounted serves h as its documentation says.
func mounted(h http.Handler) http.Handler {
	mux := http.NewServeMux()
	mux.Handle(mount+"/", http.StripPrefix(mount, h))
	return mux
}

// client asks a server for what is below url.
type client struct {
	t    testing.TB
	http *http.Client
	url  string
}

// serve starts a server with api, and gives a client for it.
func serve(t testing.TB, api *httpapi.API) *client {
	t.Helper()
	return serveHandler(t, api, mounted(api), mount)
}

func serveHandler(t testing.TB, api *httpapi.API, h http.Handler, prefix string) *client {
	t.Helper()
	server := httptest.NewServer(h)
	t.Cleanup(server.Close)
	t.Cleanup(api.CloseStreams) // before that: Close waits for them
	noRedirects := server.Client()
	noRedirects.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return &client{t, noRedirects, server.URL + prefix}
}

// listen starts a server of the test's own, and gives a client for what is mounted.
func listen(t testing.TB, server *http.Server) *client {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		if err := server.Serve(l); !errors.Is(err, http.ErrServerClosed) {
			t.Error(err)
		}
	}()
	transport := new(http.Transport)
	t.Cleanup(func() {
		transport.CloseIdleConnections()
		_ = server.Close()
		<-ended
	})
	return &client{t, &http.Client{Transport: transport}, "http://" + l.Addr().String() + mount}
}

// serveNew is for tests that need but a manager and an API that is open to all.
func serveNew(t testing.TB, m *fxtasks.Manager) *client {
	t.Helper()
	return serve(t, newAPI(t, m, open))
}

// behindProxy gives the same, seen through a reverse proxy that has it under another prefix.
func (c *client) behindProxy(prefix string) *client {
	c.t.Helper()
	target, err := url.Parse(c.url)
	if err != nil {
		c.t.Fatal(err)
	}
	transport := new(http.Transport)
	c.t.Cleanup(transport.CloseIdleConnections)
	proxy := &httputil.ReverseProxy{
		Transport: transport,
		Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(target)
			if r.In.URL.Path == "" { // SetURL would add a slash
				r.Out.URL.Path = target.Path
			}
		},
	}
	server := httptest.NewServer(http.StripPrefix(prefix, proxy))
	c.t.Cleanup(server.Close)
	return &client{c.t, c.http, server.URL + prefix}
}

// answer is a response that has been read to its end.
type answer struct {
	t       testing.TB
	request string
	status  int
	header  http.Header
	body    []byte
}

// do asks with the given method. Headers are given as "Name: value".
func (c *client) do(method, path, body string, headers ...string) answer {
	c.t.Helper()
	req, err := http.NewRequest(method, c.url+path, strings.NewReader(body))
	if err != nil {
		c.t.Fatal(err)
	}
	return c.send(req, headers...)
}

func (c *client) send(req *http.Request, headers ...string) answer {
	c.t.Helper()
	for _, header := range headers {
		name, value, _ := strings.Cut(header, ": ")
		req.Header.Add(name, value)
	}
	r, err := c.http.Do(req)
	if err != nil {
		c.t.Fatal(err)
	}
	defer func() { _ = r.Body.Close() }()
	data, err := io.ReadAll(r.Body)
	if err != nil {
		c.t.Fatal(err)
	}
	return answer{c.t, req.Method + " " + req.URL.RequestURI(), r.StatusCode, r.Header, data}
}

func (c *client) get(path string, headers ...string) answer {
	c.t.Helper()
	return c.do("GET", path, "", headers...)
}

// want fails the test unless the answer has that status.
func (a answer) want(status int) answer {
	a.t.Helper()
	if a.status != status {
		a.t.Errorf("%s: %d %s, want %d", a.request, a.status, a.body, status)
	}
	return a
}

func (a answer) wantHeader(name, value string) answer {
	a.t.Helper()
	if got := strings.Join(a.header.Values(name), ", "); got != value {
		a.t.Errorf("%s: %s is %q, want %q", a.request, name, got, value)
	}
	return a
}

// decode reads JSON that must have no other members than v has.
func (a answer) decode(v any) {
	a.t.Helper()
	decoder := json.NewDecoder(strings.NewReader(string(a.body)))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(v); err != nil {
		a.t.Fatalf("%s: %d %s: %v", a.request, a.status, a.body, err)
	}
}

// decodeLenient reads some of the members.
func (a answer) decodeLenient(v any) {
	a.t.Helper()
	if err := json.Unmarshal(a.body, v); err != nil {
		a.t.Fatalf("%s: %d %s: %v", a.request, a.status, a.body, err)
	}
}

// members gives the top-level members of the body.
func (a answer) members() map[string]any {
	a.t.Helper()
	members := make(map[string]any)
	a.decode(&members)
	return members
}

// problem is an answer as RFC 9457 has it.
type problem struct {
	Type, Title, Detail string
	Status              int
	TaskID              string `json:"task_id"`
}

// wantProblem fails the test unless the answer is a problem of that status.
func (a answer) wantProblem(status int) problem {
	a.t.Helper()
	a.want(status).wantHeader("Content-Type", "application/problem+json").wantHeader("Cache-Control", "no-store")
	var p problem
	a.decode(&p)
	if p.Type == "" || p.Title != http.StatusText(status) || p.Status != status || p.Detail == "" {
		a.t.Errorf("%s: %s is not a problem of status %d", a.request, a.body, status)
	}
	for _, internal := range []string{"goroutine ", ".go:", "fxtasks.", "httpapi"} {
		if strings.Contains(string(a.body), internal) {
			a.t.Errorf("%s: %s tells of %q", a.request, a.body, internal)
		}
	}
	return p
}

// task is a task as http.md describes it. Times stay text, so that tests see their form.
type task struct {
	ID, Name, Group, Status string
	Done                    bool
	Error                   *struct{ Type, Message, Stack string }
	Metadata                map[string]string
	Progress                *progress
	CreatedAt               string `json:"created_at"`
	StartedAt               string `json:"started_at"`
	FinishedAt              string `json:"finished_at"`
	ExpiresAt               string `json:"expires_at"`
	DeadlineAt              string `json:"deadline_at"`
	Attempt                 int
	MaxAttempts             int                             `json:"max_attempts"`
	NotBefore               string                          `json:"not_before"`
	LastError               *struct{ Type, Message string } `json:"last_error"`
	Result                  json.RawMessage
	WaitSeconds             *float64 `json:"wait_seconds"`
	RunSeconds              *float64 `json:"run_seconds"`
	TimeoutSeconds          *float64 `json:"timeout_seconds"`
	Cancel                  *struct {
		RequestedAt string `json:"requested_at"`
		Reason, By  string
	}
	Links struct {
		Self string
		More []httpapi.Link
	}
}

type progress struct {
	Current, Total int64
	Percent        *float64
	Unit, Message  string
	UpdatedAt      string `json:"updated_at"`
}

func (a answer) task() task {
	a.t.Helper()
	a.wantHeader("Content-Type", "application/json")
	var body task
	a.decode(&body)
	return body
}

// submit submits to a manager or a group and fails the test if that fails.
func submit(t testing.TB, s fxtasks.Submitter, name string, fn fxtasks.Func, opts ...fxtasks.TaskOption) *fxtasks.Task {
	t.Helper()
	task, err := s.Submit(context.Background(), name, fn, opts...)
	if err != nil {
		t.Fatalf("Submit(%q): %v", name, err)
	}
	return task
}

// untilCancelled is a task that runs until it is asked to end, and then returns why.
func untilCancelled(ctx context.Context) error {
	<-ctx.Done()
	return context.Cause(ctx)
}

// nothing is a task that completes at once.
func nothing(context.Context) error { return nil }

// finished gives the task once it has ended.
func finished(t testing.TB, task *fxtasks.Task) *fxtasks.Task {
	t.Helper()
	<-task.Done()
	return task
}

func pathOf(task *fxtasks.Task) string { return "/tasks/" + url.PathEscape(task.ID()) }
