package httpapi_test

import (
	"bytes"
	"context"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fxtasks/background/httpapi"
)

// event is what a stream sends between two blank lines.
type event struct {
	t           testing.TB
	at          time.Duration // since the stream was opened
	id, name    string
	data, retry string
	comment     string
}

func parseEvent(t testing.TB, block string) event {
	t.Helper()
	e := event{t: t}
	for line := range strings.SplitSeq(block, "\n") {
		name, value, ok := strings.Cut(line, ": ")
		field, known := map[string]*string{"id": &e.id, "event": &e.name, "data": &e.data, "retry": &e.retry, "": &e.comment}[name]
		if !ok || !known || *field != "" || value == "" {
			t.Errorf("the line %q of %q is none that belongs there", line, block)
			continue
		}
		*field = value
	}
	return e
}

func (e event) decode(v any) {
	e.t.Helper()
	answer{t: e.t, request: "event " + e.name, body: []byte(e.data)}.decode(v)
}

func (e event) task() task {
	e.t.Helper()
	var body task
	e.decode(&body)
	return body
}

// progressEvent is the data of a "progress" event.
type progressEvent struct {
	ID       string
	Progress progress
}

func (e event) progress() progressEvent {
	e.t.Helper()
	var body progressEvent
	e.decode(&body)
	return body
}

// named gives those of the events that have one of the names.
func named(events []event, names ...string) []event {
	var some []event
	for _, e := range events {
		for _, name := range names {
			if e.name == name {
				some = append(some, e)
			}
		}
	}
	return some
}

func ids(events []event) []string {
	all := []string{}
	for _, e := range events {
		all = append(all, e.id)
	}
	return all
}

// bubbleStream is an event stream in a bubble.
type bubbleStream struct {
	t      testing.TB
	opened time.Time
	status int
	header http.Header
	cut    context.CancelFunc // what the server sees when the client goes

	mu     sync.Mutex // protects text and events
	text   bytes.Buffer
	events []event
}

// stream opens a stream of api, in a bubble.
func stream(t testing.TB, api *httpapi.API, headers ...string) *bubbleStream {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	s := &bubbleStream{t: t, opened: time.Now(), header: make(http.Header), cut: cancel}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		mounted(api).ServeHTTP(s, newRequest("GET", "/events", "", headers...).WithContext(ctx))
	}()
	t.Cleanup(func() { cancel(); <-ended })
	synctest.Wait()
	return s
}

// Header, WriteHeader, Write and Flush make s an http.ResponseWriter.
func (s *bubbleStream) Header() http.Header    { return s.header }
func (s *bubbleStream) WriteHeader(status int) { s.status = status }

func (s *bubbleStream) Write(data []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.Write(data)
}

func (s *bubbleStream) Flush() {
	s.mu.Lock()
	defer s.mu.Unlock()
	text := s.text.String()
	s.text.Reset()
	if !strings.HasSuffix(text, "\n\n") {
		s.t.Errorf("half an event was sent: %q", text)
	}
	for block := range strings.SplitSeq(strings.TrimSuffix(text, "\n\n"), "\n\n") {
		e := parseEvent(s.t, block)
		e.at = time.Since(s.opened)
		s.events = append(s.events, e)
	}
}

// sent gives what the stream has sent since it was asked last, once all is at rest.
func (s *bubbleStream) sent() []event {
	synctest.Wait()
	s.mu.Lock()
	defer s.mu.Unlock()
	defer func() { s.events = nil }()
	return s.events
}

// tasks gives the task events of sent.
func (s *bubbleStream) tasks() []event { return named(s.sent(), "task") }
