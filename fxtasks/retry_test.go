package fxtasks_test

import (
	"bytes"
	"context"
	"errors"
	"runtime"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/zap"

	"github.com/fxtasks/background/fxtasks"
)

func TestBetweenAttemptsATaskIsPendingAndHoldsNoSlot(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newManager(t, fxtasks.Config{MaxRunning: 1, MaxPending: -1})
		start := time.Now()
		task := submit(t, m, "retried", failing(2), fxtasks.WithRetry(after(time.Minute)))
		synctest.Wait()
		info := task.Info()
		if info.Status != fxtasks.Pending || info.Attempt != 1 || info.MaxAttempts != 3 || !info.FinishedAt.IsZero() {
			t.Errorf("between attempts: %+v", info)
		}
		if !info.NotBefore.Equal(start.Add(time.Minute)) || info.LastErr != errAttempt || info.Err != nil || info.ErrText != errAttempt.Error() {
			t.Errorf("NotBefore %v, LastErr %v, Err %v, ErrText %q", info.NotBefore, info.LastErr, info.Err, info.ErrText)
		}
		if s := m.Stats(); s.Pending != 1 || s.Running != 0 || s.Retried != 1 || s.Failed != 0 || s.OldestPending != 0 {
			t.Errorf("Stats: %+v", s)
		}
		// The slot is free, and the task takes no room of MaxPending.
		if err := submit(t, m, "other", nothing).Wait(t.Context()); err != nil {
			t.Error(err)
		}
		if err := task.Wait(t.Context()); err != nil {
			t.Error(err)
		}
		info = task.Info()
		if info.Attempt != 3 || info.LastErr != nil || info.ErrText != "" || !info.StartedAt.Equal(start.Add(2*time.Minute)) {
			t.Errorf("completed: %+v", info)
		}
		if s := m.Stats(); s.Submitted != 2 || s.Completed != 2 || s.Retried != 2 || s.Failed != 0 {
			t.Errorf("Stats: %+v", s)
		}
	})
}

func TestTheLastAttemptFailsTheTask(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newManager(t, fxtasks.Config{})
		var asked []int
		task := submit(t, m, "retried", failing(9), fxtasks.WithRetry(fxtasks.Retry{MaxAttempts: 3, Delay: func(attempt int) time.Duration {
			asked = append(asked, attempt)
			return -time.Hour // is none
		}}))
		if err := task.Wait(t.Context()); err != errAttempt {
			t.Error(err)
		}
		if info := task.Info(); info.Status != fxtasks.Failed || info.Attempt != 3 || info.LastErr != errAttempt {
			t.Errorf("%+v", info)
		}
		if !slices.Equal(asked, []int{1, 2}) {
			t.Errorf("Delay was asked about %v", asked)
		}
	})
}

func TestPermanentAndIfDecide(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newManager(t, fxtasks.Config{})
		for name, test := range map[string]struct {
			fn   fxtasks.Func
			give func(error) bool
		}{
			"permanent wins over If": {func(context.Context) error { return fxtasks.Permanent(errAttempt) }, func(error) bool { return true }},
			"If":                     {failing(9), func(err error) bool { return err != errAttempt }},
			"Goexit":                 {func(context.Context) error { runtime.Goexit(); return nil }, nil},
		} {
			task := submit(t, m, "retried", test.fn, fxtasks.WithRetry(fxtasks.Retry{MaxAttempts: 3, If: test.give}))
			task.Wait(t.Context())
			if info := task.Info(); info.Status != fxtasks.Failed || info.Attempt != 1 {
				t.Errorf("%s: %+v", name, info)
			}
		}
		if n := m.Stats().Retried; n != 0 {
			t.Errorf("Retried is %d", n)
		}
	})
}

func TestAPanicIsRetried(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newManager(t, fxtasks.Config{})
		attempt := 0
		task := submit(t, m, "retried", func(context.Context) error {
			if attempt++; attempt == 1 {
				panic("once")
			}
			return nil
		}, fxtasks.WithRetry(after(0)))
		if err := task.Wait(t.Context()); err != nil || attempt != 2 {
			t.Errorf("%v after %d attempts", err, attempt)
		}
	})
}

func TestPanicAndGoexitInIfAndDelayFailTheTaskWithBothErrors(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, logs := observed(t, fxtasks.Config{MaxRunning: 1})
		boom := errors.New("boom")
		for name, test := range map[string]struct {
			retry fxtasks.Retry
			want  error
		}{
			"panic in If":     {fxtasks.Retry{MaxAttempts: 3, If: func(error) bool { panic(boom) }}, boom},
			"panic in Delay":  {fxtasks.Retry{MaxAttempts: 3, Delay: func(int) time.Duration { panic(boom) }}, boom},
			"Goexit in If":    {fxtasks.Retry{MaxAttempts: 3, If: func(error) bool { runtime.Goexit(); return true }}, fxtasks.ErrGoexit},
			"Goexit in Delay": {fxtasks.Retry{MaxAttempts: 3, Delay: func(int) time.Duration { runtime.Goexit(); return 0 }}, fxtasks.ErrGoexit},
		} {
			task := submit(t, m, "retried", failing(9), fxtasks.WithRetry(test.retry))
			err := task.Wait(t.Context())
			if !errors.Is(err, errAttempt) || !errors.Is(err, test.want) || task.Status() != fxtasks.Failed {
				t.Errorf("%s: %v, %v", name, task.Status(), err)
			}
			p := (*fxtasks.PanicError)(nil)
			if errors.As(err, &p) && !bytes.Contains(p.Stack, []byte("retry_test.go")) {
				t.Errorf("%s: its stack is %q", name, p.Stack)
			}
			words := map[bool]string{true: "task panicked", false: "task failed"}[test.want == boom]
			line := wantLine(t, logs, words, zap.ErrorLevel)
			if stack, _ := line["stack"].(string); (test.want == boom) != strings.Contains(stack, "retry_test.go") {
				t.Errorf("%s: the line has the stack %q", name, stack)
			}
			logs.TakeAll()
		}
		if err := submit(t, m, "next", nothing).Wait(t.Context()); err != nil { // the slot came back
			t.Error(err)
		}
	})
}

func TestACancelEndsATaskInAndBetweenAttempts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newManager(t, fxtasks.Config{})
		cause := errors.New("enough")
		between := submit(t, m, "between", failing(9), fxtasks.WithRetry(after(time.Minute)))
		in := submit(t, m, "in", untilCancelled, fxtasks.WithRetry(after(time.Minute)))
		synctest.Wait()
		for _, task := range []*fxtasks.Task{between, in} {
			task.Cancel(cause)
			synctest.Wait()
			info := task.Info()
			if info.Status != fxtasks.Cancelled || !errors.Is(info.Err, cause) || info.Attempt != 1 {
				t.Errorf("%s: %+v", info.Name, info)
			}
		}
	})
}

func TestReplaceAndJoinBetweenAttempts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newManager(t, fxtasks.Config{})
		old := submit(t, m, "old", failing(9), fxtasks.WithID("a"), fxtasks.WithRetry(after(time.Minute)))
		synctest.Wait()
		if joined := submit(t, m, "joins", nothing, fxtasks.WithID("a"), fxtasks.WithDuplicate(fxtasks.Join)); joined != old {
			t.Error("Join gave another task")
		}
		successor := submit(t, m, "new", nothing, fxtasks.WithID("a"), fxtasks.WithDuplicate(fxtasks.Replace))
		if err := successor.Wait(t.Context()); err != nil {
			t.Error(err)
		}
		if err := old.Err(); !errors.Is(err, fxtasks.ErrReplaced) {
			t.Errorf("the old one ended with %v", err)
		}
	})
}

func TestAShutdownCancelsWhatIsBetweenAttemptsAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newManager(t, fxtasks.Config{ShutdownTimeout: time.Minute, DrainGrace: 30 * time.Second})
		between := submit(t, m, "between", failing(9), fxtasks.WithRetry(after(time.Second)))
		delayed := submit(t, m, "delayed", nothing, fxtasks.WithDelay(time.Second))
		// Fails in the grace: that attempt is the last.
		fails := submit(t, m, "fails", func(context.Context) error { time.Sleep(5 * time.Second); return errAttempt }, fxtasks.WithRetry(after(0)))
		synctest.Wait()
		start := time.Now()
		if _, err := m.Shutdown(t.Context()); err != nil {
			t.Error(err)
		}
		for _, task := range []*fxtasks.Task{between, delayed} {
			if info := task.Info(); !errors.Is(info.Err, fxtasks.ErrShutdown) || info.Status != fxtasks.Cancelled || !info.FinishedAt.Equal(start) {
				t.Errorf("%s: %+v", info.Name, info)
			}
		}
		if info := fails.Info(); info.Status != fxtasks.Failed || info.Attempt != 1 || info.Err != errAttempt {
			t.Errorf("%+v", info)
		}
	})
}

func TestLateProgressOfAnAttemptIsDropped(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newManager(t, fxtasks.Config{})
		attempt := 0
		task := submit(t, m, "retried", func(ctx context.Context) error {
			if attempt++; attempt > 1 {
				time.Sleep(time.Minute)
				return nil
			}
			go func() {
				time.Sleep(90 * time.Second) // attempt 2 runs
				fxtasks.ReportProgress(ctx, fxtasks.Progress{Current: 1})
			}()
			return errAttempt
		}, fxtasks.WithRetry(after(time.Minute)))
		time.Sleep(100 * time.Second)
		if info := task.Info(); info.Attempt != 2 || info.Status != fxtasks.Running || info.Progress != (fxtasks.Progress{}) || info.LastErr != errAttempt {
			t.Errorf("%+v", info)
		}
		task.Wait(t.Context())
	})
}

func TestEventsTellAttemptsFromTasks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newManager(t, fxtasks.Config{})
		events := m.Subscribe(fxtasks.Latest)
		submit(t, m, "retried", failing(1), fxtasks.WithRetry(after(0))).Wait(t.Context())
		var kinds []fxtasks.EventKind
		for len(kinds) < 5 {
			e, err := events.Next(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			kinds = append(kinds, e.Kind)
		}
		want := []fxtasks.EventKind{fxtasks.EventSubmitted, fxtasks.EventStarted, fxtasks.EventRetrying, fxtasks.EventStarted, fxtasks.EventFinished}
		if !slices.Equal(kinds, want) {
			t.Errorf("events %v, want %v", kinds, want)
		}
	})
}

func TestANegativeMaxAttemptsIsInvalid(t *testing.T) {
	m := newManager(t, fxtasks.Config{})
	if _, err := m.Submit(t.Context(), "n", nothing, fxtasks.WithRetry(fxtasks.Retry{MaxAttempts: -1})); !errors.Is(err, fxtasks.ErrInvalid) {
		t.Error(err)
	}
}
