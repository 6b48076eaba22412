package openapi_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
	"github.com/getkin/kin-openapi/routers/gorillamux"

	"github.com/fxtasks/background/fxtasks"
	"github.com/fxtasks/background/httpapi"
)

func init() {
	for _, contentType := range []string{"text/html", "text/event-stream"} {
		openapi3filter.RegisterBodyDecoder(contentType, openapi3filter.PlainBodyDecoder)
	}
}

const mount = "/ops/background"

// answer is one row of the document.
type answer struct {
	method, path string
	status       int
}

func (a answer) String() string { return fmt.Sprintf("%s %s %d", a.method, a.path, a.status) }

// checker asks a running API, and holds its answers against the document that it serves.
type checker struct {
	url    string // of the mount
	client *http.Client
	doc    *openapi3.T
	router routers.Router
	seen   map[answer]bool
}

func newChecker(t *testing.T, m *fxtasks.Manager, cfg httpapi.Config, seen map[answer]bool) *checker {
	t.Helper()
	return newCheckerBehind(t, m, cfg, seen, func(h http.Handler) http.Handler { return h })
}

// newCheckerBehind is for an API behind some middleware.
func newCheckerBehind(t *testing.T, m *fxtasks.Manager, cfg httpapi.Config, seen map[answer]bool, middleware func(http.Handler) http.Handler) *checker {
	t.Helper()
	api, err := httpapi.New(m, cfg)
	if err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.Handle(mount+"/", http.StripPrefix(mount, api))
	server := httptest.NewServer(middleware(mux))
	t.Cleanup(server.Close)
	t.Cleanup(api.CloseStreams) // before that: Close waits for them

	c := &checker{url: server.URL + mount, client: server.Client(), seen: seen}
	data := document(t, m)
	checkDocument(t, data)
	c.doc = load(t, strict(t, data))
	c.doc.Servers = openapi3.Servers{{URL: c.url}} // what "." means here; the router does not resolve it
	if c.router, err = gorillamux.NewRouter(c.doc); err != nil {
		t.Fatal(err)
	}
	return c
}

// document gives what is served, which no authorizer or list of hosts changes.
func document(t *testing.T, m *fxtasks.Manager) []byte {
	t.Helper()
	api, err := httpapi.New(m, open)
	if err != nil {
		t.Fatal(err)
	}
	w := httptest.NewRecorder()
	api.ServeHTTP(w, httptest.NewRequest("GET", "/openapi.json", nil))
	return w.Body.Bytes()
}

func checkDocument(t *testing.T, data []byte) {
	t.Helper()
	doc := load(t, data)
	if err := doc.Validate(t.Context()); err != nil {
		t.Fatalf("the document is no good: %v", err)
	}
	if !strings.HasPrefix(doc.OpenAPI, "3.1.") {
		t.Errorf("the document is of version %s", doc.OpenAPI)
	}
	if len(doc.Servers) != 1 || doc.Servers[0].URL != "." {
		t.Errorf("the server is not where the document is")
	}
}

func load(t *testing.T, data []byte) *openapi3.T {
	t.Helper()
	doc, err := openapi3.NewLoader().LoadFromData(data)
	if err != nil {
		t.Fatal(err)
	}
	return doc
}

// strict gives a document that allows no members but those that it names. Clients should be
// lenient, so the real one is not like this; but what the API sends shall be documented.
func strict(t *testing.T, data []byte) []byte {
	t.Helper()
	var doc map[string]any
	if err := json.Unmarshal(data, &doc); err != nil {
		t.Fatal(err)
	}
	for _, schema := range doc["components"].(map[string]any)["schemas"].(map[string]any) {
		if schema := schema.(map[string]any); schema["properties"] != nil {
			schema["unevaluatedProperties"] = false
		}
	}
	data, err := json.Marshal(doc)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// documented gives all that the document says may be answered.
func (c *checker) documented() (all []answer) {
	for path, item := range c.doc.Paths.Map() {
		for method, operation := range item.Operations() {
			for status := range operation.Responses.Map() {
				a := answer{method: method, path: path}
				_, _ = fmt.Sscan(status, &a.status)
				all = append(all, a)
			}
		}
	}
	return all
}

func (c *checker) paths() []string { return c.doc.Paths.InMatchingOrder() }

type response struct {
	request *http.Request
	status  int
	header  http.Header
	body    []byte
}

func (c *checker) ask(t *testing.T, method, path, body string, header http.Header) response {
	t.Helper()
	r := c.open(t, method, path, body, header)
	defer func() { _ = r.Body.Close() }()
	data, err := io.ReadAll(r.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response{r.Request, r.StatusCode, r.Header, data}
}

func (c *checker) open(t *testing.T, method, path, body string, header http.Header) *http.Response {
	t.Helper()
	req, err := http.NewRequest(method, c.url+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	for name, values := range header {
		req.Header[name] = values
	}
	if body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	r, err := c.client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// check asks, and wants an answer of that status that is as documented.
func (c *checker) check(t *testing.T, method, path, body string, header http.Header, status int) response {
	t.Helper()
	r := c.ask(t, method, path, body, header)
	if r.status != status {
		t.Errorf("%s %s: %d %s, want %d", method, path, r.status, r.body, status)
	}
	c.validate(t, r)
	return r
}

func (c *checker) validate(t *testing.T, r response) {
	t.Helper()
	route, params, err := c.router.FindRoute(r.request)
	if err != nil {
		t.Fatalf("%s %s: %v", r.request.Method, r.request.URL, err)
	}
	options := &openapi3filter.Options{IncludeResponseStatus: true, MultiError: true}
	err = openapi3filter.ValidateResponse(t.Context(), &openapi3filter.ResponseValidationInput{
		RequestValidationInput: &openapi3filter.RequestValidationInput{
			Request: r.request, PathParams: params, Route: route, Options: options},
		Status: r.status, Header: r.header, Body: io.NopCloser(bytes.NewReader(r.body)), Options: options,
	})
	if err != nil {
		t.Errorf("%s %s: %d %s\n%v", r.request.Method, r.request.URL, r.status, r.body, err)
	}
	c.seen[answer{route.Method, route.Path, r.status}] = true
}

// checkProblem asks for something that is not documented, and wants a problem all the same.
func (c *checker) checkProblem(t *testing.T, method, path string, status int) {
	t.Helper()
	r := c.ask(t, method, path, "", nil)
	var value any
	if err := json.Unmarshal(r.body, &value); err != nil || r.status != status || r.header.Get("Content-Type") != "application/problem+json" {
		t.Errorf("%s %s: %d %s %s (%v), want a problem of %d", method, path, r.status, r.header.Get("Content-Type"), r.body, err, status)
		return
	}
	c.checkSchema(t, "Problem", value)
}

func (c *checker) checkSchema(t *testing.T, schema string, value any) {
	t.Helper()
	err := c.doc.Components.Schemas[schema].Value.VisitJSON(value, openapi3.EnableJSONSchema2020(), openapi3.MultiErrors())
	if err != nil {
		t.Errorf("%v is no %s: %v", value, schema, err)
	}
}

// stream is an open event stream.
type stream struct{ lines *bufio.Scanner }

func (c *checker) stream(t *testing.T, header http.Header) *stream {
	t.Helper()
	r := c.open(t, "GET", "/events", "", header)
	t.Cleanup(func() { _ = r.Body.Close() })
	c.validate(t, response{r.Request, r.StatusCode, r.Header, nil}) // its body has no end
	return &stream{bufio.NewScanner(r.Body)}
}

// next gives the next event and its data.
func (s *stream) next(t *testing.T) (event, data string) {
	t.Helper()
	for s.lines.Scan() {
		name, value, _ := strings.Cut(s.lines.Text(), ": ")
		switch {
		case name == "event":
			event = value
		case name == "data":
			data = value
		case name == "" && event != "":
			return event, data
		}
	}
	t.Fatalf("the stream ended: %v", context.Cause(t.Context()))
	return "", ""
}
