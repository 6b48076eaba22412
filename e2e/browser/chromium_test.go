package browser_test

import (
	"context"
	"encoding/json"
	"os"
	"strings"

	"github.com/chromedp/cdproto/accessibility"
	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/dom"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	cdppage "github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

// chromiumTabs is the browser's context, which those of tabs come from.
var chromiumTabs context.Context

// startChromium starts a browser that talks to nobody but the servers of the tests.
func startChromium(path, _ string) (func(), error) {
	options := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(path),
		chromedp.DisableGPU,
		chromedp.Flag("disable-quic", true),
		chromedp.Flag("disable-component-update", true),
		chromedp.Flag("lang", "en-US"),
	)
	if os.Geteuid() == 0 {
		options = append(options, chromedp.NoSandbox) // Chromium's sandbox refuses root
	}
	allocator, stopAllocator := chromedp.NewExecAllocator(context.Background(), options...)
	ctx, closeBrowser := chromedp.NewContext(allocator)
	stop := func() {
		_ = chromedp.Cancel(ctx) // an error: it is gone, and the next lines make sure of it
		closeBrowser()
		stopAllocator()
	}
	if err := chromedp.Do(ctx); err != nil {
		stop()
		return nil, err
	}
	chromiumTabs = ctx
	return stop, nil
}

type chromiumTab struct {
	ctx  context.Context
	stop func()
}

// tellOfViolations has no better way out than the console.
const tellOfViolations = `addEventListener('securitypolicyviolation', (v) =>
	console.error('content security policy:', v.violatedDirective, v.blockedURI))`

func newChromiumTab(p *page) (tab, error) {
	ctx, stop := chromedp.NewContext(chromiumTabs)
	c := chromiumTab{ctx, stop}
	if err := chromedp.Listen(ctx, p.hearChromium); err != nil {
		return c, err
	}
	_, err := chromedp.Call(ctx, cdppage.AddScriptToEvaluateOnNewDocument, cdppage.AddScriptToEvaluateOnNewDocumentParams{Source: tellOfViolations})
	return c, err
}

// hearChromium hears all that happens in the tab.
func (p *page) hearChromium(event any) {
	switch e := event.(type) {
	case *network.EventRequestWillBeSent:
		p.begins(e.Request.URL)
	case *network.EventLoadingFinished, *network.EventLoadingFailed:
		p.ends()
	case *network.EventResponseReceived:
		if e.Response.Status >= 400 && e.Type != network.ResourceTypeFetch && e.Type != network.ResourceTypeEventSource {
			p.complain("%s: %d", e.Response.URL, e.Response.Status)
		}
	case *runtime.EventExceptionThrown:
		p.complain("a script failed: %s", (&chromedp.ExceptionError{ExceptionDetails: e.ExceptionDetails}).Error())
	case *runtime.EventConsoleAPICalled:
		if e.Type == runtime.ConsoleAPICalledTypeError || e.Type == runtime.ConsoleAPICalledTypeWarning {
			var words []string
			for _, arg := range e.Args {
				words = append(words, string(arg.Value)+arg.Description)
			}
			p.complain("console: %s", strings.Join(words, " "))
		}
	case *log.EventEntryAdded:
		if e.Entry.Source != log.EntrySourceNetwork { // failed requests: tests kill servers
			p.complain("browser: %s: %s", e.Entry.Source, e.Entry.Text)
		}
	}
}

func (c chromiumTab) close() { c.stop() }

// within gives the context of one command.
func (c chromiumTab) within() (context.Context, context.CancelFunc) {
	return context.WithTimeout(c.ctx, patience)
}

func (c chromiumTab) do(action chromedp.Action[chromedp.Void]) error {
	ctx, cancel := c.within()
	defer cancel()
	return chromedp.Do(ctx, action)
}

func (c chromiumTab) navigate(url string) error { return c.do(chromedp.Navigate(url)) }

func (c chromiumTab) press(keys string) error { return c.do(chromedp.KeyEvent(keys)) }

func (c chromiumTab) resize(width, height int64) error {
	return c.do(chromedp.EmulateViewport(width, height))
}

func (c chromiumTab) value(action chromedp.Action[[]byte]) ([]byte, error) {
	ctx, cancel := c.within()
	defer cancel()
	value, err := chromedp.Run(ctx, action)
	if value == nil { // undefined
		value = []byte("null")
	}
	return value, err
}

func (c chromiumTab) evaluate(expression string) ([]byte, error) {
	return c.value(chromedp.Evaluate[[]byte](expression, chromedp.EvalAwaitPromise))
}

func (c chromiumTab) call(element, function string) ([]byte, error) {
	return c.value(chromedp.CallFunctionOn[[]byte](function, func(params *runtime.CallFunctionOnParams) {
		yes := true
		params.ObjectID, params.UserGesture, params.AwaitPromise = runtime.RemoteObjectID(element), &yes, &yes
	}))
}

func (c chromiumTab) find(root, role string) ([]node, error) {
	ctx, cancel := c.within()
	defer cancel()
	if root == "" {
		document, err := chromedp.Run(ctx, chromedp.Evaluate[*runtime.RemoteObject](`document`))
		if err != nil {
			return nil, err
		}
		root = string(document.ObjectID)
	}
	tree, err := chromedp.Call(ctx, accessibility.QueryAXTree, accessibility.QueryAXTreeParams{ObjectID: runtime.RemoteObjectID(root), Role: role})
	if err != nil {
		return nil, err
	}
	var found []node
	for _, n := range tree.Nodes {
		if n.Ignored {
			continue
		}
		element, err := chromedp.Call(ctx, dom.ResolveNode, dom.ResolveNodeParams{BackendNodeID: n.BackendDOMNodeID})
		if err != nil {
			return nil, err
		}
		var name string
		if n.Name != nil {
			_ = json.Unmarshal(n.Name.Value, &name) // no string: no name
		}
		found = append(found, node{string(element.Object.ObjectID), name})
	}
	return found, nil
}

// chromium gives the context for what only Chromium can do.
func (p *page) chromium() context.Context { return p.tab.(chromiumTab).ctx }

// run runs a command of the DevTools protocol.
func run[P, R any](p *page, command cdp.Command[P, R], params P) R {
	p.t.Helper()
	result, err := chromedp.Call(p.chromium(), command, params)
	if err != nil {
		p.t.Fatalf("%s: %v", command.Method, err)
	}
	return result
}
