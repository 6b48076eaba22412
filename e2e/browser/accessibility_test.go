package browser_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"

	"github.com/fxtasks/background/fxtasks"
	"github.com/fxtasks/background/httpapi"
)

var axe = filepath.Join("..", "node_modules", "axe-core", "axe.min.js")

// colours asks the page for a light or a dark design.
func (p *page) colours(scheme string) {
	p.t.Helper()
	run(p, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
		Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}},
	})
}

// finding is what axe has to say against the page.
type finding struct {
	ID, Impact, Help string
	Nodes            []struct{ HTML, FailureSummary string }
}

func (p *page) checkWithAxe(what string) {
	p.t.Helper()
	for _, f := range eval[[]finding](p, `axe.run({ resultTypes: ['violations'] }).then((results) => results.violations)`) {
		if f.Impact != "serious" && f.Impact != "critical" {
			continue
		}
		for _, node := range f.Nodes {
			p.t.Errorf("%s: %s: %s (%s)\n%s\n%s", what, f.Impact, f.Help, f.ID, node.HTML, node.FailureSummary)
		}
	}
}

// everywhere visits what there is to see, in all colours and sizes.
func everywhere(t *testing.T, sizes [][2]int64, check func(p *page, what string)) {
	t.Helper()
	server := start(t, "-demo")
	panicked := server.waitFor("name=charge-card&status=failed")
	p := open(t, server.dashboard)
	for _, size := range sizes {
		p.resize(size[0], size[1])
		for _, scheme := range []string{"light", "dark"} {
			p.colours(scheme)
			at := func(what string) string { return fmt.Sprintf("%s, %d px wide, %s", what, size[0], scheme) }

			p.visit("")
			p.tasks("In progress").get("row", "import-orders").shows("Running")
			p.tasks("Finished").get("row", "charge-card").shows("Failed")
			check(p, at("list"))
			p.visit("?task=" + panicked.ID)
			p.get("dialog", "charge-card").shows("Stack")
			check(p, at("task"))
			p.press(escape)
			p.get("button", "Cancel demo-traffic").click()
			p.get("dialog", "Cancel “demo-traffic”?").appears()
			check(p, at("confirmation"))
		}
	}
}

func TestAxeFindsNothingSerious(t *testing.T) {
	t.Parallel()
	script, err := os.ReadFile(axe)
	need(t, err == nil, "axe-core", "npm install --prefix e2e")
	everywhere(t, [][2]int64{{1280, 800}, {360, 740}}, func(p *page, what string) {
		t.Helper()
		eval[any](p, "(() => {"+string(script)+"\n})()")
		p.checkWithAxe(what)
	})
}

// TestNoWidthIsTooNarrow_concourse2865 has names, groups and metadata as long as they may be.
func TestNoWidthIsTooNarrow_concourse2865(t *testing.T) {
	inBrowsers(t, func(t *testing.T, in *browser) {
		long := strings.Repeat("synchronise-inventory-of-", 5) + "abc" // 128 bytes
		s := serve(t, fxtasks.Config{}, httpapi.Config{Jobs: newFakeJobs(time.Now())}, nil)
		group, err := s.Group(long, fxtasks.GroupConfig{MaxRunning: 2})
		if err != nil {
			t.Fatal(err)
		}
		metadata := fxtasks.WithMetadata(map[string]string{"customer": strings.Repeat("c", 128)})
		for _, fn := range []fxtasks.Func{runs, func(context.Context) error { return errors.New(long) }} {
			if _, err := group.Submit(context.Background(), long, fn, metadata); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := s.Schedule(long, fxtasks.Every(time.Hour), runs); err != nil {
			t.Fatal(err)
		}
		p := in.open(t, s.url)
		for _, width := range []int64{1440, 1150, 1149, 1024, 768, 641, 640, 390, 360} {
			p.resize(width, 800)
			for _, view := range []string{"", "?status=running", "?jobs=all", "?name=" + long} {
				p.visit(view)
				p.goesLive()
				if view == "" {
					p.tasks("Finished").get("row", long).shows("Failed")
					p.get("region", "Schedules").shows(long)
				}
				if eval[bool](p, `document.documentElement.scrollWidth > innerWidth`) {
					t.Errorf("%d px, %q: the page scrolls sideways", width, view)
				}
				if cut := eval[[]string](p, `[...document.querySelectorAll('.status, .time, .since, .times, td button')].filter((e) => e.scrollWidth > e.clientWidth + 1 && e.clientWidth).map((e) => e.className + ': ' + e.textContent)`); len(cut) > 0 {
					t.Errorf("%d px, %q: there is no room for %q", width, view, cut)
				}
			}
		}
	})
}
