package browser_test

import (
	"os/exec"
	"testing"
)

// browser is a program that shows the page. All tests share the one process of it.
type browser struct {
	name    string
	install string // says how to get it
	find    []string
	launch  func(path, dir string) (stop func(), err error)
	newTab  func(p *page) (tab, error)

	runs bool
}

var (
	chromium = &browser{
		name: "Chromium", install: "apt-get install chromium", find: []string{"chromium", "chromium-headless-shell", "google-chrome"},
		launch: startChromium, newTab: newChromiumTab,
	}
	firefox = &browser{
		name: "Firefox", install: "apt-get install firefox-esr", find: []string{"firefox-esr", "firefox"},
		launch: startFirefox, newTab: newFirefoxTab,
	}
	browsers = []*browser{chromium, firefox}
)

// tab is one window of a browser, with what the tests need of its protocol. It tells the page of
// requests, and of what goes wrong. Values are JSON; an element is known by what find calls it.
type tab interface {
	navigate(url string) error
	evaluate(expression string) ([]byte, error) // of a promise: what it gives
	find(root, role string) ([]node, error)     // root: an element, "" for the document; what is hidden is not found
	call(element, function string) ([]byte, error)
	press(keys string) error
	resize(width, height int64) error
	close()
}

// node is an element that people can find who do not see it.
type node struct{ element, name string }

// Keys that are no letters, as press takes them.
const (
	enter  = "\r"
	escape = "\u001b"
)

// start starts the browser, if this machine has it.
func (b *browser) start(dir string) (stop func(), err error) {
	for _, name := range b.find {
		if path, err := exec.LookPath(name); err == nil {
			b.runs = true
			return b.launch(path, dir)
		}
	}
	return func() {}, nil
}

func (b *browser) need(t *testing.T) {
	t.Helper()
	need(t, b.runs, b.name, b.install)
}

// inBrowsers runs a flow in all browsers, at once.
func inBrowsers(t *testing.T, flow func(t *testing.T, in *browser)) {
	t.Parallel()
	for _, b := range browsers {
		t.Run(b.name, func(t *testing.T) {
			t.Parallel()
			b.need(t)
			flow(t, b)
		})
	}
}
