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

func TestGroupRefusesBadNamesAndConfigs(t *testing.T) {
	m := newManager(t, fxtasks.Config{})
	newGroup(t, m, "taken", fxtasks.GroupConfig{})
	for _, c := range []struct {
		name string
		cfg  fxtasks.GroupConfig
		says string
	}{
		{"", fxtasks.GroupConfig{}, "empty"},
		{strings.Repeat("n", 129), fxtasks.GroupConfig{}, "129"},
		{"a\x00b", fxtasks.GroupConfig{}, `"a\x00b"`},
		{"\xff", fxtasks.GroupConfig{}, `"\xff"`},
		{"taken", fxtasks.GroupConfig{}, `"taken"`},
		{"bad", fxtasks.GroupConfig{MaxRunning: -3}, "GroupConfig.MaxRunning is -3"},
	} {
		g, err := m.Group(c.name, c.cfg)
		if !errors.Is(err, fxtasks.ErrInvalid) || g != nil {
			t.Errorf("Group(%q, %+v) gave %v, %v, want ErrInvalid", c.name, c.cfg, g, err)
			continue
		}
		if !strings.Contains(err.Error(), c.says) {
			t.Errorf("Group(%q, %+v) gave %q, which does not say %q", c.name, c.cfg, err, c.says)
		}
	}
	// What was refused is still to be had.
	newGroup(t, m, "bad", fxtasks.GroupConfig{})
}

func TestGroupNamesAreTakenForGood(t *testing.T) {
	m := newManager(t, fxtasks.Config{})
	g := newGroup(t, m, "once", fxtasks.GroupConfig{})
	if _, err := g.Shutdown(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := m.Group("once", fxtasks.GroupConfig{}); !errors.Is(err, fxtasks.ErrInvalid) {
		t.Errorf("Group gave %v for a name that had been used, want ErrInvalid", err)
	}
	newGroup(t, newManager(t, fxtasks.Config{}), "once", fxtasks.GroupConfig{}) // each manager has its own names
}

func TestGroupCountsAndAwaitsItsOwnTasks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newManager(t, fxtasks.Config{})
		g := newGroup(t, m, "mine", fxtasks.GroupConfig{MaxRunning: 1, MaxPending: 1})
		if g.Name() != "mine" {
			t.Errorf("Name gave %q", g.Name())
		}
		elsewhere := submit(t, m, "elsewhere", untilCancelled)
		release := make(chan struct{})
		running := submit(t, g, "running", until(release))
		pending := submit(t, g, "pending", func(context.Context) error { return errors.New("on purpose") })
		if _, err := g.Submit(t.Context(), "refused", nothing); !errors.Is(err, fxtasks.ErrQueueFull) {
			t.Fatalf("Submit gave %v, want ErrQueueFull", err)
		}
		tasksAre(t, fxtasks.Running, running, elsewhere)
		tasksAre(t, fxtasks.Pending, pending)
		if got, want := g.Stats(), (fxtasks.Counts{Pending: 1, Running: 1, Submitted: 2, Rejected: 1}); got != want {
			t.Errorf("Stats gave %+v, want %+v", got, want)
		}
		for _, task := range []*fxtasks.Task{running, pending} {
			if got := task.Info().Group; got != "mine" {
				t.Errorf("%v is in group %q", task, got)
			}
		}
		waited := make(chan error, 1)
		go func() { waited <- g.Wait(t.Context()) }()
		synctest.Wait()
		if len(waited) > 0 {
			t.Error("Wait returned while tasks of the group were active")
		}
		close(release)
		if err := <-waited; err != nil {
			t.Error(err)
		}
		tasksAre(t, fxtasks.Running, elsewhere)
		want := fxtasks.Counts{Submitted: 2, Completed: 1, Failed: 1, Rejected: 1}
		if got, byGroup := g.Stats(), m.Stats().ByGroup; got != want || byGroup["mine"] != want {
			t.Errorf("Stats gave %+v and %+v, want %+v", got, byGroup, want)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := m.Wait(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("the manager's Wait gave %v, want DeadlineExceeded: it has another task", err)
		}
	})
}

func TestGroupDurations(t *testing.T) {
	const none = -1
	for name, c := range map[string]struct {
		manager, group time.Duration
		own            []fxtasks.TaskOption
		want           time.Duration
	}{
		"manager's":           {manager: time.Minute, want: time.Minute},
		"group's":             {manager: time.Minute, group: time.Second, want: time.Second},
		"group's alone":       {group: time.Second, want: time.Second},
		"group has none":      {manager: time.Minute, group: none},
		"nobody has any":      {},
		"task's own":          {group: time.Minute, own: []fxtasks.TaskOption{fxtasks.WithTimeout(3 * time.Second), fxtasks.WithDrainGrace(3 * time.Second)}, want: 3 * time.Second},
		"task's own, of none": {group: none, own: []fxtasks.TaskOption{fxtasks.WithTimeout(3 * time.Second), fxtasks.WithDrainGrace(3 * time.Second)}, want: 3 * time.Second},
		"task wants none":     {group: time.Minute, own: []fxtasks.TaskOption{fxtasks.WithTimeout(0), fxtasks.WithDrainGrace(0)}},
	} {
		t.Run("TaskTimeout/"+name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				m := newManager(t, fxtasks.Config{TaskTimeout: c.manager})
				g := newGroup(t, m, "g", fxtasks.GroupConfig{TaskTimeout: c.group})
				task := submit(t, g, "work", untilCancelled, c.own...)
				if got := task.Info().Timeout; got != c.want {
					t.Errorf("Timeout is %v, want %v", got, c.want)
				}
				time.Sleep(time.Hour)
				info := task.Info()
				if c.want == 0 {
					tasksAre(t, fxtasks.Running, task)
					return
				}
				tasksAre(t, fxtasks.TimedOut, task)
				if took := info.FinishedAt.Sub(info.StartedAt); took != c.want {
					t.Errorf("it timed out after %v, want %v", took, c.want)
				}
			})
		})
		t.Run("DrainGrace/"+name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				m := newManager(t, fxtasks.Config{DrainGrace: c.manager, ShutdownTimeout: time.Hour})
				g := newGroup(t, m, "g", fxtasks.GroupConfig{DrainGrace: c.group})
				submit(t, g, "work", untilCancelled, c.own...)
				synctest.Wait()
				report, err := g.Shutdown(t.Context())
				if err != nil || report.Duration != c.want {
					t.Errorf("Shutdown took %v and gave %v, want %v", report.Duration, err, c.want)
				}
			})
		})
	}
}
