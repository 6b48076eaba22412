package fxtasks_test

import (
	"context"
	"errors"
	"maps"
	"reflect"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/uuid"

	"github.com/fxtasks/background/fxtasks"
)

// labels are strings held to the rule that names and IDs share.
var labels = []struct {
	what, s string
	ok      bool
}{
	{"one byte", "a", true},
	{"128 bytes", strings.Repeat("a", 128), true},
	{"129 bytes", strings.Repeat("a", 129), false},
	{"64 runes of 2 bytes", strings.Repeat("é", 64), true},
	{"65 runes of 2 bytes", strings.Repeat("é", 65), false},
	{"empty", "", false},
	{"other script", "報告-Отчёт", true},
	{"punctuation", `a/b c?d=%20#"`, true},
	{"U+FFFD, which is a valid rune", "\ufffd", true},
	{"cut rune", "a\xc3", false},
	{"surrogate half", "\xed\xa0\x80", false},
	{"NUL", "a\x00", false},
	{"newline", "a\nb", false},
	{"tab", "\ta", false},
	{"DEL", "a\x7f", false},
	{"C1 control", "a\u0085", false},
}

func TestNameRule(t *testing.T) {
	m := newManager(t, fxtasks.Config{})
	for _, c := range labels {
		t.Run(c.what, func(t *testing.T) {
			task, err := m.Submit(context.Background(), c.s, nothing)
			if !c.ok {
				wantInvalid(t, err, "name")
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if task.Name() != c.s || task.Info().Name != c.s {
				t.Errorf("name is %q, and %q in Info", task.Name(), task.Info().Name)
			}
		})
	}
}

func TestNamesNeedNotBeUnique(t *testing.T) {
	m := newManager(t, fxtasks.Config{})
	first, second := submit(t, m, "same", untilCancelled), submit(t, m, "same", untilCancelled)
	if first == second {
		t.Error("two submits gave one task")
	}
}

func TestIDRule(t *testing.T) {
	m := newManager(t, fxtasks.Config{})
	check := func(id string, ok bool) func(t *testing.T) {
		return func(t *testing.T) {
			task, err := m.Submit(context.Background(), "work", nothing, fxtasks.WithID(id))
			if !ok {
				wantInvalid(t, err, "ID")
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if found, _ := m.Task(id); found != task || task.ID() != id || task.Info().ID != id {
				t.Errorf("ID is %q, %q in Info; looking it up gives %v", task.ID(), task.Info().ID, found)
			}
		}
	}
	for _, c := range labels {
		t.Run(c.what, check(c.s, c.ok))
	}
	for _, id := range []string{".", "..", "/"} {
		t.Run("only "+id, check(id, false))
	}
	for _, id := range []string{"...", "//", "a/..", ".a"} {
		t.Run("more than "+id, check(id, true))
	}
}

func TestDefaultIDIsAUUIDv7(t *testing.T) {
	m := newManager(t, fxtasks.Config{})
	seen := make(map[string]bool)
	for range 1000 {
		id := submit(t, m, "work", nothing).ID()
		u, err := uuid.Parse(id)
		if err != nil || u.Version() != 7 || u.Variant() != uuid.RFC4122 || u.String() != id {
			t.Fatalf("ID %q is not a canonical UUIDv7 (%v)", id, err)
		}
		if seen[id] {
			t.Fatalf("ID %q was given twice", id)
		}
		seen[id] = true
	}
}

func TestSubmitRefusesBadArgumentsAndSaysWhich(t *testing.T) {
	ctx := context.Background()
	var nilCtx context.Context
	for _, c := range []struct {
		what  string
		ctx   context.Context
		fn    fxtasks.Func
		opts  []fxtasks.TaskOption
		parts []string
	}{
		{"nil ctx", nilCtx, nothing, nil, []string{"ctx"}},
		{"nil fn", ctx, nil, nil, []string{"fn"}},
		{"nil option", ctx, nothing, []fxtasks.TaskOption{fxtasks.WithBlocking(), nil}, []string{"option", "1"}},
		{"empty ID", ctx, nothing, []fxtasks.TaskOption{fxtasks.WithID("")}, []string{"ID", "empty"}},
		{"negative timeout", ctx, nothing, []fxtasks.TaskOption{fxtasks.WithTimeout(-time.Second)}, []string{"WithTimeout", "-1s"}},
		{"negative grace", ctx, nothing, []fxtasks.TaskOption{fxtasks.WithDrainGrace(-1)}, []string{"WithDrainGrace", "-1ns"}},
		{"no such policy", ctx, nothing, []fxtasks.TaskOption{fxtasks.WithDuplicate(9)}, []string{"WithDuplicate", "9"}},
	} {
		t.Run(c.what, func(t *testing.T) {
			m := newManager(t, fxtasks.Config{})
			g, err := m.Group("g", fxtasks.GroupConfig{})
			if err != nil {
				t.Fatal(err)
			}
			for _, s := range []fxtasks.Submitter{m, g} {
				task, err := s.Submit(c.ctx, "work", c.fn, c.opts...)
				wantInvalid(t, err, c.parts...)
				if task != nil {
					t.Error("Submit gave a task along with its error")
				}
			}
			if stats := m.Stats(); stats.Rejected != 2 || g.Stats().Rejected != 1 || stats.ByName["work"].Rejected != 2 {
				t.Errorf("rejected are %d in all, %d of the group, %d of the name, want 2, 1, 2",
					stats.Rejected, g.Stats().Rejected, stats.ByName["work"].Rejected)
			}
		})
	}
}

// traces is all that a manager shows, less how many submits it rejected and how time passes.
func traces(m *fxtasks.Manager) (fxtasks.Stats, fxtasks.Page) {
	stats := m.Stats()
	stats.Rejected, stats.OldestPending, stats.OldestRunning = 0, 0, 0
	for _, counts := range []map[string]fxtasks.Counts{stats.ByName, stats.ByGroup} {
		for name, c := range counts {
			c.Rejected = 0
			counts[name] = c
		}
		maps.DeleteFunc(counts, func(_ string, c fxtasks.Counts) bool { return c == fxtasks.Counts{} })
	}
	return stats, m.List(fxtasks.Filter{}) // the page's Seq tells of events
}

func TestFailedSubmitLeavesNoTraceButACounter(t *testing.T) {
	options := func(opts ...fxtasks.TaskOption) []fxtasks.TaskOption { return opts }
	for _, c := range []struct {
		what string
		opts []fxtasks.TaskOption
		want error
	}{
		{"invalid", options(fxtasks.WithTimeout(-1)), fxtasks.ErrInvalid},
		{"ID of a running task", options(fxtasks.WithID("running")), fxtasks.ErrDuplicateID},
		{"ID of a pending task", options(fxtasks.WithID("pending")), fxtasks.ErrDuplicateID},
		{"join of another type", options(fxtasks.WithID("running"), fxtasks.WithDuplicate(fxtasks.Join)), fxtasks.ErrInvalid},
		{"full", nil, fxtasks.ErrQueueFull},
		{"full, ID of a finished task", options(fxtasks.WithID("finished")), fxtasks.ErrQueueFull},
		{"full, would replace a running task",
			options(fxtasks.WithID("running"), fxtasks.WithDuplicate(fxtasks.Replace)), fxtasks.ErrQueueFull},
		{"ctx ends while blocking", options(fxtasks.WithBlocking(), fxtasks.WithID("new")), context.DeadlineExceeded},
		{"shutting down", nil, fxtasks.ErrShuttingDown},
	} {
		t.Run(c.what, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				m := newManager(t, fxtasks.Config{MaxRunning: 1, MaxPending: 1})
				_ = submit(t, m, "first", nothing, fxtasks.WithID("finished")).Wait(t.Context())
				submit(t, m, "second", untilCancelled, fxtasks.WithID("running"))
				submit(t, m, "third", nothing, fxtasks.WithID("pending"))
				if c.want == fxtasks.ErrShuttingDown {
					if _, err := m.Shutdown(t.Context()); err != nil {
						t.Fatal(err)
					}
				}
				ctx, cancel := context.WithTimeout(t.Context(), time.Second)
				defer cancel()

				rejected := m.Stats().Rejected
				stats, page := traces(m)
				ran := false
				_, err := fxtasks.SubmitResult(ctx, m, "refused", func(context.Context) (int, error) {
					ran = true
					return 0, nil
				}, c.opts...)
				if !errors.Is(err, c.want) {
					t.Fatalf("Submit gave %v, want %v", err, c.want)
				}

				statsAfter, pageAfter := traces(m)
				if !reflect.DeepEqual(stats, statsAfter) {
					t.Errorf("stats were %+v, are %+v", stats, statsAfter)
				}
				if !reflect.DeepEqual(page, pageAfter) {
					t.Errorf("tasks were %+v, are %+v", page, pageAfter)
				}
				all := m.Stats()
				if all.Rejected != rejected+1 || all.ByName["refused"].Rejected != 1 {
					t.Errorf("rejected are %d, and %d by name, want %d and 1", all.Rejected, all.ByName["refused"].Rejected, rejected+1)
				}
				if _, err := m.Shutdown(t.Context()); err != nil { // a function that was kept would have run by then
					t.Fatal(err)
				}
				if ran {
					t.Error("the function of the failed submit has run")
				}
			})
		})
	}
}

func TestFailedSubmitTakesNoSeq(t *testing.T) {
	m := newManager(t, fxtasks.Config{})
	before := submit(t, m, "work", nothing).Info().Seq
	if _, err := m.Submit(context.Background(), "", nothing); err == nil {
		t.Fatal("an empty name was taken")
	}
	if after := submit(t, m, "work", nothing).Info().Seq; after != before+1 {
		t.Errorf("Seq went from %d to %d", before, after)
	}
}
