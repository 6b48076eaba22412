package main

import (
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"sync"

	"go.uber.org/fx"
)

// Receiver is a web server of this process that is told about events.
type Receiver struct {
	server  *httptest.Server
	answers Answers

	mu       sync.Mutex     // protects what follows
	attempts map[string]int // by event
	received map[string]int
}

// Answers decides what becomes of the n-th attempt to deliver an event, 1 being the first: an HTTP
// status, or one of the constants.
type Answers func(event string, n int) (status int)

const (
	never   = 0  // there is no answer as long as the client waits
	hangsUp = -1 // the connection is closed without one
)

// random lets about half of all attempts fail, but none after the third.
func random(event string, n int) (status int) {
	if event == unwanted {
		return http.StatusGone
	}
	failures := []int{http.StatusServiceUnavailable, http.StatusTooManyRequests, never, hangsUp}
	if n > 3 || rand.IntN(2) == 0 {
		return http.StatusNoContent
	}
	return failures[rand.IntN(len(failures))]
}

// NewReceiver starts one, which is closed on stop.
func NewReceiver(lc fx.Lifecycle, answers Answers) *Receiver {
	r := &Receiver{answers: answers, attempts: make(map[string]int), received: make(map[string]int)}
	r.server = httptest.NewServer(r)
	lc.Append(fx.StopHook(r.server.Close))
	return r
}

// URL is where events are posted to.
func (r *Receiver) URL() string { return r.server.URL }

// Received gives how often an event was received.
func (r *Receiver) Received(event string) int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.received[event]
}

func (r *Receiver) ServeHTTP(w http.ResponseWriter, request *http.Request) {
	body, err := io.ReadAll(request.Body)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	event := string(body)
	switch status := r.answers(event, r.attempt(event)); status {
	case never:
		<-request.Context().Done()
	case hangsUp:
		panic(http.ErrAbortHandler)
	case http.StatusNoContent:
		r.receive(event)
		w.WriteHeader(status)
	default:
		http.Error(w, http.StatusText(status), status)
	}
}

func (r *Receiver) attempt(event string) (n int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.attempts[event]++
	return r.attempts[event]
}

func (r *Receiver) receive(event string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.received[event]++
}
