package main

import (
	"context"
	"errors"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/fxtasks/background/fxtasks"
)

// pools is every kind of pool that a row measures.
var pools = map[string]func() pool{
	"ours":            openOurs,
	"ours, limited":   func() pool { return open(fxtasks.Config{MaxRunning: workers}) },
	"ours, followed":  openFollowed,
	"ours, ignored":   func() pool { return openIgnored(10) },
	"by hand":         openByHand,
	"raw":             openRaw,
	"raw, one parent": openParent,
	"pond":            openPond(poolSize),
	"pond, limited":   openPond(workers),
	"ants":            openAnts,
	"conc":            openConc,
	"errgroup":        openErrGroup,
}

// counting counts how often it runs.
func counting(ran *atomic.Int64) work {
	plain := func() error { runtime.Gosched(); ran.Add(1); return nil }
	return work{run: func(context.Context) error { return plain() }, plain: plain}
}

func TestEveryPoolRunsAllTasksOnceBeforeWaitReturns(t *testing.T) {
	const submitters, each = 4, 500
	for name, open := range pools {
		t.Run(name, func(t *testing.T) {
			var ran atomic.Int64
			task, p := counting(&ran), open()
			var all sync.WaitGroup
			for range submitters {
				all.Go(func() {
					for range each {
						p.start(task)
					}
				})
			}
			all.Wait()
			p.wait()
			if got := ran.Load(); got != submitters*each {
				t.Errorf("%d tasks have run, want %d", got, submitters*each)
			}
			p.close()
		})
	}
}

func TestEveryPoolThatCanWaitForATaskHasRunIt(t *testing.T) {
	for name, open := range pools {
		t.Run(name, func(t *testing.T) {
			p, ok := open().(waitingPool)
			if !ok {
				return
			}
			defer p.close()
			var ran atomic.Int64
			task := counting(&ran)
			for want := int64(1); want <= 100; want++ {
				p.do(task)
				if got := ran.Load(); got != want {
					t.Fatalf("%d tasks have run, want %d", got, want)
				}
			}
		})
	}
}

// These are the pools whose close is measured as a drain.
func TestCloseEndsParkedTasks(t *testing.T) {
	const n = 100
	for _, name := range []string{"ours", "by hand", "raw, one parent"} {
		t.Run(name, func(t *testing.T) {
			p := pools[name]()
			var ended atomic.Int64
			var parked sync.WaitGroup
			parked.Add(n)
			for range n {
				p.start(work{run: func(ctx context.Context) error {
					parked.Done()
					<-ctx.Done()
					ended.Add(1)
					return ctx.Err()
				}})
			}
			parked.Wait()
			if got := ended.Load(); got != 0 {
				t.Errorf("%d tasks ended before close", got)
			}
			p.close()
			if got := ended.Load(); got != n {
				t.Errorf("%d tasks have ended when close returns, want %d", got, n)
			}
		})
	}
}

func TestPoolsThatNestRunBothTasksBeforeWaitReturns(t *testing.T) {
	const n = 500
	o := open(fxtasks.Config{MaxRunning: workers})
	nest(o, n)
	if got := o.m.Stats().Completed; got != 2*n {
		t.Errorf("ours: %d tasks have completed, want %d", got, 2*n)
	}
	o.close()

	conc := openConcNested()
	nest(conc, n) // hangs if an inner task does not run, panics if one is started after the wait
	conc.close()
}

func TestByHandShowsATaskAndHowItEnded(t *testing.T) {
	failure := errors.New("no")
	b := newByHand()
	for _, c := range []struct {
		name   string
		result error
		status string
	}{{"good", nil, "completed"}, {"bad", failure, "failed"}} {
		release := make(chan struct{})
		r := b.submit(t.Context(), c.name, func(context.Context) error { <-release; return c.result }, make(chan struct{}))
		listed := b.list()
		if len(listed) != 1 || listed[0].name != c.name || listed[0].id != r.id || listed[0].status != "running" ||
			listed[0].created.IsZero() || !listed[0].finished.IsZero() {
			t.Errorf("%s: the list of running tasks is %+v", c.name, listed)
		}
		close(release)
		<-r.done
		if status, err := b.status(r); status != c.status || err != c.result {
			t.Errorf("%s: it ended as %s, %v", c.name, status, err)
		}
		if r.finished.Before(r.created) {
			t.Errorf("%s: created %v, finished %v", c.name, r.created, r.finished)
		}
		if listed := b.list(); len(listed) > 0 {
			t.Errorf("%s: a task that has ended is still listed: %+v", c.name, listed)
		}
	}
}

func TestByHandCancelsOneTask(t *testing.T) {
	b := newByHand()
	until := func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() }
	one := b.submit(t.Context(), "one", until, make(chan struct{}))
	other := b.submit(t.Context(), "other", until, make(chan struct{}))
	one.cancel()
	<-one.done
	if status, err := b.status(one); status != "failed" || !errors.Is(err, context.Canceled) {
		t.Errorf("the cancelled task ended as %s, %v", status, err)
	}
	if status, _ := b.status(other); status != "running" {
		t.Errorf("the other task is %s", status)
	}
	b.close()
	if status, err := b.status(other); status != "failed" || !errors.Is(err, context.Canceled) {
		t.Errorf("after close the other task is %s, %v", status, err)
	}
}
