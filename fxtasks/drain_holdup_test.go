package fxtasks

import (
	"context"
	"testing"
	"testing/synctest"
	"time"
)

// The drain ends a long queue in steps. A group whose queue is being ended meanwhile holds up no other.
func TestAGroupWhoseTasksAreCutOffHoldsUpNoOther(t *testing.T) {
	for name, c := range map[string]struct {
		maxPending int
		opts       []TaskOption
	}{
		"queued":  {0, nil},
		"blocked": {-1, []TaskOption{WithBlocking()}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				m, err := New(Config{MaxRunning: 1, MaxPending: c.maxPending})
				if err != nil {
					t.Fatal(err)
				}
				first, err := m.Group("first", GroupConfig{})
				if err != nil {
					t.Fatal(err)
				}
				free := make(chan struct{})
				if _, err := m.Submit(t.Context(), "busy", func(context.Context) error { <-free; return nil }); err != nil {
					t.Fatal(err)
				}
				started := map[string]bool{}
				submit := func(into Submitter, name string) {
					go func() {
						_, _ = into.Submit(context.Background(), name, func(context.Context) error { started[name] = true; return nil }, c.opts...)
					}()
					synctest.Wait()
				}
				submit(first, "of the group")
				submit(m, "of no group")
				clock := newDrainClock(m, time.Now(), time.Now().Add(time.Hour))
				cs := m.reg.enter()
				cs.startClock(clock, first) // and it has not looked at the task of the group yet
				cs.leave()
				close(free)
				synctest.Wait()
				if started["of the group"] || !started["of no group"] {
					t.Errorf("started: %v, want the task of no group alone", started)
				}
				if _, err := m.Shutdown(context.Background()); err != nil {
					t.Error(err)
				}
			})
		})
	}
}
