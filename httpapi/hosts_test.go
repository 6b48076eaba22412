package httpapi_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/fxtasks/background/fxtasks/fxtaskstest"
	"github.com/fxtasks/background/httpapi"
)

func TestAllowedHosts(t *testing.T) {
	c := serve(t, newAPI(t, fxtaskstest.New(t), httpapi.Config{AllowUnauthenticated: true,
		AllowedHosts: []string{"localhost", "Ops.Example.com", "127.0.0.1", "::1", "[fe80::1]"}}))
	ask := func(host, method, path string) answer {
		t.Helper()
		req, err := http.NewRequest(method, c.url+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Host = host
		return c.send(req)
	}
	for _, host := range []string{"localhost", "localhost:8080", "LOCALHOST:1", "localhost.", "ops.example.com", "127.0.0.1:9", "[::1]", "[::1]:8080",
		"[0:0:0:0:0:0:0:1]:80", "[fe80::1]:80", "[::ffff:127.0.0.1]:80"} {
		ask(host, "GET", "/stats").want(http.StatusOK)
	}
	for _, host := range []string{"evil.example", "evil.example:8080", "localhost.evil.example", "xlocalhost", "10.0.0.1", "10.0.0.1:80", "[::2]:80",
		"com", "127.0.0.1.nip.io"} {
		for _, path := range []string{"/stats", "/", "/tasks/7", "/assets/app.js", "/openapi.json", "/nowhere", "/livez/"} {
			if p := ask(host, "GET", path).wantProblem(http.StatusMisdirectedRequest); !strings.Contains(p.Detail, host) {
				t.Errorf("the detail %q does not name %q", p.Detail, host)
			}
		}
		ask(host, "DELETE", "/tasks/7").wantProblem(http.StatusMisdirectedRequest)
		ask(host, "GET", "/livez").want(http.StatusOK)
		ask(host, "GET", "/readyz").want(http.StatusOK)
	}
}

func TestConfigsThatWouldNotDoWhatTheySay(t *testing.T) {
	m := fxtaskstest.New(t)
	for value, cfg := range map[string]httpapi.Config{
		"localhost:8080":         {AllowedHosts: []string{"ok.example", "localhost:8080"}},
		"http://localhost":       {AllowedHosts: []string{"http://localhost"}},
		"[::1]:8080":             {AllowedHosts: []string{"[::1]:8080"}},
		"*.example.com":          {AllowedHosts: []string{"*.example.com"}},
		`""`:                     {AllowedHosts: []string{""}},
		"https://a.example/path": {TrustedOrigins: []string{"https://a.example/path"}},
		"a.example":              {TrustedOrigins: []string{"a.example"}},
		"javascript:alert(1)":    {LoginURL: "javascript:alert(1)"},
	} {
		cfg.AllowUnauthenticated = true
		if _, err := httpapi.New(m, cfg); err == nil || !strings.Contains(err.Error(), value) || !strings.Contains(err.Error(), "Config.") {
			t.Errorf("%s: the error is %v", value, err)
		}
	}
}

// A browser that speaks plain http sends no Sec-Fetch-Site; a proxy that sets Host makes its Origin
// another than the host.
func TestTrustedOrigins_sidekiq2560(t *testing.T) {
	const origin = "http://ops.example.com"
	for name, test := range map[string]struct {
		trusted []string
		status  int
	}{"none": {nil, http.StatusForbidden}, "another": {[]string{"http://other.example"}, http.StatusForbidden}, "this": {[]string{origin}, http.StatusOK}} {
		t.Run(name, func(t *testing.T) {
			m := fxtaskstest.New(t)
			task := finished(t, submit(t, m, "work", nothing))
			c := serve(t, newAPI(t, m, httpapi.Config{AllowUnauthenticated: true, TrustedOrigins: test.trusted}))
			a := c.do("DELETE", pathOf(task), "", "Origin: "+origin).want(test.status)
			if test.status != http.StatusForbidden {
				return
			}
			if p := a.wantProblem(test.status); !strings.Contains(p.Detail, origin) || !strings.Contains(p.Detail, "TrustedOrigins") {
				t.Errorf("the detail %q does not tell what to do", p.Detail)
			}
		})
	}
}

func TestTheInstanceIsThatOfTheProcess(t *testing.T) {
	a, b := serveNew(t, fxtaskstest.New(t)), serveNew(t, fxtaskstest.New(t))
	var stats struct{ Instance string }
	a.get("/stats").decodeLenient(&stats)
	if stats.Instance == "" {
		t.Fatal("there is no instance")
	}
	for _, c := range []*client{a, b} {
		for _, path := range []string{"/", "/stats", "/tasks", "/tasks/unknown", "/livez", "/nowhere"} {
			c.get(path).wantHeader("Background-Instance", stats.Instance)
		}
	}
	m := fxtaskstest.New(t)
	post(t, newAPI(t, m, open), submit(t, m, "work", nothing)).wantHeader("Background-Instance", stats.Instance)
}
