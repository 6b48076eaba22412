package echomount

import (
	"context"
	"io"
	"net/http"
)

// Handler serves api below prefix. It refuses event streams where middleware keeps the response until
// the handler has returned, as Echo's Timeout and http.TimeoutHandler do: Echo's own Flush would
// panic, and a client wait for ever.
func Handler(prefix string, api http.Handler) http.Handler {
	mounted := http.StripPrefix(prefix, api)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == prefix+"/events" && !flushes(w) {
			h := w.Header()
			h.Set("Cache-Control", "no-store")
			h.Set("Content-Type", "application/problem+json")
			w.WriteHeader(http.StatusInternalServerError)
			_, _ = io.WriteString(w, cannotStream) // the client has gone: nobody is left to tell
			return
		}
		mounted.ServeHTTP(w, r)
	})
}

const cannotStream = `{"type":"about:blank","title":"Internal Server Error","status":500,` +
	`"detail":"events cannot be streamed: middleware of the application buffers responses"}` + "\n"

// flushes tells whether what lies below w can flush. Echo's own writer always claims that it can.
func flushes(w http.ResponseWriter) bool {
	for {
		outer, ok := w.(interface{ Unwrap() http.ResponseWriter })
		if !ok {
			break
		}
		w = outer.Unwrap()
	}
	switch w.(type) {
	case http.Flusher, interface{ FlushError() error }:
		return true
	}
	return false
}

// WithLocation gives w with that Location, whatever is set before the headers are written.
func WithLocation(w http.ResponseWriter, location string) http.ResponseWriter {
	return &located{w, location}
}

type located struct {
	http.ResponseWriter
	location string
}

// WriteHeader implements http.ResponseWriter.
func (l *located) WriteHeader(status int) {
	l.Header().Set("Location", l.location)
	l.ResponseWriter.WriteHeader(status)
}

// Unwrap lets http.ResponseController reach the server's writer.
func (l *located) Unwrap() http.ResponseWriter { return l.ResponseWriter }

type callerKey struct{}

// WithCaller gives r such that Caller gives what caller gives.
func WithCaller(r *http.Request, caller func() string) *http.Request {
	return r.WithContext(context.WithValue(r.Context(), callerKey{}, caller))
}

// Caller tells who asks, for httpapi's Config.
func Caller(r *http.Request) string {
	if caller, ok := r.Context().Value(callerKey{}).(func() string); ok {
		return caller()
	}
	return ""
}
