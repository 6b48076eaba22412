package httpapi

import (
	_ "embed"
	"html"
	"io"
	"net/http"
	"path"
	"strings"
	"sync"

	"github.com/fxtasks/background/httpapi/internal/bundle"
)

//go:generate go run ./internal/bundle/pack

// packed is the page's files and the OpenAPI document, compressed: every program that links this
// package carries them.
//
//go:embed assets.deflate
var packed string

// files gives their contents by path. They are unpacked once, when the first is asked for.
var files = sync.OnceValue(func() map[string]string {
	files, err := bundle.Unpack(packed)
	if err != nil { // a test holds that it can be unpacked
		return nil
	}
	return files
})

// assetType gives the type of a file that is served; "": it is not. Package mime would ask the machine,
// and there are some that call a script plain text, which no browser runs.
func assetType(name string) string {
	switch path.Ext(name) {
	case ".css":
		return "text/css; charset=utf-8"
	case ".js":
		return "text/javascript; charset=utf-8"
	case ".svg":
		return "image/svg+xml"
	}
	return ""
}

const (
	jsonType = "application/json"

	contentSecurityPolicy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; " +
		"connect-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)

// renderPage fills in the dashboard's one page. All that it needs to know is in it: its scripts are
// files, as the policy above wants it, and are the same for all. Package html/template would add
// 5 MB to every program that links this one, for four values.
func renderPage(c Config) string {
	title, environment := html.EscapeString(c.Title), html.EscapeString(c.Environment)
	var body, badges string
	if c.ReadOnly {
		body += " data-read-only"
	}
	if c.Jobs != nil {
		body += " data-jobs"
	}
	if c.LoginURL != "" {
		body += ` data-login-url="` + html.EscapeString(c.LoginURL) + `"`
	}
	if environment != "" {
		badges += `<span class="badge environment" data-environment="` + environment + `">` + environment + "</span>\n\t"
	}
	if c.ReadOnly {
		badges += `<span class="badge" title="Tasks cannot be cancelled from here">read-only</span>`
	}
	return strings.NewReplacer("{{title}}", title, "{{body}}", body, "{{badges}}", badges).Replace(files()["assets/index.html"])
}

// servePage answers GET /.
func (a *API) servePage(w http.ResponseWriter, _ *http.Request, _ string) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	_, _ = io.WriteString(w, a.page()) // an error: the client has gone, and nobody is left to tell
}

// serveAsset answers GET /assets/*.
func (a *API) serveAsset(w http.ResponseWriter, _ *http.Request, name string) {
	contentType := assetType(name)
	content, exists := files()[path.Join("assets", name)]
	if contentType == "" || !exists {
		newProblem(http.StatusNotFound, "no such resource").write(w)
		return
	}
	w.Header().Set("Content-Type", contentType)
	_, _ = io.WriteString(w, content)
}

// serveOpenAPI answers GET /openapi.json.
func (a *API) serveOpenAPI(w http.ResponseWriter, _ *http.Request, _ string) {
	w.Header().Set("Content-Type", jsonType)
	_, _ = io.WriteString(w, files()["openapi.json"])
}
