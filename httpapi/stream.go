package httpapi

import (
	"context"
	"errors"
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

const (
	// writeTimeout is how long a client may leave what was sent to it unread, before it has to
	// connect again.
	writeTimeout = 30 * time.Second
	// lastWriteTimeout is the same for a write that has begun when the stream is closed, and
	// endTimeout for the end of the response after it.
	lastWriteTimeout = 5 * time.Millisecond
	endTimeout       = time.Second
)

// stream is one open event stream.
type stream struct {
	w      http.ResponseWriter
	rc     *http.ResponseController
	cancel context.CancelFunc // ends the context that the stream waits with

	mu      sync.Mutex // protects what follows, and the order of deadlines
	writing bool
	closed  bool
}

func newStream(w http.ResponseWriter, cancel context.CancelFunc) *stream {
	return &stream{w: w, rc: http.NewResponseController(w), cancel: cancel}
}

// canFlush reports whether what is written to w can be sent at once. It looks at the innermost
// writer, since those that middleware puts around it may have a Flush that does not work, and
// trying would send the headers.
func canFlush(w http.ResponseWriter) bool {
	for {
		outer, ok := w.(interface{ Unwrap() http.ResponseWriter })
		if !ok {
			break
		}
		w = outer.Unwrap()
	}
	_, flusher := w.(http.Flusher)
	_, flushError := w.(interface{ FlushError() error })
	return flusher || flushError
}

// write sends data to the client now. The server's WriteTimeout, which is for whole responses, is
// replaced by one for each write.
func (s *stream) write(data []byte) error {
	if !s.begin() {
		return http.ErrServerClosed
	}
	defer s.end()
	if _, err := s.w.Write(data); err != nil {
		return err
	}
	if err := s.rc.Flush(); !errors.Is(err, http.ErrNotSupported) {
		return err
	}
	return nil
}

func (s *stream) begin() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.closed {
		s.writing = true
		_ = s.rc.SetWriteDeadline(time.Now().Add(writeTimeout)) // not all writers can: then none is in force
	}
	return !s.closed
}

func (s *stream) end() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.writing = false
	if s.closed { // the server still has to send the end of the response
		_ = s.rc.SetWriteDeadline(time.Now().Add(endTimeout))
	}
}

// close makes all later writes fail, and one that hangs. The handler then returns, and a client that
// reads gets a clean end.
func (s *stream) close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
	timeout := endTimeout
	if s.writing {
		timeout = lastWriteTimeout
	}
	_ = s.rc.SetWriteDeadline(time.Now().Add(timeout))
	s.cancel()
}
