package browser_test

import (
	"encoding/json"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
)

// page is a tab of a browser. Whatever a test does with it, nothing may be asked of anybody but
// the server, nothing may go against the page's content security policy, and no script may fail.
type page struct {
	t    *testing.T
	tab  tab
	base string // what the URLs of all requests begin with

	mu         sync.Mutex // protects what follows
	complaints []string
	requested  []string // URLs
	inFlight   int      // of those, how many have not been answered yet
}

// open opens a dashboard in a tab of its own, in Chromium.
func open(t *testing.T, dashboard string) *page {
	t.Helper()
	return chromium.open(t, dashboard)
}

func (b *browser) open(t *testing.T, dashboard string) *page {
	t.Helper()
	p := b.newPage(t, dashboard)
	t.Cleanup(func() {
		for _, complaint := range p.complained() {
			t.Errorf("%s", complaint)
		}
	})
	p.visit("")
	return p
}

// newPage opens a tab that may complain.
func (b *browser) newPage(t *testing.T, base string) *page {
	t.Helper()
	b.need(t)
	p := &page{t: t, base: base}
	tab, err := b.newTab(p)
	if err != nil {
		t.Fatal(err)
	}
	p.tab = tab
	t.Cleanup(tab.close)
	p.resize(1280, 800)
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("%s shows:\n%s", b.name, p.text())
		}
	})
	return p
}

// begins takes in that the tab asks for something, and ends that the answer is all there.
func (p *page) begins(url string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.requested = append(p.requested, url)
	p.inFlight++
	if !strings.HasPrefix(url, p.base) && !strings.HasPrefix(url, "data:") { // the browser's own symbols and fonts
		p.complaints = append(p.complaints, "a request leaves the server: "+url)
	}
}

func (p *page) ends() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.inFlight--
}

// complain takes in what the browser holds against the page.
func (p *page) complain(format string, args ...any) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.complaints = append(p.complaints, fmt.Sprintf(format, args...))
}

func (p *page) complained() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.complaints)
}

// requests counts the requests for a path below the dashboard.
func (p *page) requests(path string) (n int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, u := range p.requested {
		u, _, _ = strings.Cut(u, "?")
		if u == p.base+path {
			n++
		}
	}
	return n
}

// isIdle says that no answer is on its way, nor an event.
func (p *page) isIdle() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.inFlight == 0
}

// visit goes to a URL below the dashboard.
func (p *page) visit(path string) {
	p.t.Helper()
	if err := p.tab.navigate(p.base + path); err != nil {
		p.t.Fatal(err)
	}
}

// eval gives the value of a JavaScript expression, or of the promise that it is.
func eval[T any](p *page, expression string) (value T) {
	p.t.Helper()
	data, err := p.tab.evaluate(expression)
	if err == nil {
		err = json.Unmarshal(data, &value)
	}
	if err != nil {
		p.t.Fatalf("%s: %v", expression, err)
	}
	return value
}

func (p *page) resize(width, height int64) {
	p.t.Helper()
	if err := p.tab.resize(width, height); err != nil {
		p.t.Fatal(err)
	}
}

// text is all that is on the page.
func (p *page) text() string {
	var text string
	if data, err := p.tab.evaluate(`document.body.innerText`); err == nil {
		_ = json.Unmarshal(data, &text) // none: it has gone
	}
	return text
}

// shows waits until some text is there.
func (p *page) shows(text string) {
	p.t.Helper()
	until(p.t, fmt.Sprintf("the page shows %q", text), func() bool { return strings.Contains(p.text(), text) })
}

// goesLive waits until the page hears from the server.
func (p *page) goesLive() {
	p.t.Helper()
	p.get("banner", "").shows("Live")
}

// press presses keys, in what has the focus.
func (p *page) press(keys string) {
	p.t.Helper()
	if err := p.tab.press(keys); err != nil {
		p.t.Fatal(err)
	}
}

// query is what the address bar shows behind the question mark.
func (p *page) query() url.Values {
	p.t.Helper()
	query, err := url.ParseQuery(eval[string](p, `location.search.slice(1)`))
	if err != nil {
		p.t.Fatal(err)
	}
	return query
}
