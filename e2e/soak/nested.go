package main

import (
	"context"
	"errors"
	"io"
	"sync"
	"time"

	"github.com/fxtasks/background/e2e/soak/checks"
	"github.com/fxtasks/background/fxtasks"
)

// waitForOne submits a task and waits for it, as deep as tasks go: a full manager must not hang.
func (s *stage) waitForOne() error {
	child := s.submit()
	if child.Task() == nil {
		return nil
	}
	s.lend(func() { s.r.await(s.ctx, s.luck, child) })
	return s.ctx.Err()
}

// waitForSome waits for several tasks in as many goroutines.
func (s *stage) waitForSome() error {
	var children []placed
	for range 1 + s.IntN(4) {
		if child := s.submit(); child.Task() != nil {
			children = append(children, child)
		}
	}
	s.lend(func() {
		var all sync.WaitGroup
		for n, child := range children {
			l := newLuck(s.Uint64(), uint64(n))
			all.Go(func() { s.r.await(s.ctx, l, child) })
		}
		all.Wait()
	})
	return s.ctx.Err()
}

// cancelItself asks for its own end, which does not wait for it.
func (s *stage) cancelItself() error {
	s.self.Cancel(s.r.cause(s.luck, s.self.ID()))
	<-s.ctx.Done()
	return pick(s.luck, nil, context.Cause(s.ctx))
}

func (s *stage) cancelAnother() error {
	s.lend(func() {
		if e := s.r.anyOf(s.luck); e != nil && e.Task().ID() != s.self.ID() {
			s.r.cancelByID(s.ctx, s.luck, e.Task().ID())
		}
	})
	return nil
}

// readEvents waits for the next events with the task's context.
func (s *stage) readEvents() error {
	sub := s.r.manager.Subscribe(fxtasks.Latest)
	for range 1 + s.IntN(3) {
		ctx, cancel := context.WithTimeout(s.ctx, s.upTo(5*time.Millisecond))
		s.lend(func() {
			if _, err := sub.Next(ctx); err != nil && err != io.EOF && ctx.Err() == nil {
				s.r.findings.Addf("Next gave %v to a task", err)
			}
		})
		cancel()
	}
	return nil
}

// waitForItself makes calls that could never return, and must be refused.
func (s *stage) waitForItself() error {
	nobody := &checks.Cause{For: "nobody"} // cancels nothing
	calls := map[string]func() error{
		"Task.Wait":         func() error { return s.self.Wait(s.ctx) },
		"Manager.Wait":      func() error { return s.r.manager.Wait(s.ctx) },
		"Manager.CancelAll": func() error { return s.r.manager.CancelAll(s.ctx, nobody) },
		"Manager.Shutdown": func() error {
			_, err := s.r.manager.Shutdown(s.ctx)
			return err
		},
	}
	if s.entry.ID == "" { // else the ID may be another's by now
		calls["Manager.Cancel"] = func() error {
			_, err := s.r.manager.Cancel(s.ctx, s.self.ID(), nobody)
			return err
		}
	}
	if g := s.r.group[s.entry.Group]; g != nil {
		calls["Group.Wait"] = func() error { return g.Wait(s.ctx) }
		calls["Group.Shutdown"] = func() error {
			_, err := g.Shutdown(s.ctx)
			return err
		}
	}
	for name, call := range calls {
		if err := call(); !errors.Is(err, fxtasks.ErrInvalid) {
			s.r.findings.Addf("submit %d: %s with its own context gave %v, want ErrInvalid", s.entry.N, name, err)
		}
	}
	return nil
}
