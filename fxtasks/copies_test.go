package fxtasks_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fxtasks/background/fxtasks"
)

// TestInfosAreCopies changes what every way of asking hands out, and asks again.
func TestInfosAreCopies(t *testing.T) {
	m := newManager(t, fxtasks.Config{})
	task := submit(t, m, "task", untilCancelled, fxtasks.WithID("x"), fxtasks.WithMetadata(map[string]string{"tenant": "a"}))
	ask := map[string]func() fxtasks.Info{
		"Task.Info": task.Info,
		"Task": func() fxtasks.Info {
			found, ok := m.Task("x")
			if !ok {
				t.Fatal("Task: not found")
			}
			return found.Info()
		},
		"List": func() fxtasks.Info { return m.List(fxtasks.Filter{}).Tasks[0] },
		"Subscribe": func() fxtasks.Info {
			e, err := m.Subscribe(0).Next(context.Background())
			if err != nil {
				t.Fatal(err)
			}
			return e.Task
		},
		"Cancel": func() fxtasks.Info {
			info, err := m.Cancel(context.Background(), "x", nil)
			if err != nil && !errors.Is(err, fxtasks.ErrFinished) {
				t.Fatal(err)
			}
			return info
		},
	}
	for name, f := range ask {
		for range 2 { // the second time shows what the first one did
			info := f()
			if info.Metadata["tenant"] != "a" || len(info.Metadata) != 1 || info.Name != "task" {
				t.Fatalf("%s gives %+v: somebody's change of a copy shows", name, info)
			}
			info.Metadata["tenant"] = "changed"
			info.Metadata["more"] = "added"
			info.Name = "changed"
		}
	}
	if page := m.List(fxtasks.Filter{Metadata: map[string]string{"tenant": "a"}}); page.Total != 1 {
		t.Errorf("List finds %d tasks by the metadata that was submitted, want 1", page.Total)
	}
}

// TestInfoDoesNotChangeUnderTheReader keeps an Info while its task goes on.
func TestInfoDoesNotChangeUnderTheReader(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newManager(t, fxtasks.Config{})
		task := submit(t, m, "task", untilCancelled)
		synctest.Wait()
		before, page := task.Info(), m.List(fxtasks.Filter{})
		pass(time.Second)
		task.Cancel(nil)
		synctest.Wait()
		for _, info := range []fxtasks.Info{before, page.Tasks[0]} {
			if info.Status != fxtasks.Running || info.Err != nil || !info.FinishedAt.IsZero() || info.CancelCause != nil {
				t.Errorf("an Info taken while the task ran says now: %+v", info)
			}
		}
		if task.Info().Status != fxtasks.Cancelled {
			t.Errorf("the task is %v, want cancelled", task.Info().Status)
		}
	})
}
