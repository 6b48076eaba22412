package fxtasks_test

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fxtasks/background/fxtasks"
)

// tree submits tasks that submit tasks and wait for them, and sees to it that no more of them than
// allowed are doing anything but wait.
type tree struct {
	t       *testing.T
	into    func(depth, child int) fxtasks.Submitter
	wait    func(ctx context.Context, depth int, children []*fxtasks.Task) error
	opts    []fxtasks.TaskOption
	fanout  int
	allowed int32

	busy, most, ran atomic.Int32
}

func (tr *tree) work() {
	for busy, most := tr.busy.Load(), tr.most.Load(); busy > most && !tr.most.CompareAndSwap(most, busy); {
		most = tr.most.Load()
	}
	time.Sleep(time.Second) // lets all others that can run meet this one
}

func (tr *tree) node(depth int) fxtasks.Func {
	return func(ctx context.Context) error {
		tr.busy.Add(1)
		defer tr.busy.Add(-1)
		tr.work()
		tr.ran.Add(1)
		if depth == 0 {
			return nil
		}
		var children []*fxtasks.Task
		tr.busy.Add(-1) // until the last wait is over: one whose blocking submit was let in goes on beyond the limit
		for i := range tr.fanout {
			child, err := tr.into(depth, i).Submit(ctx, "node", tr.node(depth-1), tr.opts...)
			if err != nil {
				return err
			}
			children = append(children, child)
		}
		err := tr.wait(ctx, depth, children)
		tr.busy.Add(1)
		tr.work()
		return err
	}
}

func (tr *tree) run(depth int) {
	tr.t.Helper()
	ctx, cancel := context.WithTimeout(tr.t.Context(), 24*time.Hour)
	defer cancel()
	root := submit(tr.t, tr.into(depth+1, 0), "node", tr.node(depth))
	if err := root.Wait(ctx); err != nil {
		tr.t.Fatalf("the tree did not finish: %v", err)
	}
	nodes := int32(1)
	for level := int32(1); depth > 0; depth-- {
		level *= int32(tr.fanout)
		nodes += level
	}
	if ran := tr.ran.Load(); ran != nodes {
		tr.t.Errorf("%d tasks ran, want %d", ran, nodes)
	}
	if most := tr.most.Load(); most > tr.allowed {
		tr.t.Errorf("%d tasks were busy at once, want at most %d", most, tr.allowed)
	}
}

func waitForEach(ctx context.Context, _ int, children []*fxtasks.Task) error {
	var errs []error
	for _, c := range children {
		errs = append(errs, c.Wait(ctx))
	}
	return errors.Join(errs...)
}

func TestTasksThatWaitForTasksDoNotDeadlockAFullManager(t *testing.T) {
	for _, c := range []struct {
		manager, group int // MaxRunning
		maxPending     int
		depth          int
		blocking       bool
	}{
		{manager: 1, depth: 1},
		{manager: 1, depth: 7},
		{manager: 2, depth: 6},
		{manager: 3, depth: 5},
		{group: 1, depth: 5},
		{manager: 2, group: 1, depth: 6},
		{manager: 1, group: 1, depth: 5},
		{manager: 1, maxPending: -1, depth: 5, blocking: true},
		{manager: 2, maxPending: 1, depth: 5, blocking: true},
		{manager: 2, group: 1, maxPending: -1, depth: 5, blocking: true},
	} {
		t.Run(fmt.Sprintf("%+v", c), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				m := newManager(t, fxtasks.Config{MaxRunning: c.manager, MaxPending: c.maxPending})
				into := []fxtasks.Submitter{m}
				for _, name := range []string{"a", "b"} {
					into = append(into, newGroup(t, m, name, fxtasks.GroupConfig{MaxRunning: c.group}))
				}
				tr := &tree{t: t, fanout: 2, wait: waitForEach, allowed: int32(c.manager)}
				tr.into = func(depth, child int) fxtasks.Submitter { return into[(depth+child)%len(into)] }
				if c.blocking {
					tr.opts = append(tr.opts, fxtasks.WithBlocking())
				}
				if c.manager == 0 { // all in one group, so that its limit is all there is
					tr.into, tr.allowed = func(int, int) fxtasks.Submitter { return into[1] }, int32(c.group)
				}
				tr.run(c.depth)
			})
		})
	}
}

func TestTasksThatWaitForAnotherGroupDoNotDeadlockAFullManager(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const depth = 5
		m := newManager(t, fxtasks.Config{MaxRunning: 1})
		groups := make([]*fxtasks.Group, depth+2)
		for i := range groups {
			groups[i] = newGroup(t, m, fmt.Sprint("level ", i), fxtasks.GroupConfig{MaxRunning: 1})
		}
		tr := &tree{t: t, fanout: 1, allowed: 1}
		tr.into = func(depth, _ int) fxtasks.Submitter { return groups[depth] }
		tr.wait = func(ctx context.Context, depth int, _ []*fxtasks.Task) error { return groups[depth].Wait(ctx) }
		tr.run(depth)
	})
}
