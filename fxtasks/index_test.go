package fxtasks_test

import (
	"context"
	"testing"

	"github.com/google/uuid"

	"github.com/fxtasks/background/fxtasks"
)

func TestTaskDoesNotFindAnIDThatDiffersInOneBit(t *testing.T) {
	m := newManager(t, fxtasks.Config{})
	task, err := m.Submit(context.Background(), "work", func(context.Context) error { return nil })
	if err != nil {
		t.Fatal(err)
	}
	if found, ok := m.Task(task.ID()); !ok || found != task {
		t.Errorf("Task(%q) gave %v, %v", task.ID(), found, ok)
	}
	for i := range 16 {
		id := uuid.MustParse(task.ID())
		id[i] ^= 1
		if found, ok := m.Task(id.String()); ok {
			t.Errorf("Task(%q) found %v", id, found)
		}
	}
}

func TestManyTasksAreFoundByTheirIDs(t *testing.T) {
	m := newManager(t, fxtasks.Config{RetainFinished: 500})
	tasks := make(map[string]*fxtasks.Task)
	var ids []string
	hold := make(chan struct{})
	defer close(hold)
	for i := range 2000 {
		task, err := m.Submit(context.Background(), "work", func(ctx context.Context) error {
			if i%3 == 0 {
				select {
				case <-hold:
				case <-ctx.Done():
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		tasks[task.ID()] = task
		ids = append(ids, task.ID())
	}
	for i, id := range ids {
		if i%3 != 0 {
			if err := tasks[id].Wait(context.Background()); err != nil {
				t.Fatal(err)
			}
		}
	}
	known := make(map[string]bool)
	for f := (fxtasks.Filter{Limit: 1000}); ; {
		page := m.List(f)
		for _, info := range page.Tasks {
			known[info.ID] = true
		}
		if f.After = page.Next; f.After == "" {
			break
		}
	}
	if len(known) != 667+500 {
		t.Fatalf("%d tasks of %d are known", len(known), len(ids))
	}
	for _, id := range ids {
		if found, ok := m.Task(id); ok != known[id] || ok && found != tasks[id] {
			t.Errorf("Task(%q) gave %v, %v", id, found, ok)
		}
	}
}
