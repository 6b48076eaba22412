package main

import (
	"context"
	"errors"
	"fmt"
	"runtime"

	"github.com/fxtasks/background/fxtasks"
)

// dawdle puts the fault off, perhaps until the task has been asked to end.
func (s *stage) dawdle() {
	if s.oneIn(2) {
		_ = s.heed()
	}
}

func (s *stage) panicValue() error {
	s.dawdle()
	panic(s.entry.Panics(fmt.Sprintf("task %d panics", s.entry.N)))
}

func (s *stage) panicError() error {
	s.dawdle()
	panic(s.entry.Panics(fmt.Errorf("task %d panics: %w", s.entry.N, context.Canceled)))
}

func (s *stage) panicNil() error {
	s.dawdle()
	panic(s.entry.Panics(nil))
}

func (s *stage) goexit() error {
	s.dawdle()
	defer func() { _ = recover() }() // which must not make a difference
	s.entry.Exits()
	runtime.Goexit()
	return nil
}

// uncomparable is an error that panics when it is compared with itself.
type uncomparable []string

func (u uncomparable) Error() string { return fmt.Sprint([]string(u)) }

// broken is an error whose methods panic when its pointer is nil.
type broken struct{ message string }

func (b *broken) Error() string { return b.message }

// oddError returns errors that are hard to handle, or that mean something else when others return
// them.
func (s *stage) oddError() error {
	s.dawdle()
	return pick[error](s.luck,
		uncomparable{"an error", "that is a slice"},
		(*broken)(nil),
		errors.Join(context.Canceled, context.DeadlineExceeded),
		context.Canceled,
		fxtasks.ErrCancelled,
		fxtasks.ErrTimeout,
		fxtasks.ErrShutdown,
		fxtasks.ErrGoexit,
		&fxtasks.PanicError{Value: "of another"},
	)
}

// ignore goes on until the round lets it go.
func (s *stage) ignore() error {
	if hold := s.r.hogs.hold(); hold != nil {
		s.entry.Hangs(".hang(")
		hang(hold)
		s.entry.GoesOn(hold.letGo)
	}
	return pick(s.luck, nil, errors.New("late"))
}

// ignoreWithChildren does the same, and so does a goroutine that it has started.
func (s *stage) ignoreWithChildren() error {
	hold := s.r.hogs.hold()
	if hold == nil {
		return nil
	}
	hanging, over := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(over)
		close(hanging)
		hangChild(hold)
	}()
	<-hanging
	s.entry.Hangs(".hang(", "ignoreWithChildren.func") // the child may not have come to hangChild yet
	hang(hold)
	s.entry.GoesOn(hold.letGo)
	<-over
	return nil
}

//go:noinline
func hang(h *hold) { <-h.over }

//go:noinline
func hangChild(h *hold) { <-h.over }
