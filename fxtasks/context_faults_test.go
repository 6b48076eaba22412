package fxtasks_test

import (
	"context"
	"runtime"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fxtasks/background/fxtasks"
)

// doneContext calls do when it is asked for its channel.
type doneContext struct {
	context.Context
	do func()
}

func (b doneContext) Done() <-chan struct{} { b.do(); return b.Context.Done() }

// valueContext calls do when it is asked for a value.
type valueContext struct {
	context.Context
	do func()
}

func (v valueContext) Value(k any) any { v.do(); return v.Context.Value(k) }

// inGoroutine calls f on a goroutine of its own, which f may end, and recovers its panic.
func inGoroutine(f func()) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		defer func() { recover() }()
		f()
	}()
	<-done
}

// contextFaults is what the method of a context may do.
var contextFaults = map[string]func(){"panic": func() { panic("ctx") }, "goexit": runtime.Goexit}

func TestAContextThatMisbehavesLeavesNothingOfRun(t *testing.T) {
	for what, do := range contextFaults {
		t.Run(what, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				m, err := fxtasks.New(fxtasks.Config{})
				if err != nil {
					t.Fatal(err)
				}
				inGoroutine(func() { m.Run(doneContext{context.Background(), do}, "here", nothing) })
				if s := m.Stats(); s.Running != 0 {
					t.Errorf("running for ever: %+v", s)
				}
				if _, err := m.Shutdown(context.Background()); err != nil {
					t.Error(err)
				}
			})
		})
	}
}

func TestRunEndsWithAContextWhoseCauseMisbehaves(t *testing.T) {
	for what, do := range contextFaults {
		t.Run(what, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				m := newManager(t, fxtasks.Config{})
				inner, cancel := context.WithCancel(t.Context())
				armed := false
				ctx := valueContext{inner, func() {
					if armed {
						do()
					}
				}}
				returned := false
				go func() { m.Run(ctx, "here", untilCancelled); returned = true }()
				synctest.Wait()
				armed = true
				cancel()
				synctest.Wait()
				if !returned {
					t.Error("the end of the caller's context was lost")
				}
			})
		})
	}
}

func TestASubmitThatAContextEndedIsNotAcceptedLater(t *testing.T) {
	for what, do := range contextFaults {
		t.Run(what, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				m := newManager(t, fxtasks.Config{MaxRunning: 1, MaxPending: 1})
				release := make(chan struct{})
				submit(t, m, "runs", until(release))
				submit(t, m, "pends", nothing)
				ran := false
				inGoroutine(func() {
					m.Submit(doneContext{context.Background(), do}, "blocked", func(context.Context) error { ran = true; return nil }, fxtasks.WithBlocking())
				})
				close(release)
				synctest.Wait()
				if ran {
					t.Error("the submit never returned, and its task ran")
				}
			})
		})
	}
}

func TestATaskDoesNotWaitOnAfterItsContextMisbehaved(t *testing.T) {
	for what, do := range contextFaults {
		t.Run(what, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				m := newManager(t, fxtasks.Config{MaxRunning: 1})
				g, err := m.Group("g", fxtasks.GroupConfig{})
				if err != nil {
					t.Fatal(err)
				}
				task := submit(t, m, "w", func(ctx context.Context) error {
					child := submit(t, g, "child", nothing, fxtasks.WithDelay(time.Minute))
					inGoroutine(func() { child.Wait(doneContext{ctx, do}) })
					inGoroutine(func() { g.Wait(doneContext{ctx, do}) })
					if s := m.Stats(); s.Waiting != 0 {
						t.Errorf("Waiting %d", s.Waiting)
					}
					return nil
				})
				task.Wait(t.Context())
				m.Wait(t.Context())
			})
		})
	}
}

func TestAShutdownIsCompletedWhateverItsContextDoes(t *testing.T) {
	for what, do := range contextFaults {
		t.Run(what, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				m := newManager(t, fxtasks.Config{})
				task := submit(t, m, "w", untilCancelled)
				inGoroutine(func() { m.Shutdown(doneContext{context.Background(), do}) })
				synctest.Wait()
				if m.State() != fxtasks.Stopped || task.Status() != fxtasks.Cancelled {
					t.Errorf("%v, task %v", m.State(), task.Status())
				}
			})
		})
	}
}
