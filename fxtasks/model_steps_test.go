package fxtasks_test

import (
	"context"
	"runtime"
	"slices"
	"strconv"
	"time"

	"pgregory.net/rapid"

	"github.com/fxtasks/background/fxtasks"
)

// pick draws one of the tasks for which is holds, or gives nil if there is none.
func (md *model) pick(rt *rapid.T, label string, is func(*modelTask) bool) *modelTask {
	tasks := md.of(md.all, is)
	if len(tasks) == 0 {
		return nil
	}
	return rapid.SampledFrom(tasks).Draw(rt, label)
}

// stepFinish ends a task's function, in one of all ways.
func (md *model) stepFinish(rt *rapid.T) {
	t := md.pick(rt, "task", md.isFree)
	if t == nil {
		return
	}
	t.how = rapid.SampledFrom([]string{"nil", "error", "panic", "Goexit"}).Draw(rt, "how")
	t.orders <- map[string]func() error{
		"nil":    func() error { return errReturns },
		"error":  func() error { return errModel },
		"panic":  func() error { panic(errModel) },
		"Goexit": func() error { runtime.Goexit(); return nil },
	}[t.how]
	switch {
	case t.how == "nil":
		md.finish(t, fxtasks.Completed)
	case t.how != "error" || t.cause == nil:
		md.finish(t, fxtasks.Failed)
	case t.cause == fxtasks.ErrTimeout:
		md.finish(t, fxtasks.TimedOut)
	default:
		md.finish(t, fxtasks.Cancelled)
	}
	md.settle(rt)
}

// err gives what the task's Err must match, nothing for nil.
func (t *modelTask) err() (want []error) {
	switch {
	case t.isActive() || t.how == "nil":
		return nil
	case t.how == "Goexit":
		return []error{fxtasks.ErrGoexit}
	case t.how != "":
		want = append(want, errModel)
	}
	if t.status != fxtasks.Failed {
		want = append(want, t.cause)
		if t.cause == errModelCause {
			want = append(want, fxtasks.ErrCancelled)
		}
	}
	return want
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

// stepProgress reports progress with the context of a task that runs, or has ended.
func (md *model) stepProgress(rt *rapid.T) {
	t := md.pick(rt, "task", func(t *modelTask) bool { return t.ran })
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

// requestAll asks the tasks to end, a successor before the task that it waits for. No order is
// promised in which those end that are pending, nor which of their records are kept therefore, so
// who calls it forgets them all when everything is settled.
func (md *model) requestAll(tasks []*modelTask, cause error) {
	for _, t := range slices.Backward(tasks) {
		md.request(t, cause)
	}
}

func (md *model) stepCleanup(rt *rapid.T) {
	want := len(md.ended)
	if got := md.forgetAll(); got != want {
		rt.Errorf("Cleanup gave %d, want %d", got, want)
	}
}

func (md *model) forgetAll() int {
	for len(md.ended) > 0 {
		md.forgetFinished(md.ended[0])
	}
	return md.m.Cleanup()
}

func (md *model) stepTime(rt *rapid.T) {
	seconds := rapid.IntRange(1, 7).Draw(rt, "seconds")
	for range time.Duration(seconds) * time.Second / modelTick {
		time.Sleep(modelTick)
		md.due(rt)
	}
}

// due does what is due now.
func (md *model) due(rt *rapid.T) {
	md.prune()
	for _, t := range md.tasks {
		if t.isRunning() && t.timeout > 0 && time.Since(t.started) >= t.timeout {
			md.request(t, fxtasks.ErrTimeout)
		}
	}
	md.settle(rt)
}
