package fxtasks_test

import (
	"context"
	"fmt"
	"runtime"
	"strings"
	"sync"
	"testing"

	"github.com/fxtasks/background/fxtasks"
)

//go:noinline
func hangsInMiddleware(g *gate) { hangsReceiving(g) }

// TestStackThroughMiddleware has a middleware that wraps, one that hangs itself, and one that runs
// the function on a goroutine of its own.
func TestStackThroughMiddleware(t *testing.T) {
	g := newGate(t, 2)
	wraps := func(next fxtasks.Func) fxtasks.Func {
		return func(ctx context.Context) error { return next(ctx) }
	}
	hangs := func(next fxtasks.Func) fxtasks.Func {
		return func(ctx context.Context) error {
			if self, _ := fxtasks.FromContext(ctx); self.Name() == "held up" {
				hangsInMiddleware(g)
			}
			return next(ctx)
		}
	}
	elsewhere := func(next fxtasks.Func) fxtasks.Func {
		return func(ctx context.Context) error {
			returned := make(chan error)
			go func() { returned <- next(ctx) }()
			return <-returned
		}
	}
	m := newManager(t, fxtasks.Config{}, fxtasks.WithMiddleware(wraps, hangs, elsewhere, wraps))
	submit(t, m, "held up", nothing)
	submit(t, m, "elsewhere", hangIn(hangsInChild, g))
	checkStacks(t, abandon(t, m, g), map[string][]string{
		"held up":   {"hangsInMiddleware", "hangsReceiving"},
		"elsewhere": {"hangsInChild", "hangsReceiving"},
	})
}

// TestStackOnAReusedGoroutine: at a limit, tasks run one after the other on the same goroutines.
func TestStackOnAReusedGoroutine(t *testing.T) {
	const limit = 2
	m := newManager(t, fxtasks.Config{MaxRunning: limit})
	busy := make(chan struct{})
	for range limit {
		submit(t, m, "busy", until(busy))
	}
	for i := range 200 { // queued, so that each takes over the goroutine of one before it
		submit(t, m, "before", func(context.Context) error {
			var mine sync.WaitGroup
			mine.Go(func() {})
			mine.Wait()
			if i%10 == 0 {
				panic("boom")
			}
			return nil
		})
	}
	g := newGate(t, 3)
	submit(t, m, "one", hangIn(hangsReceiving, g))
	submit(t, m, "two", func(context.Context) error {
		go hangsInChild(g)
		return hangsAsParent(g)
	})
	close(busy)
	stacks := abandon(t, m, g)
	checkStacks(t, stacks, map[string][]string{
		"one": {"hangsReceiving"},
		"two": {"hangsAsParent", "hangsInChild", "hangsReceiving"}, // its child hangs there
	})
	if got := strings.Count("\n"+stacks["one"], "\ngoroutine "); got != 1 {
		t.Errorf("the stack of one has %d goroutines, want its own:\n%s", got, stacks["one"])
	}
}

// TestStackOfAGroupsTasks: a group's Shutdown reports its own tasks, with their own stacks.
// A task of Run shares the goroutine of the task that calls Run.
func TestTasksThatShareAGoroutineHaveItsStack(t *testing.T) {
	m := newManager(t, fxtasks.Config{})
	g := newGate(t, 1)
	submit(t, m, "outer", func(ctx context.Context) error {
		return m.Run(ctx, "middle", func(ctx context.Context) error {
			return m.Run(ctx, "inner", hangIn(hangsReceiving, g))
		})
	})
	checkStacks(t, abandon(t, m, g), map[string][]string{
		"outer":  {"hangsReceiving"},
		"middle": {"hangsReceiving"},
		"inner":  {"hangsReceiving"},
	})
}

func TestStackOfAGroupsTasks(t *testing.T) {
	m := newManager(t, fxtasks.Config{})
	eu, err := m.Group("eu", fxtasks.GroupConfig{})
	if err != nil {
		t.Fatal(err)
	}
	g := newGate(t, 3)
	submit(t, eu, "one", hangIn(hangsInChild, g))
	submit(t, eu, "two", hangIn(hangsInOtherChild, g))
	others := submit(t, m, "not the group's", hangIn(hangsInGrandchild, g))
	checkStacks(t, abandon(t, eu, g), map[string][]string{
		"one": {"hangsInChild", "hangsReceiving"},
		"two": {"hangsInOtherChild", "hangsReceiving"},
	})
	if others.Status() != fxtasks.Running {
		t.Errorf("a task that is not the group's is %v", others.Status())
	}
}

// TestStacksAreLeftOutAboveTwentyThousandGoroutines: a dump of them all would stop the process for long.
func TestStacksAreLeftOutAboveTwentyThousandGoroutines(t *testing.T) {
	for _, test := range []struct {
		goroutines int
		leftOut    bool
	}{
		{15_000, false},
		{20_001, true},
	} {
		t.Run(fmt.Sprint(test.goroutines), func(t *testing.T) {
			m := newManager(t, fxtasks.Config{})
			before := runtime.NumGoroutine()
			t.Cleanup(func() { // the next test is to have its stacks
				for runtime.NumGoroutine() > before {
					runtime.Gosched()
				}
			})
			g := newGate(t, test.goroutines+1)
			for range test.goroutines {
				go hangsInOtherChild(g)
			}
			task := submit(t, m, "stuck", hangIn(hangsInChild, g))
			stack, named := abandon(t, m, g)["stuck"]
			if !named || task.Status() != fxtasks.Running {
				t.Error("the stuck task is not in the report")
			}
			if shows := strings.Contains(stack, "hangsInChild"); shows == test.leftOut {
				t.Errorf("the stack shows where it hangs: %v, want %v:\n%s", shows, !test.leftOut, stack)
			}
			if says := strings.Contains(stack, "left out"); says != test.leftOut {
				t.Errorf("the report says %q", stack)
			}
		})
	}
}
