// Package bidi speaks WebDriver BiDi, the protocol that Firefox is driven by: commands and their
// results, and events, as JSON over one WebSocket. https://w3c.github.io/webdriver-bidi/
package bidi

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"

	"github.com/coder/websocket"
	"github.com/coder/websocket/wsjson"
)

// Session is one with a browser. It is safe for any number of callers at once.
type Session struct {
	conn *websocket.Conn
	hear func(method string, params json.RawMessage)
	ids  atomic.Int64
	gone chan struct{} // closed when the browser says no more

	mu    sync.Mutex // protects calls
	calls map[int64]chan<- message
}

// message is what the browser sends: the result of a command, or an event.
type message struct {
	ID     int64
	Type   string
	Method string
	Params json.RawMessage
	Result json.RawMessage
	Error  string
	Text   string `json:"message"`
}

// Dial begins a session with the browser at the URL, as ws://127.0.0.1:9222/session. Events that are
// subscribed to come to hear, one after the other; it must not call the session.
func Dial(ctx context.Context, url string, hear func(method string, params json.RawMessage)) (*Session, error) {
	conn, _, err := websocket.Dial(ctx, url, nil)
	if err != nil {
		return nil, err
	}
	conn.SetReadLimit(-1)
	s := &Session{conn: conn, hear: hear, gone: make(chan struct{}), calls: make(map[int64]chan<- message)}
	go s.read()
	if err := s.Call(ctx, "session.new", map[string]any{"capabilities": map[string]any{}}, nil); err != nil {
		s.Close()
		return nil, err
	}
	return s, nil
}

// Close ends the connection, and waits until nothing of it is left.
func (s *Session) Close() {
	_ = s.conn.CloseNow() // an error: the browser was quicker
	<-s.gone
}

// Call has the browser run a command, and decodes its result; nil: what it gives does not matter.
func (s *Session) Call(ctx context.Context, method string, params, result any) error {
	answer := make(chan message, 1)
	id := s.ids.Add(1)
	s.mu.Lock()
	s.calls[id] = answer
	s.mu.Unlock()
	defer func() {
		s.mu.Lock()
		delete(s.calls, id)
		s.mu.Unlock()
	}()
	// Not with ctx: its end would close the connection of all.
	if err := wsjson.Write(context.Background(), s.conn, map[string]any{"id": id, "method": method, "params": params}); err != nil {
		return err
	}
	select {
	case m := <-answer:
		if m.Type == "error" {
			return fmt.Errorf("%s: %s: %s", method, m.Error, m.Text)
		}
		if result == nil {
			return nil
		}
		return json.Unmarshal(m.Result, result)
	case <-s.gone:
		return errors.New("the browser has gone")
	case <-ctx.Done():
		return fmt.Errorf("%s: %w", method, ctx.Err())
	}
}

func (s *Session) read() {
	defer close(s.gone)
	for {
		var m message
		if err := wsjson.Read(context.Background(), s.conn, &m); err != nil {
			return
		}
		if m.Type == "event" {
			s.hear(m.Method, m.Params)
			continue
		}
		s.mu.Lock()
		answer := s.calls[m.ID]
		s.mu.Unlock()
		if answer != nil { // nil: nobody waits any more
			answer <- m
		}
	}
}
