package fxtasks_test

import (
	"context"
	"fmt"
	"runtime"
	"testing"
	"time"

	"github.com/fxtasks/background/fxtasks"
)

// pond #110: memory grew on a long-lived group. flower #1305: finished tasks were kept for ever.
// What a task's function holds must be free as soon as it has returned, and records are bounded.
func TestLongLivedGroupKeepsNothingOfFinishedTasks_pond110_flower1305(t *testing.T) {
	const tasks, retained = 500, 20
	m := newManager(t, fxtasks.Config{RetainFinished: retained, MaxRunning: 3})
	g := newGroup(t, m, "long-lived", fxtasks.GroupConfig{MaxRunning: 2})
	freed := make(chan struct{}, 2*tasks)
	var last *fxtasks.Task
	for i := range tasks {
		byFn, byCtx := new([1 << 12]byte), new([1 << 12]byte)
		for _, held := range []*[1 << 12]byte{byFn, byCtx} {
			runtime.AddCleanup(held, func(struct{}) { freed <- struct{}{} }, struct{}{})
		}
		ctx := context.WithValue(t.Context(), heldKey{}, byCtx)
		task, err := g.Submit(ctx, "work", func(context.Context) error {
			runtime.KeepAlive(byFn)
			if i%10 == 0 {
				panic("on purpose")
			}
			return nil
		}, fxtasks.WithID(fmt.Sprint(i)))
		if err != nil {
			t.Fatal(err)
		}
		last = task
	}
	if err := g.Wait(t.Context()); err != nil {
		t.Fatal(err)
	}
	if total := m.List(fxtasks.Filter{}).Total; total != retained {
		t.Errorf("List shows %d records, want %d", total, retained)
	}
	limit := time.After(30 * time.Second)
	for n := range 2 * tasks {
		if len(freed) == 0 {
			runtime.GC()
		}
		select {
		case <-freed:
		case <-limit:
			t.Fatalf("%d of %d values are still held", 2*tasks-n, 2*tasks)
		}
	}
	runtime.KeepAlive(last) // a handle does not hold them either
}

type heldKey struct{}

// yokai: Executions() handed out the live map.
func TestWhatIsHandedOutIsACopy_yokai(t *testing.T) {
	m := newManager(t, fxtasks.Config{})
	newGroup(t, m, "g", fxtasks.GroupConfig{})
	given := map[string]string{"key": "given"}
	task := submit(t, m, "work", nothing, fxtasks.WithMetadata(given))
	if err := task.Wait(t.Context()); err != nil {
		t.Fatal(err)
	}
	event := func() fxtasks.Info {
		e, err := m.Subscribe(0).Next(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return e.Task
	}
	spoil := func(md map[string]string) { md["key"] = "spoilt"; md["more"] = "" }
	spoil(given)
	spoil(task.Info().Metadata)
	spoil(m.List(fxtasks.Filter{}).Tasks[0].Metadata)
	spoil(event().Metadata)
	for _, info := range []fxtasks.Info{task.Info(), m.List(fxtasks.Filter{}).Tasks[0], event()} {
		if len(info.Metadata) != 1 || info.Metadata["key"] != "given" {
			t.Errorf("the task's metadata is now %v", info.Metadata)
		}
	}
	stats := m.Stats()
	want := stats.ByName["work"]
	stats.ByName["work"] = fxtasks.Counts{}
	delete(stats.ByGroup, "g")
	again := m.Stats()
	if _, ok := again.ByGroup["g"]; !ok || again.ByName["work"] != want || want.Completed != 1 {
		t.Errorf("the manager's figures are now %+v", again)
	}
}
