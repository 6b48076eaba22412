package fxtasks

import (
	"context"
	"strconv"
	"testing"
	"time"

	"github.com/google/uuid"
)

// mapIndex is what idIndex is compared with.
type mapIndex map[uuid.UUID]*Task

func (m mapIndex) add(t *Task)    { m[t.generatedID] = t }
func (m mapIndex) remove(t *Task) { delete(m, t.generatedID) }

type index interface {
	add(*Task)
	remove(*Task)
}

var indexes = []struct {
	name string
	make func() index
}{
	{"table", func() index { x := newIDIndex(); return &x }},
	{"map", func() index { return make(mapIndex) }},
}

func tasksWithIDs(b *testing.B, n int) []*Task {
	m, err := New(Config{})
	if err != nil {
		b.Fatal(err)
	}
	tasks := make([]*Task, n)
	for i := range tasks {
		if tasks[i], err = m.newTask(context.Background(), m.ungrouped, "work", func(context.Context) error { return nil }, nil); err != nil {
			b.Fatal(err)
		}
	}
	return tasks
}

// BenchmarkIndex measures an index of a steady size: whenever a task is added, the oldest is removed.
//
//	go test ./fxtasks -run '^$' -bench 'Index$'
func BenchmarkIndex(b *testing.B) {
	for _, size := range []int{1000, 100_000, 1_000_000} {
		for _, kind := range indexes {
			b.Run(strconv.Itoa(size)+"/"+kind.name, func(b *testing.B) {
				tasks := tasksWithIDs(b, size)
				x := kind.make()
				for _, t := range tasks {
					x.add(t)
				}
				now := time.Now()
				ids := &tasks[0].group.m.reg.ids
				i := 0
				for b.Loop() {
					t := tasks[i]
					x.remove(t)
					t.generatedID = ids.New(now)
					x.add(t)
					if i++; i == len(tasks) {
						i = 0
					}
				}
			})
		}
	}
}

// BenchmarkIndexGrows adds 1,000,000 tasks to an empty index, and reports how long the slowest 64 in a row took. Of
// all rounds it takes the best one, since a pause that recurs in each round comes from the index and not from the
// machine.
func BenchmarkIndexGrows(b *testing.B) {
	for _, kind := range indexes {
		b.Run(kind.name, func(b *testing.B) {
			tasks := tasksWithIDs(b, 1_000_000)
			slowest := time.Hour
			for b.Loop() {
				var longest time.Duration
				x := kind.make()
				last := time.Now()
				for i, t := range tasks {
					x.add(t)
					if i%64 == 63 { // the clock would take longer than to add one
						next := time.Now()
						longest = max(longest, next.Sub(last))
						last = next
					}
				}
				slowest = min(slowest, longest)
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(len(tasks)), "ns/task")
			b.ReportMetric(float64(slowest.Microseconds()), "µs/slowest-64")
		})
	}
}
