package fxtasks_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fxtasks/background/fxtasks"
)

func schedule(t *testing.T, m *fxtasks.Manager, s fxtasks.Schedule, fn fxtasks.Func, opts ...fxtasks.TaskOption) *fxtasks.Periodic {
	t.Helper()
	p, err := m.Schedule("nightly", s, fn, opts...)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestAScheduleRunsAndCounts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newManager(t, fxtasks.Config{})
		p := schedule(t, m, fxtasks.Every(time.Minute), nothing, fxtasks.WithMetadata(map[string]string{"a": "b"}))
		if info := p.Info(); info.Runs != 0 || info.Last.ID != "" || !info.LastCompleted.IsZero() || !info.Next.Equal(time.Now().Truncate(time.Minute).Add(time.Minute)) {
			t.Errorf("before the first run: %+v", info)
		}
		time.Sleep(3*time.Minute + time.Second)
		info := p.Info()
		if info.Name != "nightly" || info.Runs != 3 || info.Skipped != 0 || info.Last.Status != fxtasks.Completed || info.Last.Metadata["a"] != "b" ||
			!info.LastCompleted.Equal(info.Last.FinishedAt) {
			t.Errorf("%+v", info)
		}
		p.Stop()
		p.Stop()
		time.Sleep(time.Hour)
		if info := p.Info(); info.Runs != 3 || !info.Next.IsZero() || len(m.Periodics()) != 0 {
			t.Errorf("after Stop: %+v, %d in Periodics", info, len(m.Periodics()))
		}
		if _, err := p.Trigger(t.Context()); !errors.Is(err, fxtasks.ErrShuttingDown) {
			t.Errorf("Trigger after Stop: %v", err)
		}
	})
}

func TestARunThatIsDueWhileOneIsActiveIsSkipped(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, logs := observed(t, fxtasks.Config{})
		release := make(chan struct{})
		p := schedule(t, m, fxtasks.Every(time.Minute), until(release))
		time.Sleep(3*time.Minute + time.Second)
		if info := p.Info(); info.Runs != 1 || info.Skipped != 2 {
			t.Errorf("%+v", info)
		}
		if n := len(linesWith(logs, "run skipped")); n != 2 {
			t.Errorf("%d lines", n)
		}
		if _, err := p.Trigger(t.Context()); !errors.Is(err, fxtasks.ErrStillRunning) {
			t.Errorf("Trigger: %v", err)
		}
		close(release)
		synctest.Wait()
		task, err := p.Trigger(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if info := p.Info(); info.Runs != 2 || info.Last.ID != task.ID() {
			t.Errorf("after Trigger: %+v", info)
		}
	})
}

type scheduleFunc func(time.Time) time.Time

func (f scheduleFunc) Next(after time.Time) time.Time { return f(after) }

func TestABadNextEndsTheScheduleWithALine(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for name, next := range map[string]scheduleFunc{
			"panics":       func(time.Time) time.Time { panic("no") },
			"is not after": func(after time.Time) time.Time { return after },
			"panics later with what cannot be printed": func(after time.Time) time.Time {
				if after.Second() == 0 {
					return after.Add(time.Second)
				}
				panic(errorGoexits{})
			},
		} {
			m, logs := observed(t, fxtasks.Config{})
			p := schedule(t, m, next, nothing)
			time.Sleep(time.Hour)
			if info := p.Info(); !info.Next.IsZero() || info.Runs > 1 || len(m.Periodics()) != 1 {
				t.Errorf("%s: %+v", name, info)
			}
			if n := len(linesWith(logs, "schedule ended")); n != 1 {
				t.Errorf("%s: %d lines", name, n)
			}
		}
	})
}

func TestASlowNextDoesNotShiftARun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newManager(t, fxtasks.Config{})
		due := time.Now().Add(time.Minute)
		p := schedule(t, m, scheduleFunc(func(after time.Time) time.Time {
			time.Sleep(30 * time.Second)
			if after.Before(due) {
				return due
			}
			return time.Time{}
		}), nothing)
		time.Sleep(2 * time.Minute)
		if info := p.Info(); info.Runs != 1 || !info.Last.StartedAt.Equal(due) || !info.Next.IsZero() {
			t.Errorf("%+v, due at %v", info, due)
		}
	})
}

func TestWhatAScheduleRefuses(t *testing.T) {
	m := newManager(t, fxtasks.Config{})
	for name, test := range map[string]struct {
		schedule fxtasks.Schedule
		opt      fxtasks.TaskOption
	}{
		"nil":          {nil, fxtasks.WithTimeout(0)},
		"Every(0)":     {fxtasks.Every(0), fxtasks.WithTimeout(0)},
		"WithBlocking": {fxtasks.Every(1), fxtasks.WithBlocking()},
		"WithDelay":    {fxtasks.Every(1), fxtasks.WithDelay(1)},
		"WithID":       {fxtasks.Every(1), fxtasks.WithID("a")},
		"WithRetry":    {fxtasks.Every(1), fxtasks.WithRetry(fxtasks.Retry{MaxAttempts: -1})},
	} {
		if _, err := m.Schedule("s", test.schedule, nothing, test.opt); !errors.Is(err, fxtasks.ErrInvalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, name := range []string{"", ".", "..", "/", "a\n"} {
		if _, err := m.Schedule(name, fxtasks.Every(1), nothing); !errors.Is(err, fxtasks.ErrInvalid) || !strings.Contains(err.Error(), "schedule name") {
			t.Errorf("the name %q: %v", name, err)
		}
	}
	g, err := m.Group("g", fxtasks.GroupConfig{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := g.Schedule("taken", fxtasks.Every(time.Hour), nothing); err != nil {
		t.Fatal(err)
	}
	if _, err := m.Schedule("taken", fxtasks.Every(time.Hour), nothing); !errors.Is(err, fxtasks.ErrInvalid) {
		t.Errorf("a name that a group's has: %v", err)
	}
	if _, err := g.Shutdown(context.Background()); err != nil || len(m.Periodics()) != 0 {
		t.Errorf("after the group's shutdown: %v, %d in Periodics", err, len(m.Periodics()))
	}
}
