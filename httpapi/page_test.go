package httpapi_test

import (
	"maps"
	"net/http"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/fxtasks/background/fxtasks/fxtaskstest"
	"github.com/fxtasks/background/httpapi"
	"github.com/fxtasks/background/httpapi/internal/bundle"
)

const pageCSP = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; " +
	"base-uri 'none'; form-action 'self'; frame-ancestors 'none'"

// pageTypes is what a browser needs to be told, since it must not sniff.
var pageTypes = map[string]string{
	"/":                 "text/html; charset=utf-8",
	"/assets/app.js":    "text/javascript; charset=utf-8",
	"/assets/style.css": "text/css; charset=utf-8",
	"/assets/icon.svg":  "image/svg+xml",
}

func TestPageAndAssets(t *testing.T) {
	c := serveNew(t, fxtaskstest.New(t))
	for path, contentType := range pageTypes {
		a := c.get(path).want(http.StatusOK).
			wantHeader("Content-Type", contentType).
			wantHeader("Content-Security-Policy", pageCSP).
			wantHeader("X-Content-Type-Options", "nosniff").
			wantHeader("Referrer-Policy", "no-referrer").
			wantHeader("Cache-Control", "no-store")
		if len(a.body) == 0 {
			t.Errorf("%s is empty", path)
		}
	}
}

func TestThePageIsComplete(t *testing.T) {
	c := serveNew(t, fxtaskstest.New(t))
	page := string(c.get("/").want(http.StatusOK).body)
	for _, link := range regexp.MustCompile(`\b(?:href|src)="([^"#]+)"`).FindAllStringSubmatch(page, -1) {
		if path := link[1]; !strings.HasPrefix(path, "?") {
			if strings.HasPrefix(path, "/") {
				t.Errorf("%s is not relative: it breaks behind a proxy with a prefix", path)
			}
			c.get("/" + path).want(http.StatusOK)
		}
	}
}

// What the policy would block, or what would leave the server that the page is from.
func TestThePageRefersToNothingElse(t *testing.T) {
	c := serveNew(t, fxtaskstest.New(t))
	refused := regexp.MustCompile(`(?i)(?:https?:)?//[a-z0-9]|@import|(?-i:\burl\()|<style|<script[^>]*>[^<]|\sstyle=|\son[a-z]+="|javascript:|\beval\(|innerHTML|insertAdjacentHTML`)
	namespace := strings.NewReplacer("http://www.w3.org/2000/svg", "") // a name, which nobody fetches
	for path := range pageTypes {
		text := namespace.Replace(string(c.get(path).want(http.StatusOK).body))
		for _, match := range refused.FindAllString(text, -1) {
			t.Errorf("%s has %q", path, match)
		}
	}
}

// TestWhatIsPackedIsOfTheFiles: they are served from a file that go generate makes.
func TestWhatIsPackedIsOfTheFiles(t *testing.T) {
	files, err := bundle.Read(os.DirFS("."), "assets/*", "openapi.json")
	if err != nil {
		t.Fatal(err)
	}
	packed, err := os.ReadFile("assets.deflate")
	if err != nil {
		t.Fatal(err)
	}
	if unpacked, err := bundle.Unpack(string(packed)); err != nil || !maps.Equal(unpacked, files) {
		t.Errorf("assets.deflate is not of the files in assets/ and openapi.json (%v): run go generate ./httpapi", err)
	}
}

func TestThePageIsSmall(t *testing.T) {
	c := serveNew(t, fxtaskstest.New(t))
	size := len(c.get("/").want(http.StatusOK).body)
	files, err := os.ReadDir("assets")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		if file.Name() != "index.html" {
			size += len(c.get("/assets/" + file.Name()).want(http.StatusOK).body)
		}
	}
	t.Logf("the page and its assets have %d bytes", size)
	if size >= 90_000 {
		t.Errorf("the page and its assets have %d bytes: must stay under 90 KB", size)
	}
}

func TestThePageTellsWhatItIsOf(t *testing.T) {
	m := fxtaskstest.New(t)
	page := func(cfg httpapi.Config) string {
		cfg.AllowUnauthenticated = true
		return string(serve(t, newAPI(t, m, cfg)).get("/").want(http.StatusOK).body)
	}
	const title, environment, readOnly = "Billing & <b>Co</b>", `"><script>alert(1)</script>`, "data-read-only"
	full := page(httpapi.Config{Title: title, Environment: environment, ReadOnly: true})
	bare := page(httpapi.Config{})

	for _, want := range []string{
		"<title>Billing &amp; &lt;b&gt;Co&lt;/b&gt;</title>", "<h1>Billing &amp; &lt;b&gt;Co&lt;/b&gt;</h1>",
		">&#34;&gt;&lt;script&gt;alert(1)&lt;/script&gt;</span>", readOnly,
	} {
		if !strings.Contains(full, want) {
			t.Errorf("the page has no %s", want)
		}
	}
	for _, raw := range []string{title, environment, "alert(1)</script>"} {
		if strings.Contains(full, raw) {
			t.Errorf("the page has %s as it is", raw)
		}
	}
	if !strings.Contains(bare, "<title>Background tasks</title>") {
		t.Error("the page has no default title")
	}
	for _, absent := range []string{readOnly, `class="badge`} {
		if strings.Contains(bare, absent) {
			t.Errorf("the page of a plain config has %s", absent)
		}
	}
}

func TestAssetsThatAreNone(t *testing.T) {
	c := serveNew(t, fxtaskstest.New(t))
	for _, path := range []string{
		"/assets", "/assets/", "/assets/index.html", "/assets/other.js", "/assets/app.js/", "/assets/a/app.js",
		"/assets/%2e%2e%2fopenapi.json", "/assets/..%2fpage.go", "/assets/..%2fassets%2findex.html", "/app.js",
	} {
		c.get(path).wantProblem(http.StatusNotFound)
	}
}
