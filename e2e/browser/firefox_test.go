package browser_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/fxtasks/background/e2e/internal/bidi"
	"github.com/fxtasks/background/internal/process"
)

// gecko is the Firefox that runs.
var gecko struct {
	*bidi.Session

	mu    sync.Mutex       // protects pages
	pages map[string]*page // by the tab's ID
}

// settings keep the browser from talking to anybody but the servers of the tests, as far as it does
// not do so by itself when it is driven.
const settings = `user_pref("services.settings.server", "data:,#remote-settings-dummy/v1");
user_pref("network.captive-portal-service.enabled", false);
user_pref("network.connectivity-service.enabled", false);
user_pref("datareporting.policy.dataSubmissionEnabled", false);
user_pref("intl.accept_languages", "en-US");
`

var bidiURL = regexp.MustCompile(`WebDriver BiDi listening on (ws://\S+)`)

func startFirefox(path, dir string) (func(), error) {
	profile := filepath.Join(dir, "firefox")
	if err := os.Mkdir(profile, 0o700); err != nil {
		return nil, err
	}
	if err := os.WriteFile(filepath.Join(profile, "user.js"), []byte(settings), 0o600); err != nil {
		return nil, err
	}
	var output process.Output
	cmd := exec.Command(path, "--headless", "--no-remote", "--profile", profile, "--remote-debugging-port=0")
	cmd.Env = append(os.Environ(), "HOME="+dir) // root may not use the home of another
	cmd.Stdout, cmd.Stderr = &output, &output
	cmd.WaitDelay = 5 * time.Second // for the pipes that its children have
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	exited := make(chan struct{})
	go func() {
		defer close(exited)
		_ = cmd.Wait() // whatever becomes of it, the tests tell
	}()
	stop := func() {
		select {
		case <-exited:
		case <-time.After(10 * time.Second):
			_ = cmd.Process.Kill()
			<-exited
		}
	}
	for deadline := time.After(patience); ; {
		if m := bidiURL.FindStringSubmatch(output.String()); m != nil {
			return stopGecko(stop), connectGecko(m[1] + "/session")
		}
		select {
		case <-time.After(20 * time.Millisecond):
		case <-exited:
			return nil, errors.New("it exited at once:\n" + output.String())
		case <-deadline:
			_ = cmd.Process.Kill()
			<-exited
			return nil, errors.New("it takes no connections:\n" + output.String())
		}
	}
}

func connectGecko(url string) error {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	gecko.pages = make(map[string]*page)
	session, err := bidi.Dial(ctx, url, hearGecko)
	if err != nil {
		return err
	}
	gecko.Session = session
	if err := send("session.subscribe", object{"events": []string{"network.beforeRequestSent", "network.responseCompleted", "network.fetchError", "log.entryAdded"}}, nil); err != nil {
		return err
	}
	return send("script.addPreloadScript", object{"functionDeclaration": "() => { " + tellOfViolations + " }"}, nil)
}

func stopGecko(wait func()) func() {
	return func() {
		if gecko.Session != nil {
			_ = send("browser.close", object{}, nil) // an error: it is gone, or will be killed
			gecko.Close()
		}
		wait()
	}
}

type object = map[string]any

func send(method string, params, result any) error {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	return gecko.Call(ctx, method, params, result)
}

// hearGecko hears all that happens in all tabs.
func hearGecko(method string, params json.RawMessage) {
	var event struct {
		Context string // of network events
		Source  struct{ Context string }
		Request struct {
			URL         string
			Destination string
		}
		Response struct{ Status int }
		Type     string
		Level    string
		Text     string
	}
	if json.Unmarshal(params, &event) != nil {
		return
	}
	gecko.mu.Lock()
	p := gecko.pages[event.Context+event.Source.Context]
	gecko.mu.Unlock()
	if p == nil {
		return
	}
	switch method {
	case "network.beforeRequestSent":
		p.begins(event.Request.URL)
	case "network.fetchError":
		p.ends()
	case "network.responseCompleted":
		p.ends()
		if event.Response.Status >= 400 && event.Request.Destination != "" { // "": by fetch or EventSource
			p.complain("%s: %d", event.Request.URL, event.Response.Status)
		}
	case "log.entryAdded":
		if event.Level == "error" || event.Level == "warn" {
			p.complain("%s: %s", event.Type, event.Text)
		}
	}
}

type firefoxTab struct{ id string }

// newFirefoxTab opens a window: a tab that is not in front would count as hidden.
func newFirefoxTab(p *page) (tab, error) {
	var created struct{ Context string }
	if err := send("browsingContext.create", object{"type": "window"}, &created); err != nil {
		return nil, err
	}
	gecko.mu.Lock()
	gecko.pages[created.Context] = p
	gecko.mu.Unlock()
	return firefoxTab{created.Context}, nil
}

func (f firefoxTab) close() {
	gecko.mu.Lock()
	delete(gecko.pages, f.id)
	gecko.mu.Unlock()
	_ = send("browsingContext.close", object{"context": f.id}, nil) // an error: the browser goes as well
}

func (f firefoxTab) navigate(url string) error {
	return send("browsingContext.navigate", object{"context": f.id, "url": url, "wait": "complete"}, nil)
}

func (f firefoxTab) resize(width, height int64) error {
	return send("browsingContext.setViewport", object{"context": f.id, "viewport": object{"width": width, "height": height}}, nil)
}

func (f firefoxTab) evaluate(expression string) ([]byte, error) {
	return f.callFunction("async () => JSON.stringify(await ("+expression+")) ?? 'null'", nil)
}

func (f firefoxTab) call(element, function string) ([]byte, error) {
	return f.callFunction("async function() { return JSON.stringify(await ("+function+").call(this)) ?? 'null' }", reference(element))
}

// callFunction calls a function that gives a string.
func (f firefoxTab) callFunction(function string, this any) ([]byte, error) {
	var text struct{ Value string }
	err := f.callInto(&text, function, this)
	return []byte(text.Value), err
}

func (f firefoxTab) callInto(value any, function string, this any, arguments ...any) error {
	params := object{"functionDeclaration": function, "target": object{"context": f.id}, "awaitPromise": true, "userActivation": true}
	if this != nil {
		params["this"] = this
	}
	if arguments != nil {
		params["arguments"] = arguments
	}
	var answer struct {
		Result           json.RawMessage
		ExceptionDetails struct{ Text string }
	}
	if err := send("script.callFunction", params, &answer); err != nil {
		return err
	}
	if text := answer.ExceptionDetails.Text; text != "" {
		return errors.New(text)
	}
	return json.Unmarshal(answer.Result, value)
}

func reference(element string) object { return object{"sharedId": element} }

// selectors find the elements of a role. Firefox has a locator by role too, which takes a second on
// this page; that roles and names are right, Chromium's tree of accessibility tells.
var selectors = map[string]string{
	"banner": "body > header", "button": "button", "checkbox": "[type=checkbox]", "dialog": "dialog", "link": "a[href]", "listitem": "li", "main": "main",
	"navigation": "nav", "progressbar": "progress", "region": "section:is([aria-label], [aria-labelledby])", "row": "tr", "searchbox": "[type=search]", "textbox": "input:not([type])",
}

// findVisible gives the elements, and for each the name that it has beside its text.
const findVisible = `(selector, root) => {
	const modal = document.querySelector('dialog:modal');
	const found = [...(root ?? document).querySelectorAll(selector)].filter((e) => e.checkVisibility({ visibilityProperty: true }) && (!modal || modal.contains(e)));
	return found.flatMap((e) => [e, e.ariaLabel || document.getElementById(e.getAttribute('aria-labelledby'))?.textContent || e.labels?.[0]?.textContent || '']);
}`

func (f firefoxTab) find(root, role string) ([]node, error) {
	selector, known := selectors[role]
	if !known {
		return nil, fmt.Errorf("no selector for the role %q", role)
	}
	arguments := []any{object{"type": "string", "value": selector}}
	if root != "" {
		arguments = append(arguments, reference(root))
	}
	var list struct {
		Value []struct {
			SharedID string
			Value    json.RawMessage
		}
	}
	if err := f.callInto(&list, findVisible, nil, arguments...); err != nil {
		return nil, err
	}
	var found []node
	for pair := range slices.Chunk(list.Value, 2) {
		var name string
		if err := json.Unmarshal(pair[1].Value, &name); err != nil {
			return nil, err
		}
		found = append(found, node{pair[0].SharedID, name})
	}
	return found, nil
}

// keyCodes are WebDriver's for keys that are no letters.
var keyCodes = strings.NewReplacer(enter, "\ue007", escape, "\ue00c")

func (f firefoxTab) press(keys string) error {
	var actions []object
	for _, key := range keyCodes.Replace(keys) {
		actions = append(actions, object{"type": "keyDown", "value": string(key)}, object{"type": "keyUp", "value": string(key)})
	}
	return send("input.performActions", object{"context": f.id, "actions": []object{{"type": "key", "id": "keyboard", "actions": actions}}}, nil)
}
