package fxtasks_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fxtasks/background/fxtasks"
)

// blockedSubmit is a Submit under WithBlocking on a goroutine of its own.
type blockedSubmit struct {
	task *fxtasks.Task
	err  error
	over bool
}

func submitBlocking(ctx context.Context, s fxtasks.Submitter, name string, fn fxtasks.Func, opts ...fxtasks.TaskOption) *blockedSubmit {
	b := new(blockedSubmit)
	go func() {
		b.task, b.err = s.Submit(ctx, name, fn, append(opts, fxtasks.WithBlocking())...)
		b.over = true
	}()
	synctest.Wait()
	return b
}

func (b *blockedSubmit) isOver() bool {
	synctest.Wait()
	return b.over
}

// mustBeOver fails the test unless the submit is over and gave an error like want.
func (b *blockedSubmit) mustBeOver(t *testing.T, want error) {
	t.Helper()
	if !b.isOver() {
		t.Fatal("the submit is still blocked")
	}
	if !errors.Is(b.err, want) {
		t.Errorf("the submit gave %v, want %v", b.err, want)
	}
	if (b.err == nil) == (b.task == nil) {
		t.Errorf("the submit gave the task %v and the error %v", b.task, b.err)
	}
}

func TestBlockingSubmitWaitsForRoomAndIsAdmittedInOrder(t *testing.T) {
	for _, maxPending := range []int{-1, 1, 3} {
		limitedBy(t, func(t *testing.T, byGroup bool) {
			_, s := limited(t, byGroup, 1, maxPending)
			var releases []chan struct{}
			var running []int
			work := func(i int) fxtasks.Func {
				release := make(chan struct{})
				releases = append(releases, release)
				return func(context.Context) error {
					running = append(running, i)
					<-release
					return nil
				}
			}
			room := 1 + max(0, maxPending)
			var submits []*blockedSubmit
			for i := range 12 {
				submits = append(submits, submitBlocking(t.Context(), s, "work", work(i)))
			}
			for done, release := range releases {
				for i, b := range submits {
					if over, want := b.isOver(), i < done+room; over != want {
						t.Errorf("after %d tasks submit %d is over: %v, want %v", done, i, over, want)
					}
				}
				close(release)
			}
			synctest.Wait()
			if len(running) != len(submits) || !slices.IsSorted(running) {
				t.Errorf("tasks ran in the order %v, want the order of submission", running)
			}
		})
	}
}

func TestBlockingSubmitWithRoomIgnoresItsContextsEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newManager(t, fxtasks.Config{MaxRunning: 1, MaxPending: -1})
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		b := submitBlocking(ctx, m, "work", untilCancelled)
		b.mustBeOver(t, nil)
		tasksAre(t, fxtasks.Running, b.task)
	})
}

func TestBlockingSubmitGivesItsContextsError(t *testing.T) {
	for name, c := range map[string]struct {
		ctx  func(context.Context) (context.Context, context.CancelFunc)
		want error
	}{
		"cancelled before": {func(ctx context.Context) (context.Context, context.CancelFunc) {
			ctx, cancel := context.WithCancel(ctx)
			cancel()
			return ctx, cancel
		}, context.Canceled},
		"deadline": {func(ctx context.Context) (context.Context, context.CancelFunc) {
			return context.WithTimeout(ctx, time.Second)
		}, context.DeadlineExceeded},
		"cancelled": {func(ctx context.Context) (context.Context, context.CancelFunc) {
			ctx, cancel := context.WithCancel(ctx)
			time.AfterFunc(time.Second, cancel)
			return ctx, cancel
		}, context.Canceled},
	} {
		t.Run(name, func(t *testing.T) {
			limitedBy(t, func(t *testing.T, byGroup bool) {
				m, s := limited(t, byGroup, 1, -1)
				blocker := submit(t, s, "blocker", untilCancelled)
				ctx, cancel := c.ctx(t.Context())
				defer cancel()
				b := submitBlocking(ctx, s, "gives-up", func(context.Context) error {
					t.Error("the function of a submit that failed ran")
					return nil
				}, fxtasks.WithID("x"))
				time.Sleep(time.Minute)
				b.mustBeOver(t, c.want)
				if _, ok := m.Task("x"); ok || m.List(fxtasks.Filter{}).Total != 1 {
					t.Error("a submit that failed left a task")
				}
				if s := m.Stats(); s.Submitted != 1 || s.Rejected != 1 || s.ByName["gives-up"].Rejected != 1 {
					t.Errorf("stats are %+v, want 1 submitted and 1 rejected", s)
				}
				next := submitBlocking(t.Context(), s, "next", untilCancelled) // the room that comes is not lost on who gave up
				blocker.Cancel(nil)
				next.mustBeOver(t, nil)
			})
		})
	}
}

func TestBlockedSubmitsGetErrShuttingDownAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newManager(t, fxtasks.Config{MaxRunning: 2})
		g := newGroup(t, m, "g", fxtasks.GroupConfig{MaxRunning: 1, MaxPending: -1})
		other := newGroup(t, m, "other", fxtasks.GroupConfig{MaxRunning: 1, MaxPending: -1})
		release := make(chan struct{}) // until then the shutdowns are not over
		submit(t, g, "blocker", until(release))
		submit(t, other, "blocker", until(release))
		var ofGroup, ofOther []*blockedSubmit
		for range 5 {
			ofGroup = append(ofGroup, submitBlocking(t.Context(), g, "work", nothing))
			ofOther = append(ofOther, submitBlocking(t.Context(), other, "work", nothing))
		}
		go g.Shutdown(context.Background())
		for _, b := range ofGroup {
			b.mustBeOver(t, fxtasks.ErrShuttingDown)
		}
		for _, b := range ofOther {
			if b.isOver() {
				t.Error("the shutdown of a group ended a submit to another one")
			}
		}
		go m.Shutdown(context.Background())
		for _, b := range ofOther {
			b.mustBeOver(t, fxtasks.ErrShuttingDown)
		}
		submitBlocking(t.Context(), m, "late", nothing).mustBeOver(t, fxtasks.ErrShuttingDown)
		close(release)
	})
}

func TestBlockedSubmitsFollowCrashedTasks(t *testing.T) {
	for name, crash := range map[string]fxtasks.Func{
		"panic":  func(context.Context) error { panic("on purpose") },
		"Goexit": func(context.Context) error { runtime.Goexit(); return nil },
	} {
		t.Run(name, func(t *testing.T) {
			limitedBy(t, func(t *testing.T, byGroup bool) {
				m, s := limited(t, byGroup, 1, -1)
				const tasks = 50
				var submits []*blockedSubmit
				begin := make(chan struct{})
				submits = append(submits, submitBlocking(t.Context(), s, "first", func(ctx context.Context) error {
					<-begin
					return crash(ctx)
				}))
				for range tasks - 1 {
					submits = append(submits, submitBlocking(t.Context(), s, "work", crash))
				}
				close(begin)
				for _, b := range submits {
					b.mustBeOver(t, nil)
				}
				if failed := m.Stats().Failed; failed != tasks {
					t.Errorf("%d tasks failed, want %d", failed, tasks)
				}
			})
		})
	}
}

// TestNoBlockedSubmitIsForgotten lets hundreds of submits wait, many of which give up at random,
// on real threads. A wake-up that is lost, as in pond #108, would leave the rest blocked for ever.
func TestNoBlockedSubmitIsForgotten_pond108(t *testing.T) {
	m := newManager(t, fxtasks.Config{MaxRunning: 2, MaxPending: 3})
	groups := []fxtasks.Submitter{m,
		newGroup(t, m, "one", fxtasks.GroupConfig{MaxRunning: 1, MaxPending: -1}),
		newGroup(t, m, "two", fxtasks.GroupConfig{MaxPending: 1})}
	var ran, accepted, gaveUp atomic.Int64
	var wg sync.WaitGroup
	for i := range 600 {
		ctx, cancel := context.WithCancel(t.Context())
		if i%3 == 0 {
			time.AfterFunc(rand.N(5*time.Millisecond), cancel)
		}
		wg.Go(func() {
			defer cancel()
			task, err := groups[i%len(groups)].Submit(ctx, "work", func(context.Context) error {
				ran.Add(1)
				for range rand.N(20) {
					runtime.Gosched()
				}
				return nil
			}, fxtasks.WithBlocking())
			switch {
			case err == nil:
				accepted.Add(1)
				if i%7 == 0 {
					task.Cancel(nil) // also frees room, where it has not started
				}
			case errors.Is(err, context.Canceled) && i%3 == 0:
				gaveUp.Add(1)
			default:
				t.Errorf("Submit gave %v", err)
			}
		})
	}
	wg.Wait()
	if err := m.Wait(t.Context()); err != nil {
		t.Fatal(err)
	}
	s := m.Stats()
	if s.Submitted != uint64(accepted.Load()) || s.Rejected != uint64(gaveUp.Load()) || uint64(ran.Load()) != s.Completed {
		t.Errorf("%d accepted, %d gave up, %d ran, but the stats are %+v", accepted.Load(), gaveUp.Load(), ran.Load(), s)
	}
}
