package echomount

import (
	"context"
	"net/http"
	"time"
)

// Unhurried runs f, which may take longer than the server's WriteTimeout, as a submit that blocks
// does. Else no answer would be sent after it (HTTP/1.1), or the request would end (HTTP/2): the client
// would not know what has become of the work. The time to write the answer begins after f.
func Unhurried(w http.ResponseWriter, r *http.Request, f func()) {
	server, _ := r.Context().Value(http.ServerContextKey).(*http.Server)
	if server == nil || server.WriteTimeout <= 0 {
		f()
		return
	}
	controller := http.NewResponseController(w)
	_ = controller.SetWriteDeadline(time.Time{}) // an error: then there is none that would pass
	defer func() { _ = controller.SetWriteDeadline(time.Now().Add(server.WriteTimeout)) }()
	f()
}

// WithLocation returns a writer to w that sets the Location header just before the headers are written.
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

// WithCaller returns r with a context from which Caller gets what caller returns.
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
