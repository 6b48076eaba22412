package browser_test

import (
	"context"
	"fmt"
	"net/url"
	"strings"
	"sync"
	"testing"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	cdppage "github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

// page is a tab of the browser. Whatever a test does with it, nothing may be asked of anybody but
// the server, nothing may go against the page's content security policy, and no script may fail.
type page struct {
	t    *testing.T
	ctx  context.Context
	base string // what the URLs of all requests begin with

	mu         sync.Mutex // protects what follows
	complaints []string
	requested  []string // URLs
	inFlight   int      // of those, how many have not been answered yet
}

// tellOfViolations has no better way out than the console.
const tellOfViolations = `addEventListener('securitypolicyviolation', (v) =>
	console.error('content security policy:', v.violatedDirective, v.blockedURI))`

// open opens a dashboard in a tab of its own.
func open(t *testing.T, dashboard string) *page {
	t.Helper()
	p := newTab(t, dashboard)
	t.Cleanup(func() {
		for _, complaint := range p.complained() {
			t.Errorf("%s", complaint)
		}
	})
	p.visit("")
	return p
}

func newTab(t *testing.T, base string) *page {
	t.Helper()
	tab, closeTab := chromedp.NewContext(chromium)
	t.Cleanup(closeTab)
	p := &page{t: t, base: base}
	if err := chromedp.Listen(tab, p.listen); err != nil {
		t.Fatal(err)
	}
	var stop context.CancelFunc
	p.ctx, stop = context.WithTimeout(tab, allowed)
	t.Cleanup(stop)
	run(p, cdppage.AddScriptToEvaluateOnNewDocument, cdppage.AddScriptToEvaluateOnNewDocumentParams{Source: tellOfViolations})
	p.resize(1280, 800)
	t.Cleanup(func() {
		if t.Failed() {
			p.ctx = tab // has more time
			t.Logf("the page shows:\n%s", p.text())
		}
	})
	return p
}

// listen hears all that happens in the tab.
func (p *page) listen(event any) {
	p.mu.Lock()
	defer p.mu.Unlock()
	complain := func(format string, args ...any) { p.complaints = append(p.complaints, fmt.Sprintf(format, args...)) }
	switch e := event.(type) {
	case *network.EventRequestWillBeSent:
		p.requested = append(p.requested, e.Request.URL)
		p.inFlight++
		if !strings.HasPrefix(e.Request.URL, p.base) {
			complain("a request leaves the server: %s", e.Request.URL)
		}
	case *network.EventLoadingFinished, *network.EventLoadingFailed:
		p.inFlight--
	case *network.EventResponseReceived:
		if e.Response.Status >= 400 && e.Type != network.ResourceTypeFetch && e.Type != network.ResourceTypeEventSource {
			complain("%s: %d", e.Response.URL, e.Response.Status)
		}
	case *runtime.EventExceptionThrown:
		complain("a script failed: %s", (&chromedp.ExceptionError{ExceptionDetails: e.ExceptionDetails}).Error())
	case *runtime.EventConsoleAPICalled:
		if e.Type == runtime.ConsoleAPICalledTypeError || e.Type == runtime.ConsoleAPICalledTypeWarning {
			var words []string
			for _, arg := range e.Args {
				words = append(words, string(arg.Value)+arg.Description)
			}
			complain("console: %s", strings.Join(words, " "))
		}
	case *log.EventEntryAdded:
		if e.Entry.Source != log.EntrySourceNetwork { // failed requests: tests kill servers
			complain("browser: %s: %s", e.Entry.Source, e.Entry.Text)
		}
	}
}

func (p *page) complained() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([]string(nil), p.complaints...)
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
	p.do(chromedp.Navigate(p.base + path))
}

func (p *page) do(actions ...chromedp.Action[chromedp.Void]) {
	p.t.Helper()
	if err := chromedp.Do(p.ctx, actions...); err != nil {
		p.t.Fatal(err)
	}
}

// run runs a command of the DevTools protocol.
func run[P, R any](p *page, command cdp.Command[P, R], params P) R {
	p.t.Helper()
	result, err := chromedp.Call(p.ctx, command, params)
	if err != nil {
		p.t.Fatalf("%s: %v", command.Method, err)
	}
	return result
}

// eval gives the value of a JavaScript expression, or of the promise that it is.
func eval[T any](p *page, expression string) T {
	p.t.Helper()
	value, err := chromedp.Run(p.ctx, chromedp.Evaluate[T](expression, chromedp.EvalAwaitPromise))
	if err != nil {
		p.t.Fatalf("%s: %v", expression, err)
	}
	return value
}

func (p *page) resize(width, height int64) {
	p.t.Helper()
	p.do(chromedp.EmulateViewport(width, height))
}

// text is all that is on the page.
func (p *page) text() string {
	text, _ := chromedp.Run(p.ctx, chromedp.Evaluate[string](`document.body.innerText`)) // none: it has gone
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
	p.do(chromedp.KeyEvent(keys))
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
