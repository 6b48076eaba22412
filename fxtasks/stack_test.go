package fxtasks_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"github.com/fxtasks/background/fxtasks"
)

// gate holds up whatever passes it. arrived counts what has come, from inside the function that is
// then expected in a stack.
type gate struct {
	arrived sync.WaitGroup
	open    chan struct{}
}

// newGate makes a gate for n to arrive at, which opens when the test ends.
func newGate(t testing.TB, n int) *gate {
	g := &gate{open: make(chan struct{})}
	g.arrived.Add(n)
	t.Cleanup(func() { close(g.open) })
	return g
}

// The functions to hang in, each with a name that only one stack is to show.

//go:noinline
func hangsReceiving(g *gate) {
	g.arrived.Done()
	<-g.open
}

//go:noinline
func hangsLocking(g *gate) {
	var mu sync.Mutex
	mu.Lock()
	go func() {
		<-g.open
		mu.Unlock()
	}()
	g.arrived.Done()
	mu.Lock()
}

//go:noinline
func hangsComputing(g *gate) {
	var stop atomic.Bool
	go func() {
		<-g.open
		stop.Store(true)
	}()
	g.arrived.Done()
	for !stop.Load() {
	}
}

//go:noinline
func hangsInDeferred(g *gate) {
	defer func() {
		g.arrived.Done()
		<-g.open
	}()
	panic("boom")
}

// hangsDeep is deeper than a traceback is long: frames in the middle of it are elided.
//
//go:noinline
func hangsDeep(g *gate, depth int) int {
	if depth > 0 {
		return hangsDeep(g, depth-1) + 1
	}
	g.arrived.Done()
	<-g.open
	return 0
}

//go:noinline
func hangsInChild(g *gate) { hangsReceiving(g) }

//go:noinline
func hangsInGrandchild(g *gate) { hangsReceiving(g) }

//go:noinline
func hangsInOtherChild(g *gate) { hangsReceiving(g) }

func hangIn(f func(*gate), g *gate) fxtasks.Func {
	return func(context.Context) error {
		f(g)
		return nil
	}
}

// abandon waits until all have arrived, shuts down with no budget at all, and gives the stacks of
// the stuck tasks by name.
func abandon(t *testing.T, s shutdowner, g *gate) map[string]string {
	t.Helper()
	g.arrived.Wait()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	report, err := s.Shutdown(ctx)
	if err == nil {
		t.Fatalf("no task is stuck: %+v", report)
	}
	stacks := make(map[string]string)
	for _, stuck := range report.Stuck {
		stacks[stuck.Info.Name] = stuck.Stack
	}
	return stacks
}

// checkStacks wants each stack to show the functions that are given for it, and no other function
// to hang in that is given for anyone.
func checkStacks(t *testing.T, stacks map[string]string, want map[string][]string) {
	t.Helper()
	if got, want := slices.Sorted(maps.Keys(stacks)), slices.Sorted(maps.Keys(want)); !slices.Equal(got, want) {
		t.Fatalf("stuck are %q, want %q", got, want)
	}
	all := slices.Concat(slices.Collect(maps.Values(want))...)
	for name, stack := range stacks {
		for _, function := range all {
			shows := strings.Contains(stack, "fxtasks_test."+function+"(")
			if wanted := slices.Contains(want[name], function); shows != wanted {
				t.Errorf("the stack of %s shows %s: %v, want %v:\n%s", name, function, shows, wanted, stack)
			}
		}
	}
}

func TestStuckTasksAreReportedWithTheStackTheyHangOn(t *testing.T) {
	for _, cfg := range []fxtasks.Config{{}, {MaxRunning: 10}} {
		t.Run(fmt.Sprintf("MaxRunning %d", cfg.MaxRunning), func(t *testing.T) {
			m := newManager(t, cfg)
			g := newGate(t, 5)
			submit(t, m, "receives", hangIn(hangsReceiving, g))
			submit(t, m, "locks", hangIn(hangsLocking, g))
			submit(t, m, "computes", hangIn(hangsComputing, g))
			submit(t, m, "defers", hangIn(hangsInDeferred, g))
			submit(t, m, "recurses", hangIn(func(g *gate) { hangsDeep(g, 1000) }, g))
			checkStacks(t, abandon(t, m, g), map[string][]string{
				"receives": {"hangsReceiving"},
				"locks":    {"hangsLocking"},
				"computes": {"hangsComputing"},
				"defers":   {"hangsInDeferred"},
				"recurses": {"hangsDeep"},
			})
		})
	}
}

// TestStackIsOfTheEndOfTheBudget has a task go from one place to another when it is asked to end.
func TestStackIsOfTheEndOfTheBudget(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newManager(t, fxtasks.Config{})
		g := newGate(t, 1)
		submit(t, m, "task", func(ctx context.Context) error {
			hangsUntilAsked(ctx)
			hangsReceiving(g)
			return nil
		})
		synctest.Wait()
		d := <-startShutdown(t.Context(), m)
		if len(d.report.Stuck) != 1 {
			t.Fatalf("Shutdown gave %+v, %v", d.report, d.err)
		}
		if stack := d.report.Stuck[0].Stack; !strings.Contains(stack, "hangsReceiving") || strings.Contains(stack, "hangsUntilAsked") {
			t.Errorf("the stack does not show where it hangs now:\n%s", stack)
		}
	})
}

//go:noinline
func hangsUntilAsked(ctx context.Context) { <-ctx.Done() }

func TestStackShowsGoroutinesThatTheTaskStarted(t *testing.T) {
	m := newManager(t, fxtasks.Config{})
	g := newGate(t, 5)
	submit(t, m, "family", func(context.Context) error {
		go func() {
			go hangsInGrandchild(g)
			hangsInChild(g)
		}()
		hangsReceiving(g)
		return nil
	})
	submit(t, m, "other", func(context.Context) error {
		go hangsInOtherChild(g)
		hangsComputing(g)
		return nil
	})
	stacks := abandon(t, m, g)
	for name, want := range map[string]int{"family": 3, "other": 3} { // hangsComputing has a helper
		if got := strings.Count("\n"+stacks[name], "\ngoroutine "); got != want {
			t.Errorf("the stack of %s has %d goroutines, want %d:\n%s", name, got, want, stacks[name])
		}
	}
	checkStacks(t, stacks, map[string][]string{
		"family": {"hangsReceiving", "hangsInChild", "hangsInGrandchild"},
		"other":  {"hangsComputing", "hangsInOtherChild", "hangsReceiving"}, // its child hangs there
	})
	if own, _, _ := strings.Cut(stacks["family"], "\n\n"); strings.Contains(own, "hangsInChild") || !strings.Contains(own, "hangsReceiving") {
		t.Errorf("the task's own goroutine does not come first:\n%s", stacks["family"])
	}
}

// TestStackDoesNotShowTasksThatTheTaskSubmitted: they are tasks of their own.
func TestStackDoesNotShowTasksThatTheTaskSubmitted(t *testing.T) {
	for _, cfg := range []fxtasks.Config{{}, {MaxRunning: 3}} {
		t.Run(fmt.Sprintf("MaxRunning %d", cfg.MaxRunning), func(t *testing.T) {
			m := newManager(t, cfg)
			g := newGate(t, 3)
			submit(t, m, "parent", func(ctx context.Context) error {
				if _, err := m.Submit(ctx, "child", hangIn(hangsInChild, g)); err != nil {
					t.Error(err)
				}
				_, err := fxtasks.SubmitResult(ctx, m, "result", func(context.Context) (int, error) {
					hangsInOtherChild(g)
					return 0, nil
				})
				if err != nil {
					t.Error(err)
				}
				return hangsAsParent(g)
			})
			checkStacks(t, abandon(t, m, g), map[string][]string{
				"parent": {"hangsAsParent"}, "child": {"hangsInChild"}, "result": {"hangsInOtherChild"},
			})
		})
	}
}

//go:noinline
func hangsAsParent(g *gate) error {
	g.arrived.Done()
	<-g.open
	return nil
}

// A task whose end cannot be logged has not ended either.
func TestTaskThatHangsInTheLoggerIsReportedWithItsStack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		log := zap.New(lineFunc(func(e zapcore.Entry, _ []zapcore.Field) {
			if e.Message == "task failed" {
				hangInTheLogger(release)
			}
		}))
		m, err := fxtasks.New(fxtasks.Config{}, fxtasks.WithLogger(log))
		if err != nil {
			t.Fatal(err)
		}
		task := submit(t, m, "work", func(context.Context) error { return errors.New("failed") })
		synctest.Wait()
		report, err := m.Shutdown(t.Context())
		close(release)
		<-task.Done()
		if len(report.Stuck) != 1 || !strings.Contains(report.Stuck[0].Stack, "hangInTheLogger") {
			t.Errorf("Shutdown gave %v and %+v, want the stack of the logger", err, report.Stuck)
		}
	})
}

//go:noinline
func hangInTheLogger(release <-chan struct{}) { <-release }
