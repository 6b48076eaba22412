package fxtasks_test

import (
	"reflect"
	"slices"
	"time"

	"pgregory.net/rapid"

	"github.com/fxtasks/background/fxtasks"
)

// checkStats compares the counters with the model.
func (md *model) checkStats(rt *rapid.T) {
	got := md.m.Stats()
	all := md.counts(func(*modelScope, string) bool { return true })
	want := fxtasks.Stats{
		Counts:     all,
		MaxRunning: md.cfg.MaxRunning, MaxPending: md.cfg.MaxPending,
		ByName: make(map[string]fxtasks.Counts), ByGroup: make(map[string]fxtasks.Counts),
	}
	if first := md.firstInTurn(anybody); first != nil {
		want.OldestPending = time.Since(first.due())
	}
	want.Waiting = len(slices.DeleteFunc(slices.Clone(md.calls), func(c *modelCall) bool { return !c.counts }))
	for _, t := range md.of(md.all, (*modelTask).isRunning) {
		want.OldestRunning = max(want.OldestRunning, time.Since(t.started))
		if t.cause != nil && time.Since(t.requested) >= 10*time.Second {
			want.Stuck++
		}
	}
	for _, name := range modelNames {
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
		c.Retried += uint64(t.retried)
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

// checkLimits checks that no limit is exceeded, by what the manager says of its tasks and not by the model. Tasks
// that wait do not count, nor those that were asked to end, since they may have been waiting then.
func (md *model) checkLimits(rt *rapid.T) {
	for _, s := range md.scopes {
		busy, pending := 0, 0
		for _, t := range md.of(s, (*modelTask).hasHandle) {
			switch info := t.task.Info(); {
			case info.Status == fxtasks.Pending && info.Attempt == 0:
				pending++
			case info.Status == fxtasks.Running && !t.external && md.isFree(t) && info.CancelCause == nil:
				busy++
			}
		}
		limit := s.cfg
		if limit.MaxRunning > 0 && busy > limit.MaxRunning || limit.MaxPending > 0 && pending > limit.MaxPending || limit.MaxPending < 0 && pending > 0 {
			rt.Errorf("%d tasks of group %q are busy and %d pending, over its limits %+v", busy, s.name, pending, limit)
		}
	}
}
