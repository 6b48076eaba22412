package fxtasks_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"github.com/fxtasks/background/fxtasks"
)

// TestManagerFollowsItsModel takes random steps with a manager and with a simple model of what the
// contract says of it, and compares the two after each.
func TestManagerFollowsItsModel(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		rapid.Check(inBubble{t}, func(rt *rapid.T) {
			md := newModel(rt)
			defer md.close()
			md.check(rt)
			for range rapid.IntRange(20, 80).Draw(rt, "steps") {
				md.steps()[rapid.SampledFrom(stepNames).Draw(rt, "step")](rt)
				md.check(rt)
			}
		})
	})
}

// stepNames has the steps that lead to the most states most often.
var stepNames = []string{
	"submit", "submit", "submit", "finish", "finish", "finish",
	"cancel", "cancel by ID", "time passes", "list", "cleanup", "shutdown",
}

func (md *model) steps() map[string]func(*rapid.T) {
	return map[string]func(*rapid.T){
		"submit":       md.stepSubmit,
		"finish":       md.stepFinish,
		"cancel":       md.stepCancel,
		"cancel by ID": md.stepCancelByID,
		"cleanup":      md.stepCleanup,
		"list":         md.stepList,
		"time passes":  md.stepTime,
		"shutdown":     md.stepShutdown,
	}
}

func (md *model) stepSubmit(rt *rapid.T) {
	for range rapid.IntRange(1, 3).Draw(rt, "tasks") {
		md.submitOne(rt)
	}
}

func (md *model) submitOne(rt *rapid.T) {
	t := &modelTask{
		model: md,
		id:    rapid.SampledFrom([]string{"", "x", "y"}).Draw(rt, "id"),
		group: rapid.IntRange(0, len(md.into)-1).Draw(rt, "group"),
		end:   make(chan func() error, 1),
	}
	policy := fxtasks.DuplicatePolicy(rapid.IntRange(0, 2).Draw(rt, "policy"))
	opts := []fxtasks.TaskOption{fxtasks.WithDuplicate(policy)}
	if t.id != "" {
		opts = append(opts, fxtasks.WithID(t.id))
	}
	if rapid.Bool().Draw(rt, "timeout") {
		t.timeout = modelTimeout
		opts = append(opts, fxtasks.WithTimeout(t.timeout))
	}
	task, err := md.into[t.group].Submit(context.Background(), "work", func(context.Context) error {
		t.ran.Store(true)
		select {
		case end := <-t.end:
			return end()
		case <-md.over:
			return nil
		}
	}, opts...)

	joined, wantErr := md.submit(t, policy)
	switch {
	case !errors.Is(err, wantErr) || (err == nil) == (task == nil):
		rt.Fatalf("Submit gave %v, %v, want %v", task, err, wantErr)
	case err != nil:
		md.refused++
	case joined != nil:
		if task != joined.task {
			rt.Fatalf("Submit gave %v, want to join %v", task.Info(), joined)
		}
	default:
		info := task.Info()
		t.task, t.id, t.seq = task, info.ID, info.Seq
		if n := len(md.tasks); n > 1 && t.seq <= md.tasks[n-2].seq {
			rt.Fatalf("%v was submitted after seq %d", t, md.tasks[n-2].seq)
		}
		go func() {
			task.Wait(context.Background())
			t.woken.Store(true)
		}()
		md.settle()
	}
}

// pick draws one of the tasks with a status, or gives nil if there is none.
func (md *model) pick(rt *rapid.T, statuses ...fxtasks.Status) *modelTask {
	var tasks []*modelTask
	for _, t := range md.tasks {
		if slices.Contains(statuses, t.status) {
			tasks = append(tasks, t)
		}
	}
	if len(tasks) == 0 {
		return nil
	}
	return tasks[rapid.IntRange(0, len(tasks)-1).Draw(rt, "task")]
}

func (md *model) stepFinish(rt *rapid.T) {
	t := md.pick(rt, fxtasks.Running)
	if t == nil {
		return
	}
	status := fxtasks.Failed
	switch rapid.SampledFrom([]string{"nil", "error", "panic"}).Draw(rt, "how") {
	case "nil":
		status = fxtasks.Completed
		t.end <- func() error { return nil }
	case "error":
		switch t.cause {
		case nil:
		case fxtasks.ErrTimeout:
			status = fxtasks.TimedOut
		default:
			status = fxtasks.Cancelled
		}
		t.returns = errModel
		t.end <- func() error { return errModel }
	case "panic":
		t.returns = errModel
		t.end <- func() error { panic(errModel) }
	}
	md.finish(t, status)
	md.settle()
}

func (md *model) stepCancel(rt *rapid.T) {
	t := md.pick(rt, fxtasks.Pending, fxtasks.Running, fxtasks.Completed, fxtasks.Cancelled)
	if t == nil {
		return
	}
	t.task.Cancel(nil)
	md.request(t, fxtasks.ErrCancelled)
	md.settle()
}

func (md *model) stepCancelByID(rt *rapid.T) {
	id := rapid.SampledFrom([]string{"x", "y"}).Draw(rt, "id")
	ctx, cancel := context.WithCancel(context.Background())
	cancel() // it asks and does not wait
	_, err := md.m.Cancel(ctx, id, errModel)
	var want error
	t := md.holder(id)
	switch {
	case t == nil:
		want = fxtasks.ErrNotFound
	case t.status.Finished():
		want = fxtasks.ErrFinished
	default:
		if t.status == fxtasks.Running {
			want = context.Canceled
		}
		md.request(t, errModel)
	}
	if !errors.Is(err, want) {
		rt.Fatalf("Cancel(%q) gave %v, want %v", id, err, want)
	}
	md.settle()
}

func (md *model) stepCleanup(rt *rapid.T) {
	if got, want := md.m.Cleanup(), len(md.ended); got != want {
		rt.Fatalf("Cleanup gave %d, want %d", got, want)
	}
	for len(md.ended) > 0 {
		md.forget(md.ended[0])
	}
}

func (md *model) stepTime(rt *rapid.T) {
	time.Sleep(time.Duration(rapid.IntRange(1, 7).Draw(rt, "seconds")) * time.Second)
	for _, t := range md.tasks {
		if t.status == fxtasks.Running && t.timeout > 0 && time.Since(t.started) > t.timeout {
			md.request(t, fxtasks.ErrTimeout)
		}
	}
	md.prune()
}

// stepShutdown ends what waits, asks what runs, and refuses what comes. It forgets what has
// finished, because no order is promised for those that end in the same moment.
func (md *model) stepShutdown(rt *rapid.T) {
	if md.closed || rapid.IntRange(1, 20).Draw(rt, "seldom") < 20 {
		return
	}
	go md.m.Shutdown(context.Background())
	synctest.Wait()
	md.m.Cleanup()
	md.closed = true
	for _, t := range slices.Backward(md.tasks) { // a successor before the task that it waits for
		md.request(t, fxtasks.ErrShutdown)
	}
	for len(md.ended) > 0 {
		md.forget(md.ended[0])
	}
}

func (md *model) stepList(rt *rapid.T) {
	f := fxtasks.Filter{
		Group: rapid.SampledFrom(md.names).Draw(rt, "group"),
		Limit: rapid.IntRange(1, 4).Draw(rt, "limit"),
	}
	for s := fxtasks.Pending; s <= fxtasks.TimedOut; s++ {
		if rapid.Bool().Draw(rt, s.String()) {
			f.Statuses = append(f.Statuses, s)
		}
	}
	var want []uint64
	for _, t := range slices.Backward(md.tasks) {
		if t.known && (f.Group == "" || md.names[t.group] == f.Group) && (f.Statuses == nil || slices.Contains(f.Statuses, t.status)) {
			want = append(want, t.seq)
		}
	}
	var got []uint64
	for {
		page := md.m.List(f)
		for _, info := range page.Tasks {
			got = append(got, info.Seq)
		}
		if page.Total != len(want) {
			rt.Fatalf("List(%+v) has the total %d, want %d", f, page.Total, len(want))
		}
		if f.After = page.Next; f.After == "" {
			break
		}
	}
	if !slices.Equal(got, want) {
		rt.Fatalf("List(%+v) gave %v, want %v", f, got, want)
	}
}
