package fxtasks_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"testing"
	"testing/synctest"
	"time"
	"weak"

	"github.com/fxtasks/background/fxtasks"
)

// big is something that a user would notice if it stayed in memory.
type big struct{ bytes [1 << 16]byte }

func (*big) Error() string { return "big" }

// released says whether the garbage collector has taken what p points to.
func released[T any](p weak.Pointer[T]) bool {
	runtime.GC()
	runtime.GC() // what the first one finalized
	return p.Value() == nil
}

// flushEvents makes more events happen than are kept, which show earlier tasks as long as they are.
func flushEvents(t *testing.T, m *fxtasks.Manager) { publish(t, m, eventsKept+1) }

// TestExpiredRecordIsReleasedWhenNobodyAsks calls nothing of the manager once the task has ended.
func TestExpiredRecordIsReleasedWhenNobodyAsks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newManager(t, fxtasks.Config{RetainFor: time.Hour})
		fail := func() weak.Pointer[big] { // nothing of it stays on this function's stack
			err := new(big)
			submit(t, m, "task", func(context.Context) error { return err })
			return weak.Make(err)
		}
		first := fail()
		pass(time.Minute)
		second := fail()
		synctest.Wait()
		flushEvents(t, m)
		pass(time.Hour - time.Minute - 1)
		if released(first) || released(second) {
			t.Fatal("a record that is retained has lost its Err")
		}
		pass(1)
		if !released(first) {
			t.Error("the first record has expired and is still in memory")
		}
		if released(second) {
			t.Error("the second record is not in memory any more and has not expired")
		}
		pass(time.Minute)
		if !released(second) {
			t.Error("the second record has expired and is still in memory")
		}
	})
}

// TestTheLastRecordIsReleasedWhenItExpires has no task after the one that expires, and no events that drop it.
func TestTheLastRecordIsReleasedWhenItExpires(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newManager(t, fxtasks.Config{RetainFor: time.Hour})
		last := func() weak.Pointer[big] { // nothing of it stays on this function's stack
			err := new(big)
			submit(t, m, "task", func(context.Context) error { return err })
			return weak.Make(err)
		}()
		pass(time.Hour - 1)
		if released(last) {
			t.Fatal("a record that is retained has lost its Err")
		}
		pass(1)
		if !released(last) {
			t.Error("the record has expired and is still in memory")
		}
	})
}

// TestFinishedTaskReleasesWhatItRanWith keeps the record, and a handle on the task.
func TestFinishedTaskReleasesWhatItRanWith(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		type key struct{}
		m := newManager(t, fxtasks.Config{MaxRunning: 1})
		run := func(fn fxtasks.Func, cancel bool) (*fxtasks.Task, weak.Pointer[big], weak.Pointer[big]) {
			captured, value := new(big), new(big)
			task, err := m.Submit(context.WithValue(t.Context(), key{}, value), "task", func(ctx context.Context) error {
				captured.bytes[0]++
				return fn(ctx)
			}, fxtasks.WithTimeout(time.Hour))
			if err != nil {
				t.Fatal(err)
			}
			if cancel {
				task.Cancel(nil)
			}
			return task, weak.Make(captured), weak.Make(value)
		}
		for name, fn := range map[string]fxtasks.Func{
			"completed": nothing,
			"failed":    thatBecomes(fxtasks.Failed),
			"panicked":  func(context.Context) error { panic("boom") },
			"goexit":    func(context.Context) error { runtime.Goexit(); return nil },
			"timed out": untilCancelled,
		} {
			task, captured, value := run(fn, false)
			<-task.Done()
			synctest.Wait()
			if !released(captured) || !released(value) {
				t.Errorf("%s: what fn captured is released: %v, the submitter's ctx: %v", name, released(captured), released(value))
			}
			runtime.KeepAlive(task)
		}
		busy := submit(t, m, "task", untilCancelled)
		task, captured, value := run(nothing, true)
		if task.Status() != fxtasks.Cancelled || !released(captured) || !released(value) {
			t.Errorf("cancelled before it started (%v): what fn captured is released: %v, the submitter's ctx: %v",
				task.Status(), released(captured), released(value))
		}
		busy.Cancel(nil)
	})
}

// TestResultIsReleasedWithItsRecord: recent events show the task longer than its record is kept,
// but nobody can get at the value through them.
func TestResultIsReleasedWithItsRecord(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newManager(t, fxtasks.Config{RetainFor: time.Hour})
		value := func() weak.Pointer[big] {
			r, err := fxtasks.SubmitResult(t.Context(), m, "task", func(context.Context) (*big, error) { return new(big), nil })
			if err != nil {
				t.Fatal(err)
			}
			v, err := r.Value(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			return weak.Make(v)
		}()
		if released(value) {
			t.Fatal("the value went before the record")
		}
		pass(time.Hour)
		if page := m.List(fxtasks.Filter{}); page.Total != 0 {
			t.Fatalf("%d tasks are still on record", page.Total)
		}
		if !released(value) {
			t.Error("the record has expired, there is no Result, and the value is still in memory")
		}
	})
}

// TestMemoryStaysBounded runs 200,000 tasks of all kinds: the heap is then what it was at 10,000.
func TestMemoryStaysBounded(t *testing.T) {
	const first, all, slack = 10_000, 200_000, 3 << 20 // 190,000 tasks that leave 16 bytes each show
	m := newManager(t, fxtasks.Config{MaxRunning: 50, MaxPending: 100})
	g, err := m.Group("eu", fxtasks.GroupConfig{MaxRunning: 20})
	if err != nil {
		t.Fatal(err)
	}
	heap := func() int64 {
		if err := m.Wait(t.Context()); err != nil {
			t.Fatal(err)
		}
		runtime.GC()
		runtime.GC()
		var stats runtime.MemStats
		runtime.ReadMemStats(&stats)
		return int64(stats.HeapAlloc)
	}
	var before int64
	for i := range all {
		if i == first {
			before = heap()
		}
		s := []fxtasks.Submitter{m, g}[i%2]
		name := fmt.Sprintf("task-%d", i) // a program that puts an ID into the name
		opts := []fxtasks.TaskOption{fxtasks.WithBlocking(), fxtasks.WithMetadata(map[string]string{"i": name})}
		switch i % 6 {
		case 0:
			submit(t, s, name, nothing, opts...)
		case 1:
			submit(t, s, name, func(context.Context) error { return errors.New(name) }, opts...)
		case 2:
			submit(t, s, name, untilCancelled, opts...).Cancel(nil)
		case 3:
			submit(t, s, "task", nothing, append(opts, fxtasks.WithID(name), fxtasks.WithTimeout(time.Hour))...)
		case 4:
			submit(t, s, "task", untilCancelled, append(opts, fxtasks.WithID("same"), fxtasks.WithDuplicate(fxtasks.Replace),
				fxtasks.WithTimeout(time.Millisecond))...)
		case 5:
			if _, err := s.Submit(t.Context(), name, nothing, fxtasks.WithTimeout(-1)); err == nil {
				t.Fatal("a negative timeout was accepted")
			}
		}
	}
	if grown := heap() - before; grown > slack {
		t.Errorf("from %d to %d tasks the heap grew by %d KB", first, all, grown>>10)
	}
}

func TestAStoppedManagerIsReleased(t *testing.T) {
	stopped := func() weak.Pointer[fxtasks.Manager] {
		m, err := fxtasks.New(fxtasks.Config{})
		if err != nil {
			t.Fatal(err)
		}
		submit(t, m, "delayed", nothing, fxtasks.WithDelay(time.Hour))
		submit(t, m, "between attempts", func(context.Context) error { return errWork }, fxtasks.WithRetry(after(time.Hour)))
		submit(t, m, "has a timeout", untilCancelled, fxtasks.WithTimeout(time.Hour), fxtasks.WithDrainGrace(time.Millisecond))
		submit(t, m, "is retained", nothing)
		schedule(t, m, fxtasks.Every(time.Hour), nothing)
		if _, err := m.Shutdown(t.Context()); err != nil {
			t.Error(err)
		}
		return weak.Make(m)
	}()
	for range 500 { // goroutines of tasks that have ended may not have ended themselves
		if released(stopped) {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Error("a timer, or a goroutine, keeps a stopped manager in memory")
}
