package main

import (
	"context"
	"fmt"
	"time"

	"github.com/fxtasks/background/fxtasks"
)

// act is something for the function of a task to do.
type act struct {
	name   string
	weight int  // how often it is picked, relative to the others
	fault  bool // it is counted as one that was injected
	nests  bool // it submits tasks
	hangs  bool // it goes on whatever becomes of its context
	play   func(*stage) error
}

var (
	returning = act{name: "return", weight: 30, play: func(*stage) error { return nil }}
	failing   = act{name: "fail", weight: 6, play: (*stage).fail}
)

// acts is filled by init, because acts that submit tasks pick from it.
var acts []act

func init() {
	acts = []act{
		returning,
		failing,
		{name: "work", weight: 30, play: (*stage).work},
		{name: "heed its context", weight: 12, play: (*stage).heed},
		{name: "finish in spite of its context", weight: 4, play: (*stage).finish},
		{name: "park", weight: 3, play: (*stage).park},
		{name: "report progress", weight: 4, play: (*stage).report},
		{name: "cancel itself", weight: 2, play: (*stage).cancelItself},

		{name: "wait for a task", weight: 5, nests: true, play: (*stage).waitForOne},
		{name: "wait for tasks at once", weight: 2, nests: true, play: (*stage).waitForSome},
		{name: "cancel another", weight: 2, play: (*stage).cancelAnother},
		{name: "read events", weight: 2, play: (*stage).readEvents},
		{name: "wait for itself", weight: 1, fault: true, play: (*stage).waitForItself},

		{name: "panic", weight: 2, fault: true, play: (*stage).panicValue},
		{name: "panic with an error", weight: 1, fault: true, play: (*stage).panicError},
		{name: "panic(nil)", weight: 1, fault: true, play: (*stage).panicNil},
		{name: "Goexit", weight: 2, fault: true, play: (*stage).goexit},
		{name: "odd error", weight: 3, fault: true, play: (*stage).oddError},
		{name: "ignored context", weight: 2, fault: true, hangs: true, play: (*stage).ignore},
		{name: "ignored context, with children", weight: 2, fault: true, hangs: true, play: (*stage).ignoreWithChildren},
	}
}

// pickAct picks one that ok allows.
func pickAct(l luck, ok func(*act) bool) *act {
	for {
		if a := &acts[l.IntN(len(acts))]; l.IntN(30) < a.weight && ok(a) {
			return a
		}
	}
}

// maxDepth bounds tasks that submit tasks that submit tasks.
const maxDepth = 3

// atDepth allows what a task may do that others have submitted, one the other, so often.
func atDepth(depth int) func(*act) bool {
	return func(a *act) bool { return !a.nests || depth < maxDepth }
}

func hangs(a *act) bool { return a.hangs }
func nests(a *act) bool { return a.nests }

func (s *stage) work() error {
	time.Sleep(s.upTo(2 * time.Millisecond))
	return nil
}

func (s *stage) fail() error { return fmt.Errorf("task %d fails", s.entry.N) }

// heed works for a while unless its context ends, as tasks should.
func (s *stage) heed() error {
	select {
	case <-s.ctx.Done():
		return context.Cause(s.ctx)
	case <-time.After(s.upTo(20 * time.Millisecond)):
		return nil
	}
}

// finish takes the end of its context for a hint only.
func (s *stage) finish() error {
	_ = s.heed()
	return nil
}

// park waits until its context ends. Where nothing may ever end that, the round does.
func (s *stage) park() error {
	if t := s.entry.Timeout; t > 0 && t < time.Second {
		<-s.ctx.Done()
	} else if hold := s.r.hogs.hold(); hold != nil {
		select {
		case <-hold.over:
		case <-s.ctx.Done():
		}
	}
	if s.ctx.Err() == nil {
		return nil
	}
	return fmt.Errorf("parked: %w", context.Cause(s.ctx))
}

func (s *stage) report() error {
	for n := range int64(3) {
		p := fxtasks.Progress{Current: n, Total: 3, Unit: "steps", Message: s.entry.Act}
		fxtasks.ReportProgress(s.ctx, p)
		got := s.self.Info().Progress
		if got.Current != n || got.Total != 3 || got.Unit != p.Unit || got.Message != p.Message || got.UpdatedAt.IsZero() {
			s.r.findings.Addf("submit %d: Progress is %+v, want %+v", s.entry.N, got, p)
		}
		fxtasks.Logger(s.ctx).Info("a line of its own")
	}
	return nil
}
