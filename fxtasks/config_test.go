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

// wantInvalid checks that err matches ErrInvalid and that its message has all of parts.
func wantInvalid(t *testing.T, err error, parts ...string) {
	t.Helper()
	if !errors.Is(err, fxtasks.ErrInvalid) {
		t.Fatalf("error is %v, want one that matches ErrInvalid", err)
	}
	for _, part := range parts {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("error is %q, want it to name %q", err, part)
		}
	}
}

func TestNewRefusesABadConfigAndNamesFieldAndValue(t *testing.T) {
	for _, c := range []struct {
		field, value string
		cfg          fxtasks.Config
	}{
		{"ShutdownTimeout", "-1s", fxtasks.Config{ShutdownTimeout: -time.Second}},
		{"DrainGrace", "-2s", fxtasks.Config{DrainGrace: -2 * time.Second}},
		{"CancelTimeout", "-3s", fxtasks.Config{CancelTimeout: -3 * time.Second}},
		{"TaskTimeout", "-1ns", fxtasks.Config{TaskTimeout: -1}},
		{"MaxRunning", "-7", fxtasks.Config{MaxRunning: -7}},
	} {
		t.Run(c.field, func(t *testing.T) {
			m, err := fxtasks.New(c.cfg)
			wantInvalid(t, err, c.field, c.value)
			if m != nil {
				t.Error("New gave a manager along with its error")
			}
		})
	}
}

func TestNewRefusesNilOptionsAndMiddleware(t *testing.T) {
	passOn := func(next fxtasks.Func) fxtasks.Func { return next }
	for name, opts := range map[string][]fxtasks.Option{
		"option":     {fxtasks.WithLogger(nil), nil},
		"middleware": {fxtasks.WithMiddleware(passOn, nil)},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := fxtasks.New(fxtasks.Config{}, opts...)
			wantInvalid(t, err, name, "1", "nil") // 1: the index of the bad one
		})
	}
}

func TestConfigHasDefaults(t *testing.T) {
	want := fxtasks.Config{
		ShutdownTimeout: 10 * time.Second,
		StopReserve:     500 * time.Millisecond,
		CancelTimeout:   5 * time.Second,
		RetainFinished:  1000,
		RetainFor:       time.Hour,
	}
	if got := newManager(t, fxtasks.Config{}).Config(); got != want {
		t.Errorf("defaults are %+v, want %+v", got, want)
	}
}

func TestConfigKeepsWhatIsChosen(t *testing.T) {
	want := fxtasks.Config{
		ShutdownTimeout: time.Minute,
		StopReserve:     time.Second,
		DrainGrace:      2 * time.Second,
		CancelTimeout:   3 * time.Second,
		TaskTimeout:     4 * time.Second,
		MaxRunning:      5,
		MaxPending:      6,
		RetainFinished:  7,
		RetainFor:       8 * time.Second,
	}
	if got := newManager(t, want).Config(); got != want {
		t.Errorf("Config is %+v, want %+v", got, want)
	}
}

func TestNegativeMaxPendingLetsNoneWait(t *testing.T) {
	m := newManager(t, fxtasks.Config{MaxRunning: 1, MaxPending: -1})
	submit(t, m, "runs", untilCancelled)
	if _, err := m.Submit(context.Background(), "waits", nothing); !errors.Is(err, fxtasks.ErrQueueFull) {
		t.Errorf("Submit gave %v, want ErrQueueFull", err)
	}
}

func TestNegativeRetentionKeepsNoRecord(t *testing.T) {
	for name, cfg := range map[string]fxtasks.Config{
		"RetainFinished": {RetainFinished: -1},
		"RetainFor":      {RetainFor: -1},
	} {
		t.Run(name, func(t *testing.T) {
			m := newManager(t, cfg)
			task := submit(t, m, "work", nothing)
			if err := task.Wait(context.Background()); err != nil {
				t.Fatal(err)
			}
			if _, ok := m.Task(task.ID()); ok {
				t.Error("the record of the finished task is still there")
			}
		})
	}
}

func TestGroupRefusesABadConfigAndNamesFieldAndValue(t *testing.T) {
	m := newManager(t, fxtasks.Config{})
	if _, err := m.Group("taken", fxtasks.GroupConfig{}); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		what, group  string
		cfg          fxtasks.GroupConfig
		field, value string
	}{
		{"negative limit", "g", fxtasks.GroupConfig{MaxRunning: -3}, "MaxRunning", "-3"},
		{"empty name", "", fxtasks.GroupConfig{}, "name", "empty"},
		{"bad name", "a\nb", fxtasks.GroupConfig{}, "name", `a\nb`},
		{"second of one name", "taken", fxtasks.GroupConfig{}, "name", "taken"},
	} {
		t.Run(c.what, func(t *testing.T) {
			_, err := m.Group(c.group, c.cfg)
			wantInvalid(t, err, c.field, c.value)
		})
	}
}

func TestTimeoutComesFromTaskThenGroupThenManager(t *testing.T) {
	const ofManager, ofGroup, ofTask = time.Minute, 2 * time.Minute, 3 * time.Minute
	for _, c := range []struct {
		what  string
		group time.Duration
		opts  []fxtasks.TaskOption
		want  time.Duration
	}{
		{"group leaves it to the manager", 0, nil, ofManager},
		{"group's own", ofGroup, nil, ofGroup},
		{"negative in group: none", -1, nil, 0},
		{"task's own", ofGroup, []fxtasks.TaskOption{fxtasks.WithTimeout(ofTask)}, ofTask},
		{"0 for the task: none", ofGroup, []fxtasks.TaskOption{fxtasks.WithTimeout(0)}, 0},
	} {
		t.Run(c.what, func(t *testing.T) {
			m := newManager(t, fxtasks.Config{TaskTimeout: ofManager})
			g, err := m.Group("g", fxtasks.GroupConfig{TaskTimeout: c.group})
			if err != nil {
				t.Fatal(err)
			}
			if got := submit(t, g, "work", nothing, c.opts...).Info().Timeout; got != c.want {
				t.Errorf("timeout is %v, want %v", got, c.want)
			}
		})
	}
}

func TestDrainGraceComesFromTaskThenGroupThenManager(t *testing.T) {
	const ofManager, ofGroup, ofTask = time.Second, 2 * time.Second, 3 * time.Second
	for _, c := range []struct {
		what  string
		group time.Duration
		opts  []fxtasks.TaskOption
		want  time.Duration
	}{
		{"group leaves it to the manager", 0, nil, ofManager},
		{"group's own", ofGroup, nil, ofGroup},
		{"negative in group: none", -1, nil, 0},
		{"task's own", ofGroup, []fxtasks.TaskOption{fxtasks.WithDrainGrace(ofTask)}, ofTask},
		{"0 for the task: none", ofGroup, []fxtasks.TaskOption{fxtasks.WithDrainGrace(0)}, 0},
	} {
		t.Run(c.what, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				m := newManager(t, fxtasks.Config{DrainGrace: ofManager})
				g, err := m.Group("g", fxtasks.GroupConfig{DrainGrace: c.group})
				if err != nil {
					t.Fatal(err)
				}
				task := submit(t, g, "work", untilCancelled, c.opts...)
				began := time.Now()
				if _, err := m.Shutdown(context.Background()); err != nil {
					t.Fatal(err)
				}
				if got := task.Info().CancelRequestedAt.Sub(began); got != c.want {
					t.Errorf("cancelled %v after shutdown began, want %v", got, c.want)
				}
			})
		})
	}
}
