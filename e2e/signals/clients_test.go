//go:build unix

package signals_test

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
)

// load is an application with clients that submit work until it serves them no more.
type load struct {
	*application
	work      []workKind
	clients   sync.WaitGroup
	signalled atomic.Bool // from here on requests may fail

	mu       sync.Mutex          // protects the fields below, until the clients have stopped
	accepted map[string]workKind // by the IDs that were answered 202
	refused  map[string]bool     // IDs that were answered 503
}

// startLoad starts the clients.
func startLoad(a *application, work []workKind) *load {
	l := &load{application: a, work: work, accepted: make(map[string]workKind), refused: make(map[string]bool)}
	const clients = 50
	for n := range clients {
		l.clients.Go(func() { l.client(n) })
	}
	a.t.Cleanup(func() {
		_ = a.cmd.Process.Kill() // nothing else stops the clients
		l.clients.Wait()
	})
	return l
}

// client submits work, one request after the other, until it has been refused some times or is not
// answered any more. It has a connection of its own: one that the client's transport dials in vain
// would hold up the server's end.
func (l *load) client(n int) {
	transport := new(http.Transport)
	defer transport.CloseIdleConnections()
	c := &http.Client{Transport: transport, Timeout: patience}
	for i, refusals := 0, 0; refusals < 10; i++ {
		w := l.work[(n+i)%len(l.work)]
		id := fmt.Sprintf("%d-%d", n, i)
		response, err := c.Post(l.workURL(w.kind, id), "", nil)
		if err != nil {
			if timeout := net.Error(nil); !l.signalled.Load() || errors.As(err, &timeout) && timeout.Timeout() {
				l.t.Errorf("%s: %v", id, err)
			}
			return
		}
		_, _ = io.Copy(io.Discard, response.Body) // cut off: the headers have said it all
		_ = response.Body.Close()
		switch response.StatusCode {
		case http.StatusAccepted:
			if location := response.Header.Get("Location"); !strings.HasSuffix(location, "/"+id) {
				l.t.Errorf("the Location of %s is %q", id, location)
			}
			l.mu.Lock()
			l.accepted[id] = w
			l.mu.Unlock()
		case http.StatusServiceUnavailable:
			if !l.signalled.Load() || response.Header.Get("Retry-After") == "" {
				l.t.Errorf("%s is refused with %v, before the signal or without Retry-After", id, response.Header)
			}
			refusals++
			l.mu.Lock()
			l.refused[id] = true
			l.mu.Unlock()
		default:
			l.t.Errorf("%s: %s, want 202 or 503", id, response.Status)
			return
		}
	}
}

// fates gives those that are right for the work.
func (l *load) fates() (all []string) {
	for _, w := range l.work {
		all = append(all, w.fates...)
	}
	return all
}
