package fxtasks

import (
	"context"
	"sync"
	"sync/atomic"
	"time"
)

// liveContext is the inner context of a taskContext. Unlike those of the context package it can end with any
// cause and with DeadlineExceeded.
type liveContext struct {
	context.Context
	cancel  context.CancelCauseFunc
	timeout *timeoutSource // nil: it cannot end with DeadlineExceeded
}

func newLiveContext(hasTimeout bool) *liveContext {
	l := new(liveContext)
	parent := context.Background()
	if hasTimeout {
		l.timeout = &timeoutSource{Context: parent, done: make(chan struct{})}
		parent = l.timeout
	}
	l.Context, l.cancel = context.WithCancelCause(parent)
	return l
}

// end ends l, unless it has ended.
func (l *liveContext) end(e *ending) {
	if l == e.ended {
		return
	}
	if e == endTimeout {
		l.timeout.fire()
	}
	l.cancel(e.cause) // also after fire, so that the parent drops its reference
}

// timeoutSource is the parent of a context that ends with DeadlineExceeded when fire is called. The
// context package offers this only with a timer of its own. That timer and the record could then
// disagree about which cause came first.
type timeoutSource struct {
	context.Context
	done  chan struct{}
	fired atomic.Bool

	mu    sync.Mutex // protects after, and is held while after runs, so that stop returns only when that is over
	after func()     // ends the one derived context
}

// timedOut is an ended context, with the Err and the Cause that a timeoutSource has once it is fired.
var timedOut = func() context.Context {
	ctx, cancel := context.WithDeadlineCause(context.Background(), time.Unix(0, 0), ErrTimeout)
	cancel()
	return ctx
}()

func (s *timeoutSource) Done() <-chan struct{} { return s.done }

func (s *timeoutSource) Err() error {
	if s.fired.Load() {
		return timedOut.Err()
	}
	return nil
}

func (s *timeoutSource) Value(key any) any {
	if s.fired.Load() {
		return timedOut.Value(key)
	}
	return nil
}

// AfterFunc is what the context package calls instead of starting a goroutine that waits for Done.
func (s *timeoutSource) AfterFunc(f func()) (stop func() bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.after = f
	return func() bool {
		s.mu.Lock()
		defer s.mu.Unlock()
		waiting := s.after != nil
		s.after = nil
		return waiting
	}
}

// fire ends the derived context with DeadlineExceeded, unless that has ended.
func (s *timeoutSource) fire() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if after := s.after; after != nil {
		s.after = nil
		s.fired.Store(true)
		close(s.done)
		after()
	}
}
