package browser_test

import (
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"testing"
)

// behindProxy serves the program under a path of a reverse proxy's, and gives the dashboard's URL there.
func behindProxy(t *testing.T, server *program) string {
	t.Helper()
	const prefix = "/some/prefix"
	target := &url.URL{Scheme: "http", Host: server.addr()}
	proxy := &httputil.ReverseProxy{
		Rewrite:       func(r *httputil.ProxyRequest) { r.SetURL(target) },
		FlushInterval: -1, // events at once
		Transport:     client.Transport,
	}
	mux := http.NewServeMux()
	mux.Handle(prefix+"/", http.StripPrefix(prefix, proxy))
	front := httptest.NewServer(mux)
	t.Cleanup(front.Close)
	t.Cleanup(server.kill) // before that: it waits for the streams to end
	return front.URL + prefix + "/background/"
}

// TestBehindAReverseProxy relies on what all tests have looked after: that every request is for a URL below the dashboard's.
func TestBehindAReverseProxy(t *testing.T) {
	t.Parallel()
	server := start(t, "-demo")
	id := server.waitFor("name=import-orders").ID
	p := open(t, behindProxy(t, server))

	p.goesLive()
	p.tasks("In progress").get("link", "import-orders").click()
	dialog := p.get("dialog", "import-orders")
	dialog.shows("Running", "of 2,000 orders")
	if got := eval[string](p, `fetch(document.querySelector('dialog a[href*="tasks/"]')).then((answer) => answer.json()).then((task) => task.id)`); got != id {
		t.Errorf("the link to the task's JSON gives task %q", got)
	}
	dialog.get("button", "Cancel task").click()
	p.get("dialog", "Cancel “import-orders”?").get("button", "Cancel task").click()
	until(t, "it is cancelled", func() bool { return server.task(id).Status == "cancelled" })
	dialog.shows("Cancelled") // told by the stream
	p.visit("?status=cancelled")
	p.tasks("Cancelled").get("row", "import-orders").shows("Cancelled")
}

// TestThePolicyIsStrict smuggles in what an attacker would, and sees that the browser refuses it: so
// all other tests would fail if the page itself went against its policy, or asked anybody else.
func TestThePolicyIsStrict(t *testing.T) {
	t.Parallel()
	server := start(t)
	p := chromium.newPage(t, server.dashboard)
	p.visit("")
	p.goesLive()
	if complaints := p.complained(); len(complaints) > 0 {
		t.Fatalf("too early: %q", complaints)
	}
	for directive, attack := range map[string]string{
		"script-src-elem": `document.body.append(Object.assign(document.createElement('script'), { textContent: 'window.attacked = true' }))`,
		"style-src-attr":  `document.body.setAttribute('style', 'display: none')`,
		"img-src":         `new Image().src = 'http://elsewhere.invalid/image.png'`,
		"connect-src":     `fetch('http://elsewhere.invalid/').catch(() => {})`,
		"frame-src":       `document.body.append(Object.assign(document.createElement('iframe'), { src: 'http://elsewhere.invalid/' }))`,
	} {
		eval[any](p, "void ("+attack+")")
		until(t, "the browser refuses "+attack, func() bool {
			return strings.Contains(strings.Join(p.complained(), "\n"), directive)
		})
	}
	if eval[bool](p, `!!window.attacked`) {
		t.Error("an inline script ran")
	}
}
