package fxtasks_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fxtasks/background/fxtasks"
)

// Faults that other pools and task managers have had. The names tell where.

// pond PR#104, controller-runtime#2756: a submit that raced a shutdown was a data race, or a panic,
// or a task that nobody waited for.
func TestSubmitAgainstShutdown_pond104_controllerruntime2756(t *testing.T) {
	for range 300 {
		m, err := fxtasks.New(fxtasks.Config{MaxRunning: 2, MaxPending: 3})
		if err != nil {
			t.Fatal(err)
		}
		begin := make(chan struct{})
		var wg sync.WaitGroup
		var mu sync.Mutex
		var accepted []*fxtasks.Task
		for i := range 6 {
			var opts []fxtasks.TaskOption
			if i%2 == 0 {
				opts = append(opts, fxtasks.WithBlocking())
			}
			wg.Go(func() {
				<-begin
				for range 5 {
					task, err := m.Submit(context.Background(), "work", untilCancelledOrYielded, opts...)
					switch {
					case err == nil:
						mu.Lock()
						accepted = append(accepted, task)
						mu.Unlock()
					case !errors.Is(err, fxtasks.ErrShuttingDown) && !errors.Is(err, fxtasks.ErrQueueFull):
						t.Errorf("Submit gave %v", err)
					}
				}
			})
		}
		wg.Go(func() {
			<-begin
			report, err := m.Shutdown(context.Background())
			if err != nil || report.Returned != report.Initial {
				t.Errorf("Shutdown gave %+v, %v", report, err)
			}
			if s := m.Stats(); s.Pending+s.Running != 0 {
				t.Errorf("after Shutdown %d are pending and %d running", s.Pending, s.Running)
			}
		})
		close(begin)
		wg.Wait()
		for _, task := range accepted {
			if !task.Status().Finished() {
				t.Errorf("%v was accepted and is %v after Shutdown", task, task.Status())
			}
		}
		if s := m.Stats(); s.Submitted != uint64(len(accepted)) {
			t.Errorf("Submitted is %d after %d were accepted", s.Submitted, len(accepted))
		}
	}
}

func untilCancelledOrYielded(ctx context.Context) error {
	for range 10 {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		runtime.Gosched()
	}
	return nil
}

// pond #61, #138: deadlock when the context ended with tasks queued.
func TestCancelWithTasksQueued_pond61_pond138(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newManager(t, fxtasks.Config{MaxRunning: 2})
		var tasks []*fxtasks.Task
		for range 100 {
			tasks = append(tasks, submit(t, m, "work", untilCancelled))
		}
		if err := m.CancelAll(t.Context(), nil); err != nil {
			t.Fatal(err)
		}
		tasksAre(t, fxtasks.Cancelled, tasks...)
		tasksAre(t, fxtasks.Running, submit(t, m, "next", untilCancelled)) // and the pool is as good as new
	})
}

// ants #197: nested submit-and-wait on a full pool hung. ants #146: a worker that panicked left
// submitters blocked. Here both meet.
func TestNestedBlockingSubmitOfPanickingTasks_ants197_ants146(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newManager(t, fxtasks.Config{MaxRunning: 1, MaxPending: -1})
		var parents []*blockedSubmit
		for range 10 {
			parents = append(parents, submitBlocking(t.Context(), m, "parent", func(ctx context.Context) error {
				child, err := m.Submit(ctx, "child", func(context.Context) error { panic("on purpose") }, fxtasks.WithBlocking())
				if err != nil {
					return err
				}
				var crash *fxtasks.PanicError
				if err := child.Wait(ctx); !errors.As(err, &crash) {
					return fmt.Errorf("the child's error is %w", err)
				}
				return nil
			}))
		}
		for _, parent := range parents {
			parent.mustBeOver(t, nil)
			tasksAre(t, fxtasks.Completed, parent.task)
		}
	})
}

// pond #135: a task that called runtime.Goexit left its waiters behind.
func TestGoexitWakesWaiters_pond135(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newManager(t, fxtasks.Config{MaxRunning: 1})
		begin := make(chan struct{})
		task := submit(t, m, "exits", func(context.Context) error {
			<-begin
			runtime.Goexit()
			return nil
		})
		woken := make(chan error, 10)
		for range cap(woken) {
			go func() { woken <- task.Wait(context.Background()) }()
		}
		synctest.Wait()
		close(begin)
		for range cap(woken) {
			if err := <-woken; !errors.Is(err, fxtasks.ErrGoexit) {
				t.Errorf("Wait gave %v, want ErrGoexit", err)
			}
		}
	})
}

// controller-runtime #3538, #3218: a send to a full channel under the lock kept shutdown from ever
// ending.
func TestReaderThatNeverReadsHoldsUpNothing_controllerruntime3538_3218(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newManager(t, fxtasks.Config{})
		idle := m.Subscribe(0)
		const tasks = 3000
		for range tasks {
			submit(t, m, "work", nothing)
		}
		report, err := m.Shutdown(t.Context())
		if err != nil || report.Status != "completed" {
			t.Errorf("Shutdown gave %+v, %v", report, err)
		}
		read := uint64(0)
		for range idle.All(t.Context()) {
			read++
		}
		if total := read + idle.Missed(); total != m.List(fxtasks.Filter{}).Seq || idle.Missed() == 0 {
			t.Errorf("it read %d events and missed %d, of %d", read, idle.Missed(), m.List(fxtasks.Filter{}).Seq)
		}
	})
}

// acton: a second submit overwrote the live record and lost its cancel handle, and a task that
// panicked stayed Running for ever.
func TestDuplicateKeepsTheLiveRecord_acton(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newManager(t, fxtasks.Config{})
		first := submit(t, m, "first", untilCancelled, fxtasks.WithID("x"))
		for _, policy := range []fxtasks.DuplicatePolicy{fxtasks.Reject, fxtasks.Join} {
			m.Submit(t.Context(), "second", func(context.Context) error { panic("not reached") },
				fxtasks.WithID("x"), fxtasks.WithDuplicate(policy))
		}
		if _, err := m.Cancel(t.Context(), "x", nil); err != nil {
			t.Fatal(err)
		}
		tasksAre(t, fxtasks.Cancelled, first)
		panics := submit(t, m, "panics", func(context.Context) error { panic("on purpose") }, fxtasks.WithID("x"))
		tasksAre(t, fxtasks.Failed, panics)
	})
}

// agentflow: cancelled tasks counted as completed, and tasks were accepted after shutdown.
func TestCancelledIsNotCompleted_agentflow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newManager(t, fxtasks.Config{MaxRunning: 1})
		running, pending := submit(t, m, "work", untilCancelled), submit(t, m, "work", untilCancelled)
		pending.Cancel(nil)
		running.Cancel(nil)
		tasksAre(t, fxtasks.Cancelled, running, pending)
		if s := m.Stats(); s.Cancelled != 2 || s.Completed != 0 || s.ByName["work"].Cancelled != 2 {
			t.Errorf("stats are %+v, want 2 cancelled and none completed", s)
		}
		if _, err := m.Shutdown(t.Context()); err != nil {
			t.Fatal(err)
		}
		if _, err := m.Submit(t.Context(), "work", nothing); !errors.Is(err, fxtasks.ErrShuttingDown) {
			t.Errorf("Submit gave %v, want ErrShuttingDown", err)
		}
		if s := m.Stats(); s.Submitted != 2 {
			t.Errorf("Submitted is %d after a submit that was refused", s.Submitted)
		}
	})
}

// yokai: Done came before the Add of what followed, so that Stop returned early. Here a task of a
// group is replaced by another one of it: at no moment is the group without a task.
func TestWaitGoesOnWhenATaskIsReplaced_yokai(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newManager(t, fxtasks.Config{MaxRunning: 1})
		blocker := submit(t, m, "blocker", untilCancelled)
		g := newGroup(t, m, "g", fxtasks.GroupConfig{})
		submit(t, g, "old", nothing, fxtasks.WithID("x"))
		idle := make(chan error, 1)
		go func() { idle <- g.Wait(t.Context()) }()
		synctest.Wait()
		task := submit(t, g, "new", func(context.Context) error {
			time.Sleep(time.Second)
			return nil
		}, fxtasks.WithID("x"), fxtasks.WithDuplicate(fxtasks.Replace))
		tasksAre(t, fxtasks.Pending, task)
		if len(idle) > 0 {
			t.Error("Wait returned while a task of the group was pending")
		}
		blocker.Cancel(nil)
		if err := <-idle; err != nil {
			t.Error(err)
		}
		tasksAre(t, fxtasks.Completed, task)
	})
}
