package httpapi_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// inBubble gives a function that asks the API under its mount, without a connection: in a bubble
// of testing/synctest nothing can wait for one.
func inBubble(t testing.TB, h http.Handler) func(method, path, body string, headers ...string) answer {
	h = mounted(h)
	return func(method, path, body string, headers ...string) answer {
		w := httptest.NewRecorder()
		h.ServeHTTP(w, newRequest(method, path, body, headers...))
		return answer{t, method + " " + path, w.Code, w.Header(), w.Body.Bytes()}
	}
}

// newRequest makes a request as a server does.
func newRequest(method, path, body string, headers ...string) *http.Request {
	r := httptest.NewRequest(method, mount+path, strings.NewReader(body)) // sets RequestURI
	for _, header := range headers {
		name, value, _ := strings.Cut(header, ": ")
		r.Header.Add(name, value)
	}
	return r
}
