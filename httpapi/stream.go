package httpapi

import (
	"context"
	"net/http"
	"sync"
	"time"
)

// streams keeps account of the open event streams.
type streams struct {
	// Never change.
	max     int
	closing chan struct{} // closed by CloseStreams

	mu   sync.Mutex // protects open, and the closing of closing
	open map[*stream]struct{}
}

// CloseStreams ends all open event streams, also those whose client has stopped reading, and the
// waiting of requests with "Prefer: wait"; further streams are refused. Register it with
// http.Server.RegisterOnShutdown: Shutdown would wait for all of them until its context ends. It
// does not block.
func (a *API) CloseStreams() {
	a.streams.mu.Lock()
	defer a.streams.mu.Unlock()
	if !a.streams.isClosing() {
		close(a.streams.closing)
	}
	for s := range a.streams.open {
		s.close()
	}
}

func (all *streams) isClosing() bool {
	select {
	case <-all.closing:
		return true
	default:
		return false
	}
}

// add takes in a stream. It reports false when there are too many, or no more shall be.
func (all *streams) add(s *stream) bool {
	all.mu.Lock()
	defer all.mu.Unlock()
	if all.isClosing() || len(all.open) >= all.max {
		return false
	}
	all.open[s] = struct{}{}
	return true
}

func (all *streams) remove(s *stream) {
	all.mu.Lock()
	defer all.mu.Unlock()
	delete(all.open, s)
}

// writeTimeout is how long a client may leave what was sent to it unread, before it has to connect
// again.
const writeTimeout = 30 * time.Second

// stream is one open event stream.
type stream struct {
	w      http.ResponseWriter
	rc     *http.ResponseController
	cancel context.CancelFunc // ends the context that the stream waits with

	mu     sync.Mutex // protects closed, and the order of deadlines
	closed bool
}

func newStream(w http.ResponseWriter, cancel context.CancelFunc) *stream {
	return &stream{w: w, rc: http.NewResponseController(w), cancel: cancel}
}

// write sends data to the client now. The server's WriteTimeout, which is for whole responses, is
// replaced by one for each write.
func (s *stream) write(data []byte) error {
	if err := s.extend(); err != nil {
		return err
	}
	if _, err := s.w.Write(data); err != nil {
		return err
	}
	return s.rc.Flush()
}

func (s *stream) extend() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return http.ErrServerClosed
	}
	_ = s.rc.SetWriteDeadline(time.Now().Add(writeTimeout)) // not all writers can: then none is in force
	return nil
}

// close makes a write that hangs, and all later ones, fail.
func (s *stream) close() {
	s.cancel()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
	_ = s.rc.SetWriteDeadline(time.Now())
}
