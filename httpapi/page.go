package httpapi

import (
	"embed"
	"html"
	"net/http"
	"path"
	"strings"
)

//go:embed assets
var assets embed.FS

//go:embed openapi.json
var openAPI []byte

// assetTypes are the kinds of files that are served. Package mime would ask the machine, and there are
// some that call a script plain text, which no browser runs.
var assetTypes = map[string]string{
	".css": "text/css; charset=utf-8",
	".js":  "text/javascript; charset=utf-8",
	".svg": "image/svg+xml",
}

const (
	jsonType = "application/json"

	contentSecurityPolicy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; " +
		"connect-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)

// renderPage fills in the dashboard's one page. All that it needs to know is in it: its scripts are
// files, as the policy above wants it, and are the same for all. Package html/template would add
// 5 MB to every program that links this one, for four values.
func renderPage(c Config) []byte {
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
	index, _ := assets.ReadFile("assets/index.html") // it is there: the build would fail without
	return []byte(strings.NewReplacer("{{title}}", title, "{{body}}", body, "{{badges}}", badges).Replace(string(index)))
}

// servePage answers GET /.
func (a *API) servePage(w http.ResponseWriter, _ *http.Request, _ string) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	_, _ = w.Write(a.page) // the client has gone: nobody is left to tell
}

// serveAsset answers GET /assets/*.
func (a *API) serveAsset(w http.ResponseWriter, _ *http.Request, name string) {
	contentType, known := assetTypes[path.Ext(name)]
	data, err := assets.ReadFile(path.Join("assets", name))
	if !known || err != nil {
		newProblem(http.StatusNotFound, "no such resource").write(w)
		return
	}
	w.Header().Set("Content-Type", contentType)
	_, _ = w.Write(data)
}

// serveOpenAPI answers GET /openapi.json.
func (a *API) serveOpenAPI(w http.ResponseWriter, _ *http.Request, _ string) {
	w.Header().Set("Content-Type", jsonType)
	_, _ = w.Write(openAPI)
}
