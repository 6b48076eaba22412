package fxtasks_test

import (
	"context"
	"errors"
	"runtime"
	"slices"
	"strconv"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"github.com/fxtasks/background/fxtasks"
)

func (md *model) stepFinish(rt *rapid.T) {
	for range rapid.IntRange(1, 3).Draw(rt, "functions") {
		if t := md.pickToFinish(rt); t != nil {
			md.finishOne(rt, t)
		}
	}
}

// pickToFinish prefers tasks that have been tried before, which are few.
func (md *model) pickToFinish(rt *rapid.T) *modelTask {
	if t := md.pick(rt, "task tried again", func(t *modelTask) bool { return md.isFree(t) && t.attempt > 1 }); t != nil {
		return t
	}
	return md.pick(rt, "task", md.isFree)
}

// finishOne ends the function of t, in one of all ways.
func (md *model) finishOne(rt *rapid.T, t *modelTask) {
	t.how = rapid.SampledFrom(t.waysToEnd()).Draw(rt, "how")
	asked := md.mayRetry(t)
	if asked {
		md.drawRetrying(rt, t)
	}
	t.orders <- map[string]func() error{
		"nil":             func() error { return errReturns },
		"error":           func() error { return errModel },
		"panic":           func() error { panic(errModel) },
		"Goexit":          func() error { runtime.Goexit(); return nil },
		"permanent error": func() error { return fxtasks.Permanent(errModel) },
	}[t.how]
	synctest.Wait()
	t.checkRetrying(rt, asked)
	switch {
	case !asked || t.retry.then == "If says no":
		md.finish(t, t.outcome())
	case t.retry.then == "again":
		md.requeue(t)
	default:
		t.broken = errModelRetry
		if t.retry.then == "Delay ends its goroutine" {
			t.broken = fxtasks.ErrGoexit
		}
		md.finish(t, fxtasks.Failed)
	}
	md.settle(rt)
}

func (t *modelTask) waysToEnd() []string {
	ways := []string{"error", "nil", "panic", "permanent error"}
	if t.runBy == nil { // else it would be the end of that one, too
		ways = append(ways, "Goexit")
	}
	if t.attempt < t.retry.attempts { // more often such that another may follow
		ways = append(ways, "error", "panic", "error")
	}
	return ways
}

// outcome gives the status in which t ends, by how its function has ended, if no other attempt follows.
func (t *modelTask) outcome() fxtasks.Status {
	switch {
	case t.how == "nil":
		return fxtasks.Completed
	case t.how == "panic" || t.how == "Goexit" || t.cause == nil:
		return fxtasks.Failed
	case t.cause == fxtasks.ErrTimeout && !t.byContext:
		return fxtasks.TimedOut
	}
	return fxtasks.Cancelled
}

// modelFailure is what is known of an error of a task.
type modelFailure struct {
	matches []error // none: it is nil
	crashed bool    // it has a PanicError
}

func (f modelFailure) check(rt *rapid.T, of *modelTask, got error) {
	crash := (*fxtasks.PanicError)(nil)
	if !matches(got, f.matches) || errors.As(got, &crash) != f.crashed {
		rt.Errorf("the error of %v is %#v: %v, want %v", of, got, got, f)
	}
}

// failure gives the error of the task's latest attempt, or of the cancel that came before an attempt.
func (t *modelTask) failure() (f modelFailure) {
	switch t.how {
	case "nil":
		return f
	case "":
	case "Goexit":
		f.matches = append(f.matches, fxtasks.ErrGoexit)
	default:
		f.matches = append(f.matches, errModel)
	}
	if t.outcome() != fxtasks.Failed {
		f.matches = append(f.matches, t.cause)
		if t.cause == errModelCause || t.byContext {
			f.matches = append(f.matches, fxtasks.ErrCancelled)
		}
	}
	if t.broken != nil {
		f.matches = append(f.matches, t.broken)
	}
	f.crashed = t.how == "panic" || t.broken == errModelRetry
	return f
}

// err gives what the task's Err is.
func (t *modelTask) err() modelFailure {
	if t.isActive() {
		return modelFailure{}
	}
	return t.failure()
}

// lastErr gives what the task's LastErr is.
func (t *modelTask) lastErr() modelFailure {
	if t.status == fxtasks.Completed {
		return modelFailure{}
	}
	return t.last
}

// checkContext checks what the task's function was given: it ends with exactly the cause, and has
// the values of the submitter's.
func (md *model) checkContext(rt *rapid.T, t *modelTask) {
	if got := context.Cause(t.ctx); got != t.ctxEnd || (t.ctx.Err() == nil) != (t.ctxEnd == nil) {
		rt.Errorf("the context of %v has ended with %v, want %v", t, got, t.ctxEnd)
	}
	if got := t.ctx.Value(carriedKey{}); got != t.carries {
		rt.Errorf("the context of %v has the value %v, want %v", t, got, t.carries)
	}
	if self, ok := fxtasks.FromContext(t.ctx); !ok || t.task != nil && self.Info().Seq != t.task.Info().Seq {
		rt.Errorf("the context of %v is that of %v", t, self)
	}
}

// result gives the value that the task's function has returned.
func (t *modelTask) result() any {
	if t.how == "nil" {
		return modelValue(t.kind, t.serial)
	}
	return modelValue(t.kind, 0)
}

func modelValue(kind string, n int) any {
	switch {
	case kind == "int":
		return n
	case kind == "string" && n > 0:
		return strconv.Itoa(n)
	case kind == "string":
		return ""
	}
	return nil
}

// stepProgress reports progress with the context of a task that runs, or of its latest attempt.
func (md *model) stepProgress(rt *rapid.T) {
	t := md.pick(rt, "task", func(t *modelTask) bool { return t.runs > 0 })
	if t == nil {
		return
	}
	reports := rapid.SampledFrom([]int{1, 2, 5}).Draw(rt, "reports")
	if slices.ContainsFunc(md.calls, func(c *modelCall) bool { return c.reader != nil }) {
		reports = 1 // more would run over an event that was just read
	}
	for i := range reports {
		p := fxtasks.Progress{Current: int64(i), Total: 10, Unit: "files", Message: "working"}
		fxtasks.ReportProgress(t.ctx, p)
		if t.isRunning() {
			t.progress = p
			t.progress.UpdatedAt = time.Now()
			md.publish(t, fxtasks.EventProgress)
		}
		if i%500 == 499 {
			md.readLog(rt) // which must not miss any
		}
	}
	fxtasks.ReportProgress(context.Background(), fxtasks.Progress{})
	md.settle(rt)
}
