package fxtasks_test

import (
	"context"
	"errors"
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
	if got := md.m.Config(); got != md.cfg {
		rt.Errorf("Config gave %+v, want %+v", got, md.cfg)
	}
	md.checkRecords(rt)
	for _, t := range md.tasks {
		md.checkTask(rt, t)
	}
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
		Name: t.name, Group: t.group.name, Status: t.status, Metadata: t.metadata, Progress: t.progress, Timeout: t.timeout, MaxAttempts: 1,
		CreatedAt: t.created, StartedAt: t.started, FinishedAt: t.finished, CancelRequestedAt: t.requested, CancelCause: t.cause,
	}
	if !t.started.IsZero() {
		info.Attempt = 1
	}
	if t.status.Finished() {
		info.ExpiresAt = t.finished.Add(max(0, md.cfg.RetainFor))
	}
	return plain(info)
}

// plain leaves out what cannot be known beforehand, and makes times comparable.
func plain(info fxtasks.Info) fxtasks.Info {
	info.Seq, info.ID, info.Err, info.ErrText = 0, "", nil, ""
	for _, t := range []*time.Time{
		&info.CreatedAt, &info.StartedAt, &info.FinishedAt, &info.ExpiresAt, &info.CancelRequestedAt, &info.Progress.UpdatedAt,
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
	if (got.ErrText != "") != (got.Err != nil) || got.Err != nil && got.ErrText != got.Err.Error() {
		rt.Errorf("the ErrText of %v is %q, want that of %v", t, got.ErrText, got.Err)
	}
	if !matches(got.Err, t.err()) {
		rt.Errorf("the Err of %v is %v, want %v", t, got.Err, t.err())
	}
	if crash := (*fxtasks.PanicError)(nil); errors.As(got.Err, &crash) != (t.how == "panic") {
		rt.Errorf("the Err of %v is %#v", t, got.Err)
	}
}

func (md *model) checkTask(rt *rapid.T, t *modelTask) {
	if t.ran == t.started.IsZero() {
		rt.Errorf("the function of %v was called: %v", t, t.ran)
	}
	if t.ran {
		md.checkContext(rt, t)
	}
	if t.task == nil {
		return
	}
	md.checkInfo(rt, t, t.task.Info())
	if t.task.ID() != t.id || t.task.Name() != t.name || t.task.Status() != t.status || !matches(t.task.Err(), t.err()) {
		rt.Errorf("%v is %v, %v, %v", t, t.task, t.task.Status(), t.task.Err())
	}
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

// checkContext checks what the task's function was given: it ends with exactly the cause, and has
// the values of the submitter's.
func (md *model) checkContext(rt *rapid.T, t *modelTask) {
	want := t.cause
	if want == nil && t.status.Finished() {
		want = context.Canceled
	}
	if got := context.Cause(t.ctx); got != want || (t.ctx.Err() == nil) != (want == nil) {
		rt.Errorf("the context of %v has ended with %v, want %v", t, got, want)
	}
	if got := t.ctx.Value(carriedKey{}); got != t.carries {
		rt.Errorf("the context of %v has the value %v, want %v", t, got, t.carries)
	}
	if self, ok := fxtasks.FromContext(t.ctx); !ok || t.task != nil && self.Info().Seq != t.task.Info().Seq {
		rt.Errorf("the context of %v is that of %v", t, self)
	}
	if calls := len(md.of(md.all, func(t *modelTask) bool { return t.ran })); int(md.wrapped.Load()) != calls {
		rt.Errorf("the middleware was called %d times for %d functions", md.wrapped.Load(), calls)
	}
}

// checkStats compares the counters with the model.
func (md *model) checkStats(rt *rapid.T) {
	got := md.m.Stats()
	all := md.counts(func(*modelScope, string) bool { return true })
	want := fxtasks.Stats{
		Counts:     all,
		MaxRunning: md.cfg.MaxRunning, MaxPending: md.cfg.MaxPending,
		ByName: make(map[string]fxtasks.Counts), ByGroup: make(map[string]fxtasks.Counts),
	}
	if pending := md.of(md.all, func(t *modelTask) bool { return t.isPending() && t.after == nil }); len(pending) > 0 {
		want.OldestPending = time.Since(pending[0].created)
	}
	want.Waiting = len(slices.DeleteFunc(slices.Clone(md.calls), func(c *modelCall) bool { return !c.counts }))
	for _, t := range md.of(md.all, (*modelTask).isRunning) {
		want.OldestRunning = max(want.OldestRunning, time.Since(t.started))
		if t.cause != nil && time.Since(t.requested) >= 10*time.Second {
			want.Stuck++
		}
	}
	for _, name := range []string{"work", "other"} {
		if c := md.counts(func(_ *modelScope, n string) bool { return n == name }); c != (fxtasks.Counts{}) {
			want.ByName[name] = c
		}
	}
	for _, s := range md.scopes[1:] {
		want.ByGroup[s.name] = md.counts(func(g *modelScope, _ string) bool { return g == s })
		if group := s.into.(*fxtasks.Group); group.Stats() != want.ByGroup[s.name] || group.Name() != s.name {
			rt.Errorf("group %q counts %+v, want %+v", group.Name(), group.Stats(), want.ByGroup[s.name])
		}
	}
	if !reflect.DeepEqual(got, want) {
		rt.Errorf("Stats gave %+v, want %+v", got, want)
	}
	if ended := got.Completed + got.Failed + got.Cancelled + got.TimedOut; got.Submitted != ended+uint64(got.Pending+got.Running) {
		rt.Errorf("of %d tasks, %d have ended and %d have not", got.Submitted, ended, got.Pending+got.Running)
	}
}

// counts counts the tasks, and the submits that gave an error, of some groups and names.
func (md *model) counts(of func(group *modelScope, name string) bool) (c fxtasks.Counts) {
	for _, r := range md.refused {
		if of(r.group, r.name) {
			c.Rejected++
		}
	}
	for _, t := range md.tasks {
		if !of(t.group, t.name) {
			continue
		}
		c.Submitted++
		switch t.status {
		case fxtasks.Pending:
			c.Pending++
		case fxtasks.Running:
			c.Running++
		case fxtasks.Completed:
			c.Completed++
		case fxtasks.Failed:
			c.Failed++
		case fxtasks.Cancelled:
			c.Cancelled++
		case fxtasks.TimedOut:
			c.TimedOut++
		}
	}
	return c
}

// checkLimits sees to it that no limit is exceeded, whatever the model makes of it: by what the
// manager says of its tasks, of which those do not count that wait, or were asked to end, since they
// may have waited when that happened.
func (md *model) checkLimits(rt *rapid.T) {
	for _, s := range md.scopes {
		busy, pending := 0, 0
		for _, t := range md.of(s, (*modelTask).hasHandle) {
			switch info := t.task.Info(); {
			case info.Status == fxtasks.Pending:
				pending++
			case info.Status == fxtasks.Running && md.isFree(t) && info.CancelCause == nil:
				busy++
			}
		}
		limit := s.cfg
		if limit.MaxRunning > 0 && busy > limit.MaxRunning || limit.MaxPending > 0 && pending > limit.MaxPending || limit.MaxPending < 0 && pending > 0 {
			rt.Errorf("%d tasks of group %q are busy and %d pending, over its limits %+v", busy, s.name, pending, limit)
		}
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
		i := slices.IndexFunc(md.tasks, func(t *modelTask) bool { return t.metadata["serial"] == e.Task.Metadata["serial"] })
		if i < 0 {
			rt.Fatalf("an event is about no task: %+v", e)
		}
		t := md.tasks[i]
		if t.seen == len(t.events) || t.events[t.seen] != e.Kind || e.Seq != uint64(len(md.logged)+1) {
			rt.Fatalf("event %d of %v is %+v, want of %v", t.seen, t, e, t.events)
		}
		t.seen++
		md.logged = append(md.logged, modelEvent{e.Kind, t})
	}
}
