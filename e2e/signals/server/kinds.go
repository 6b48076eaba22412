package main

import (
	"context"
	"errors"
	"io"
	"os"
	"time"

	"github.com/fxtasks/background/fxtasks"
)

// kind is a kind of work.
type kind struct {
	fn   fxtasks.Func
	opts []fxtasks.TaskOption
}

const (
	brief = 20 * time.Millisecond  // how long tasks run that end by themselves
	saves = 100 * time.Millisecond // how long tasks take to end that are asked to
)

// newKinds gives all kinds of work, by the names of their tasks. All but those that hang use s
// until they return.
func newKinds(s *store) map[string]kind {
	obeys := func(ctx context.Context) error {
		<-ctx.Done()
		time.Sleep(saves)
		s.use(ctx)
		return ctx.Err()
	}
	after := func(end func() error) fxtasks.Func {
		return func(ctx context.Context) error {
			time.Sleep(brief)
			s.use(ctx)
			return end()
		}
	}
	released := stdinClosed()
	return map[string]kind{
		"obeys":     {fn: obeys},
		"times out": {fn: obeys, opts: []fxtasks.TaskOption{fxtasks.WithTimeout(brief)}},
		"finishes":  {fn: after(func() error { return nil })},
		"fails":     {fn: after(func() error { return errors.New("out of paper") })},
		"panics":    {fn: after(func() error { panic("out of paper") })},
		"hangs":     {fn: func(context.Context) error { hangsForEver(); return nil }},
		"works":     {fn: func(ctx context.Context) error { return works(ctx, s, released) }},
	}
}

// hangsForEver stands in the stacks of tasks that hang.
//
//go:noinline
func hangsForEver() { select {} }

// works logs again and again, until it is done or asked to end.
func works(ctx context.Context, s *store, done <-chan struct{}) error {
	ticks := time.NewTicker(brief)
	defer ticks.Stop()
	for {
		s.use(ctx)
		select {
		case <-done:
			return nil
		case <-ctx.Done():
			return ctx.Err()
		case <-ticks.C:
			fxtasks.Logger(ctx).Debug("still at work")
		}
	}
}

// stdinClosed gives a channel that is closed when standard input is: so the test tells the tasks
// that they are done, also when no server listens any more.
func stdinClosed() <-chan struct{} {
	closed := make(chan struct{})
	go func() {
		defer close(closed)
		_, _ = io.Copy(io.Discard, os.Stdin) // an error ends it, too
	}()
	return closed
}
