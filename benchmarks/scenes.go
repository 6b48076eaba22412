package main

import (
	"context"
	"errors"
	"fmt"
	"runtime/metrics"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/fxtasks/background/fxtasks"
)

// The scenes of the rows about the mutex: in each, a manager has a reason to hold it for long.

// withRecords acts on a manager that keeps many finished tasks.
func withRecords(act func(l *library)) scene {
	return func(n sizes, watch func(*fxtasks.Manager, func())) {
		l := openLibrary(n.records)
		defer l.close()
		watch(l.m, func() { act(l) })
	}
}

func (l *library) search() {
	if p := l.m.List(fxtasks.Filter{Metadata: map[string]string{"customer": "none"}}); p.Total != 0 {
		panic(fmt.Sprintf("%d tasks have metadata that none was given", p.Total))
	}
}

func (l *library) cleanup() {
	if n := l.m.Cleanup(); n != l.size {
		panic(fmt.Sprintf("%d tasks of %d were forgotten", n, l.size))
	}
}

// withPending acts on a manager in which many tasks wait for a slot.
func withPending(act func(o ours, n sizes)) scene {
	return func(n sizes, watch func(*fxtasks.Manager, func())) {
		o := open(fxtasks.Config{MaxRunning: workers})
		for range workers {
			o.submit("hold", untilCancelled)
		}
		for range n.queued {
			o.start(nothing)
		}
		watch(o.m, func() { act(o, n) })
		o.close()
	}
}

var untilCancelled = work{run: func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() }}

func (o ours) submitAsMany(n sizes) {
	for range n.queued {
		o.start(nothing)
	}
}

func (o ours) cancelAll(sizes) {
	if err := o.m.CancelAll(context.Background(), nil); err != nil {
		panic(err)
	}
}

func (o ours) shutDown(sizes) { o.close() }

// successors start before many other tasks, because they have the place in the queue of what they
// replace.
func successors(n sizes, watch func(*fxtasks.Manager, func())) {
	o := open(fxtasks.Config{MaxRunning: n.replaced})
	released := make(chan struct{})
	for range 2 {
		for i := range n.replaced {
			must(o.m.Submit(context.Background(), "hold", func(context.Context) error { <-released; return nil },
				fxtasks.WithID(strconv.Itoa(i)), fxtasks.WithDuplicate(fxtasks.Replace)))
		}
	}
	for range n.queued {
		o.start(nothing)
	}
	watch(o.m, func() {
		close(released)
		o.wait()
	})
	o.close()
}

// manyGroups have a task each, of which few may run at once.
func manyGroups(n sizes, watch func(*fxtasks.Manager, func())) {
	o := open(fxtasks.Config{MaxRunning: workers})
	groups := make([]*fxtasks.Group, n.groups)
	for i := range groups {
		groups[i] = must(o.m.Group(strconv.Itoa(i), fxtasks.GroupConfig{}))
	}
	watch(o.m, func() {
		for range 3 {
			for _, g := range groups {
				must(g.Submit(context.Background(), "work", nothing.run))
			}
			o.m.Stats()
			o.wait()
		}
	})
	o.close()
}

// blockedSubmits wait for room in the queue, each to replace the same running task, while no-ops,
// which need none, go past them.
func blockedSubmits(n sizes, watch func(*fxtasks.Manager, func())) {
	o := open(fxtasks.Config{MaxPending: 1})
	released := make(chan struct{})
	replace := func(id string, opts ...fxtasks.TaskOption) {
		opts = append(opts, fxtasks.WithID(id), fxtasks.WithDuplicate(fxtasks.Replace))
		_, err := o.m.Submit(context.Background(), "hold", func(context.Context) error { <-released; return nil }, opts...)
		if err != nil && !errors.Is(err, fxtasks.ErrShuttingDown) {
			panic(err)
		}
	}
	replace("filler")
	replace("filler") // waits until the first has returned, and takes all the room there is
	replace("wanted")
	blocked := block(o.m, n.blocked, func() { replace("wanted", fxtasks.WithBlocking()) })
	watch(o.m, func() {
		for range n.past {
			o.do(nothing)
		}
	})
	close(released)
	o.close()
	blocked.Wait()
}

// manyWaiters wait for one task, which ends.
func manyWaiters(n sizes, watch func(*fxtasks.Manager, func())) {
	o := open(defaults)
	released := make(chan struct{})
	t := o.submit("work", work{run: func(context.Context) error { <-released; return nil }})
	waiters := block(o.m, n.waiters, func() {
		if err := t.Wait(context.Background()); err != nil {
			panic(err)
		}
	})
	watch(o.m, func() {
		close(released)
		waiters.Wait()
	})
	o.close()
}

// block makes n calls that block, each in a goroutine of its own, and returns when all of them are
// blocked and none still queues for the mutex.
func block(m *fxtasks.Manager, n int, call func()) *sync.WaitGroup {
	var calls sync.WaitGroup
	for range n {
		calls.Go(call)
	}
	blocked := []metrics.Sample{{Name: "/sched/goroutines/waiting:goroutines"}}
	for metrics.Read(blocked); blocked[0].Value.Uint64() < uint64(n) || busy(m); metrics.Read(blocked) {
		time.Sleep(time.Millisecond)
	}
	return &calls
}

// busy tells whether others lock the mutex of m.
func busy(m *fxtasks.Manager) bool {
	took := during(func() { time.Sleep(10 * time.Millisecond) }, callState(m))
	return slices.Max(took) > float64(100*time.Microsecond)
}
