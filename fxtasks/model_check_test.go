package fxtasks_test

import (
	"cmp"
	"context"
	"reflect"
	"slices"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"github.com/fxtasks/background/fxtasks"
)

// check compares the manager with the model, once all that can happen has.
func (md *model) check(rt *rapid.T) {
	synctest.Wait()
	if got := md.m.State(); got != md.all.state {
		rt.Errorf("the manager is %v, want %v", got, md.all.state)
	}
	for _, s := range md.scopes[1:] {
		if got, want := s.into.(*fxtasks.Group).State(), max(s.state, md.all.state); got != want {
			rt.Errorf("group %q is %v, want %v", s.name, got, want)
		}
	}
	if got := md.m.Config(); got != md.cfg {
		rt.Errorf("Config gave %+v, want %+v", got, md.cfg)
	}
	md.checkRecords(rt)
	runs := 0
	for _, t := range md.tasks {
		md.checkTask(rt, t)
		runs += t.runs
	}
	if int(md.wrapped.Load()) != runs {
		rt.Errorf("the middleware was called %d times for %d functions", md.wrapped.Load(), runs)
	}
	md.checkSchedules(rt)
	md.checkStats(rt)
	md.checkLimits(rt)
	md.checkEvents(rt)
	if rt.Failed() {
		rt.FailNow()
	}
}

// info gives what is known of the task, less what plain leaves out.
func (t *modelTask) info(md *model) fxtasks.Info {
	info := fxtasks.Info{
		Name: t.name, Group: t.group.name, Status: t.status, Metadata: t.metadata, Progress: t.progress, Timeout: t.timeout,
		CreatedAt: t.created, StartedAt: t.started, FinishedAt: t.finished, CancelRequestedAt: t.requested, CancelCause: t.cause,
		Attempt: t.attempt, MaxAttempts: t.retry.attempts, NotBefore: t.notBefore,
	}
	if t.status.Finished() {
		info.ExpiresAt = t.finished.Add(max(0, md.cfg.RetainFor))
	}
	return plain(info)
}

// plain leaves out what cannot be known beforehand, and makes times comparable.
func plain(info fxtasks.Info) fxtasks.Info {
	info.Seq, info.ID, info.Err, info.LastErr, info.ErrText = 0, "", nil, nil, ""
	for _, t := range []*time.Time{
		&info.CreatedAt, &info.NotBefore, &info.StartedAt, &info.FinishedAt, &info.ExpiresAt, &info.CancelRequestedAt, &info.Progress.UpdatedAt,
	} {
		*t = t.Round(0).UTC()
	}
	return info
}

// checkRecords compares what List and Task know.
func (md *model) checkRecords(rt *rapid.T) {
	page := md.m.List(fxtasks.Filter{Limit: 1000})
	known := md.of(md.all, func(t *modelTask) bool { return t.known })
	slices.Reverse(known)
	if page.Total != len(known) || len(page.Tasks) != len(known) || page.Next != "" || page.Seq != uint64(md.events) {
		rt.Fatalf("List gave %+v, want %v, with %d events", page, known, md.events)
	}
	last := uint64(fxtasks.Latest)
	for i, t := range known {
		md.checkInfo(rt, t, page.Tasks[i])
		if page.Tasks[i].Seq >= last {
			rt.Errorf("%v has Seq %d, which is not below %d", t, page.Tasks[i].Seq, last)
		}
		last = page.Tasks[i].Seq
	}
	ids := []string{"x", "y"}
	for _, t := range md.of(md.all, (*modelTask).hasHandle) {
		ids = append(ids, t.id)
	}
	for _, id := range ids {
		want := md.holder(id)
		got, ok := md.m.Task(id)
		if ok != (want != nil) {
			rt.Errorf("Task(%q) gave %v, want %v", id, got, want)
		} else if ok {
			md.checkInfo(rt, want, got.Info())
		}
	}
}

func (md *model) checkInfo(rt *rapid.T, t *modelTask, got fxtasks.Info) {
	if want := t.info(md); !reflect.DeepEqual(plain(got), want) || t.id != "" && got.ID != t.id {
		rt.Errorf("%v is %+v, want %+v", t, got, want)
	}
	t.err().check(rt, t, got.Err)
	t.lastErr().check(rt, t, got.LastErr)
	text := ""
	if err := cmp.Or(got.Err, got.LastErr); err != nil {
		text = err.Error()
	}
	if got.ErrText != text {
		rt.Errorf("the ErrText of %v is %q, want %q", t, got.ErrText, text)
	}
}

func (md *model) checkTask(rt *rapid.T, t *modelTask) {
	if t.runs != t.attempt {
		rt.Errorf("the function of %v was called %d times, want %d", t, t.runs, t.attempt)
	}
	if t.runs > 0 {
		md.checkContext(rt, t)
	}
	if t.task == nil {
		return
	}
	md.checkInfo(rt, t, t.task.Info())
	if t.task.ID() != t.id || t.task.Name() != t.name || t.task.Status() != t.status {
		rt.Errorf("%v is %v, %v, want %v", t, t.task, t.task.Status(), t.status)
	}
	t.err().check(rt, t, t.task.Err())
	isDone := false
	select {
	case <-t.task.Done():
		isDone = true
	default:
	}
	if isDone != t.status.Finished() || t.woken != t.status.Finished() {
		rt.Errorf("%v is %v; Done: %v; who waits for it was woken: %v", t, t.status, isDone, t.woken)
	}
}

// checkEvents reads the events that are new, and compares those of each task with what has happened.
func (md *model) checkEvents(rt *rapid.T) {
	md.readLog(rt)
	for _, t := range md.tasks {
		if t.seen != len(t.events) {
			rt.Errorf("there were %d events of %v, want %d: %v", t.seen, t, len(t.events), t.events)
		}
	}
	for _, r := range md.readers {
		md.skip(r)
		if got := r.sub.Missed(); got != uint64(r.missed) {
			rt.Errorf("a subscription missed %d events, want %d", got, r.missed)
		}
	}
}

// readLog reads all new events.
func (md *model) readLog(rt *rapid.T) {
	if last := md.m.List(fxtasks.Filter{Limit: 1}).Seq; last != uint64(md.events) {
		rt.Fatalf("there were %d events, want %d", last, md.events)
	}
	for len(md.logged) < md.events {
		e, err := md.log.Next(context.Background())
		if err != nil {
			rt.Fatal(err)
		}
		if e.Task.Seq == 0 || e.Task.Seq > uint64(len(md.tasks)) {
			rt.Fatalf("an event is about no task: %+v", e)
		}
		t := md.tasks[e.Task.Seq-1]
		if t.seen == len(t.events) || t.events[t.seen].kind != e.Kind || e.Seq != uint64(len(md.logged)+1) {
			rt.Fatalf("event %d of %v is %+v, want of %v", t.seen, t, e, t.events)
		}
		md.logged = append(md.logged, t.events[t.seen])
		t.seen++
	}
}
