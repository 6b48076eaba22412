package fxtasks_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fxtasks/background/fxtasks"
)

// A function that returns in the moment of its timeout leaves a context that has ended for one of
// the two reasons, not half for the one and half for the other.
func TestContextIsOfOneMindWhenTheReturnRacesTheTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newManager(t, fxtasks.Config{RetainFinished: -1})
		const n = 2000
		contexts, tasks := make([]context.Context, n), make([]*fxtasks.Task, n)
		for i := range n {
			tasks[i] = submit(t, m, "work", func(ctx context.Context) error {
				derived, cancel := context.WithCancel(ctx)
				_ = cancel // ends with the task's own
				contexts[i] = derived
				time.Sleep(taskTimeout)
				return nil
			}, fxtasks.WithTimeout(taskTimeout))
		}
		if err := m.Wait(t.Context()); err != nil {
			t.Fatal(err)
		}
		for i, ctx := range contexts {
			<-ctx.Done()
			wantErr, wantCause := context.Canceled, error(context.Canceled)
			if tasks[i].Info().CancelCause != nil {
				wantErr, wantCause = context.DeadlineExceeded, fxtasks.ErrTimeout
			}
			if ctx.Err() != wantErr || context.Cause(ctx) != wantCause {
				t.Fatalf("%s, want Err %v, Cause %v", endedAs(ctx), wantErr, wantCause)
			}
		}
	})
}
