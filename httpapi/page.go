package httpapi

import (
	"bytes"
	"embed"
	"html/template"
	"net/http"
	"path"
)

//go:embed assets
var assets embed.FS

//go:embed openapi.json
var openAPI []byte

// page is the dashboard's one page. All that it needs to know is in it: its script is a file, as
// the policy below wants it, and is the same for all.
var page = template.Must(template.ParseFS(assets, "assets/index.html"))

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

// servePage answers GET /.
func (a *API) servePage(w http.ResponseWriter, _ *http.Request, _ string) {
	var html bytes.Buffer
	if err := page.Execute(&html, a.cfg); err != nil {
		newProblem(http.StatusInternalServerError, "").write(w)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	_, _ = w.Write(html.Bytes()) // the client has gone: nobody is left to tell
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
