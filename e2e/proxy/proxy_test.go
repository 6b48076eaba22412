// Package proxy_test asks the API through a real nginx, set up as its users do.
package proxy_test

import (
	"bufio"
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/fxtasks/background/fxtasks"
	"github.com/fxtasks/background/fxtasks/fxtaskstest"
	"github.com/fxtasks/background/httpapi"
)

func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m)
}

// renaming is the location block of most who publish the page under another path. Having a path,
// proxy_pass decodes what it passes on, and without a line about Host it sends "app".
const renaming = `location /ops/ { proxy_pass http://app/background/; }`

// keepingHost is what manuals recommend.
const keepingHost = `location /ops/ { proxy_pass http://app/background/; proxy_set_header Host $http_host; }`

// start starts the API, and gives its manager and its address.
func start(t *testing.T, cfg httpapi.Config) (*fxtasks.Manager, string) {
	t.Helper()
	m := fxtaskstest.New(t)
	cfg.AllowUnauthenticated = true
	api, err := httpapi.New(m, cfg)
	if err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.Handle("/background/", http.StripPrefix("/background", api))
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	t.Cleanup(api.CloseStreams)
	return m, strings.TrimPrefix(server.URL, "http://")
}

func submit(t *testing.T, m *fxtasks.Manager, id string) *fxtasks.Task {
	t.Helper()
	task, err := m.Submit(context.Background(), "work", func(ctx context.Context) error {
		<-ctx.Done()
		return context.Cause(ctx)
	}, fxtasks.WithID(id))
	if err != nil {
		t.Fatal(err)
	}
	return task
}

func TestIDsBehindAProxyThatDecodes_nexuspublic430(t *testing.T) {
	m, app := start(t, httpapi.Config{})
	proxy := startProxy(t, app, renaming)
	for _, id := range []string{"a/b", "a/b/c d", "a%2Fb", "ü/?#&+", "stats", "7/retry"} {
		task := submit(t, m, id)
		address := proxy + "/ops/tasks/" + url.PathEscape(id)
		if r, body := ask(t, "GET", address); r.StatusCode != http.StatusOK || !strings.Contains(body, `"name":"work"`) {
			t.Errorf("%q: %s %s", id, r.Status, body)
		}
		ask(t, "DELETE", address)
		task.Cancel(errors.New("it was not cancelled through the proxy"))
		if err := task.Wait(t.Context()); err.Error() != fxtasks.ErrCancelled.Error() {
			t.Errorf("%q: %v", id, err)
		}
	}
}

func TestACancelFromThePage_sidekiq2560(t *testing.T) {
	for name, test := range map[string]struct {
		location string
		trusted  bool
		status   int
	}{
		"the proxy changes Host":                 {renaming, false, http.StatusForbidden},
		"it changes Host, the origin is trusted": {renaming, true, http.StatusOK},
		"it keeps Host":                          {keepingHost, false, http.StatusOK},
	} {
		t.Run(name, func(t *testing.T) {
			const origin = "http://ops.example.com" // the name by which the browser knows the proxy
			cfg := httpapi.Config{}
			if test.trusted {
				cfg.TrustedOrigins = []string{origin}
			}
			m, app := start(t, cfg)
			proxy := startProxy(t, app, test.location)
			task := submit(t, m, "7")
			r, body := ask(t, "DELETE", proxy+"/ops/tasks/7", "Host", "ops.example.com", "Origin", origin) // as a browser does over plain http
			if r.StatusCode == http.StatusAccepted {
				r.StatusCode = http.StatusOK // it may end at once or not
			}
			if r.StatusCode != test.status {
				t.Errorf("%s %s, want %d", r.Status, body, test.status)
			}
			if test.status == http.StatusForbidden && (!strings.Contains(body, "TrustedOrigins") || !strings.Contains(body, origin)) {
				t.Errorf("%s does not tell what to do", body)
			}
			task.Cancel(nil)
			<-task.Done()
		})
	}
}

func TestTheStreamBehindAProxyThatBuffers(t *testing.T) {
	m, app := start(t, httpapi.Config{})
	proxy := startProxy(t, app, "gzip on; gzip_types *; gzip_min_length 1; "+renaming)
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second) // far longer than an event takes, and less than a buffer
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, "GET", proxy+"/ops/events", nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Accept-Encoding", "identity")
	r, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = r.Body.Close() }()
	task := submit(t, m, "a/b")
	lines := bufio.NewScanner(r.Body)
	for lines.Scan() && !strings.Contains(lines.Text(), `"id":"a/b"`) {
	}
	if err := lines.Err(); err != nil {
		t.Errorf("the event has not arrived: %v", err)
	}
	task.Cancel(nil)
	<-task.Done()
}

func TestTheMountsSlashBehindAProxy(t *testing.T) {
	_, app := start(t, httpapi.Config{})
	proxy := startProxy(t, app, renaming)
	r, body := ask(t, "GET", proxy+"/ops") // nginx adds the slash
	if r.StatusCode != http.StatusOK || !strings.Contains(body, "<!doctype html>") || r.Request.URL.Path != "/ops/" {
		t.Errorf("%s leads to %s: %s", proxy+"/ops", r.Request.URL, r.Status)
	}
}

func TestHostsBehindAProxy(t *testing.T) {
	_, app := start(t, httpapi.Config{AllowedHosts: []string{"ops.example.com"}})
	proxy := startProxy(t, app, `location / { proxy_pass http://app; proxy_set_header Host $http_host; }
		location /fixed/ { proxy_pass http://app/; proxy_set_header Host ops.example.com; }`)
	for path, status := range map[string]int{"/background/stats": http.StatusMisdirectedRequest, "/background/livez": http.StatusOK, "/fixed/background/stats": http.StatusOK} {
		if r, body := ask(t, "GET", proxy+path); r.StatusCode != status {
			t.Errorf("%s: %s %s, want %d", path, r.Status, body, status)
		}
	}
}
