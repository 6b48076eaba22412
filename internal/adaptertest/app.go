package adaptertest

import (
	"bufio"
	"context"
	"crypto/tls"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"go.uber.org/fx"
	"go.uber.org/fx/fxtest"

	"github.com/fxtasks/background"
	"github.com/fxtasks/background/fxtasks"
	"github.com/fxtasks/background/httpapi"
)

var open = httpapi.Config{AllowUnauthenticated: true}

// app is an application with the module in it, that serves on a port of its own.
type app struct {
	t       testing.TB
	version Version
	echo    Echo
	tasks   *fxtasks.Manager
	adapter Adapter
	url     string
	http    *http.Client
	stop    func(ctx context.Context) error
}

// start starts an application of that Config and options. The routes that it needs besides are
// added by the test.
func start(t *testing.T, v Version, cfg Config, opts ...fx.Option) *app {
	t.Helper()
	return startOn(t, v, v.NewEcho(), cfg, opts...)
}

func startOn(t *testing.T, v Version, e Echo, cfg Config, opts ...fx.Option) *app {
	t.Helper()
	a := &app{t: t, version: v, echo: e}
	fxApp := fxtest.New(t,
		fx.NopLogger,
		background.Module,
		v.Module,
		v.Supply(e, cfg),
		fx.Populate(&a.tasks, &a.adapter),
		fx.Options(opts...),
	)
	fxApp.RequireStart()
	t.Cleanup(fxApp.RequireStop)
	a.serve(nil, new(http.Transport))
	return a
}

// serve makes the Echo serve until the test ends.
func (a *app) serve(config *tls.Config, transport *http.Transport) {
	a.t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		a.t.Fatal(err)
	}
	scheme := "http://"
	if config != nil {
		scheme = "https://"
		l = tls.NewListener(l, config)
	}
	a.url = scheme + l.Addr().String()
	client := &http.Client{Transport: transport}
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	a.http = client
	stop := a.version.Serve(a.t, a.echo, a.adapter, l, config)
	a.stop = stop
	a.t.Cleanup(func() {
		client.CloseIdleConnections()
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		if err := stop(ctx); err != nil {
			a.t.Errorf("the server does not stop: %v", err)
		}
	})
}

type answer struct {
	t       testing.TB
	request string
	status  int
	header  http.Header
	body    string
}

// do asks. Headers are given as "Name: value".
func (a *app) do(method, path string, headers ...string) answer {
	a.t.Helper()
	return a.send(method, path, "", headers...)
}

func (a *app) send(method, path, body string, headers ...string) answer {
	a.t.Helper()
	r := a.open(method, path, body, headers...)
	defer func() { _ = r.Body.Close() }()
	data, err := io.ReadAll(r.Body)
	if err != nil {
		a.t.Fatal(err)
	}
	return answer{a.t, method + " " + path, r.StatusCode, r.Header, string(data)}
}

func (a *app) open(method, path, body string, headers ...string) *http.Response {
	a.t.Helper()
	req, err := http.NewRequest(method, a.url+path, strings.NewReader(body))
	if err != nil {
		a.t.Fatal(err)
	}
	for _, header := range headers {
		name, value, _ := strings.Cut(header, ": ")
		req.Header.Add(name, value)
	}
	r, err := a.http.Do(req)
	if err != nil {
		a.t.Fatal(err)
	}
	return r
}

func (a answer) want(status int, contains ...string) answer {
	a.t.Helper()
	if a.status != status {
		a.t.Errorf("%s: %d %s, want %d", a.request, a.status, a.body, status)
	}
	for _, text := range contains {
		if !strings.Contains(a.body, text) {
			a.t.Errorf("%s: %s does not contain %s", a.request, a.body, text)
		}
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

// idOf gives the ID of the task that is the answer's body.
func (a answer) idOf() string {
	a.t.Helper()
	var body struct{ ID string }
	if err := json.Unmarshal([]byte(a.body), &body); err != nil || body.ID == "" {
		a.t.Fatalf("%s: %d %s (%v) is no task", a.request, a.status, a.body, err)
	}
	return body.ID
}

// stream opens an event stream and reads until its first event is there.
func (a *app) stream(headers ...string) (*http.Response, *bufio.Scanner) {
	a.t.Helper()
	r := a.open("GET", "/background/events", "", headers...)
	a.t.Cleanup(func() { _ = r.Body.Close() })
	lines := bufio.NewScanner(r.Body)
	readUntil(a.t, lines, "event: stats")
	return r, lines
}

// readUntil reads until a line contains text.
func readUntil(t testing.TB, lines *bufio.Scanner, text string) {
	t.Helper()
	for lines.Scan() {
		if strings.Contains(lines.Text(), text) {
			return
		}
	}
	t.Fatalf("the stream ended before %q: %v", text, lines.Err())
}

// submits adds a route that submits fn.
func (a *app) submits(path string, fn fxtasks.Func, opts ...fxtasks.TaskOption) {
	a.echo.Add("POST", path, func(c Context) error { return a.adapter.Submit(c, a.tasks, "build-report", fn, opts...) })
}

func nothing(context.Context) error { return nil }

func untilCancelled(ctx context.Context) error {
	<-ctx.Done()
	return context.Cause(ctx)
}
