package fxtasks_test

import (
	"context"
	"testing"

	"go.uber.org/zap"

	"github.com/fxtasks/background/fxtasks"
)

func TestTaskOfAContext(t *testing.T) {
	m := newManager(t, fxtasks.Config{})
	var got, gotDerived, gotChild *fxtasks.Task
	var child *fxtasks.Task
	task := submit(t, m, "work", func(ctx context.Context) (err error) {
		got, _ = fxtasks.FromContext(ctx)
		derived, cancel := context.WithCancel(context.WithValue(ctx, valueKey{}, 1))
		defer cancel()
		gotDerived, _ = fxtasks.FromContext(derived)
		child, err = m.Submit(derived, "child", func(ctx context.Context) error {
			gotChild, _ = fxtasks.FromContext(ctx)
			return nil
		})
		return err
	})
	if err := m.Wait(context.Background()); err != nil {
		t.Fatal(err)
	}
	if got != task || gotDerived != task || gotChild != child {
		t.Errorf("FromContext gave %v, %v of a derived ctx, %v in the child; want %v, %v, %v", got, gotDerived, gotChild, task, task, child)
	}
}

func TestOutsideATaskThereIsNoTaskNoProgressNoLog(t *testing.T) {
	var nilCtx context.Context
	for what, ctx := range map[string]context.Context{"nil": nilCtx, "other": context.Background()} {
		t.Run(what, func(t *testing.T) {
			if task, ok := fxtasks.FromContext(ctx); ok || task != nil {
				t.Errorf("FromContext gave %v", task)
			}
			fxtasks.ReportProgress(ctx, fxtasks.Progress{Current: 1}) // must not panic
			log := fxtasks.Logger(ctx)
			if log == nil || log.Core().Enabled(zap.FatalLevel) {
				t.Errorf("Logger gave %v, want one that logs nothing", log)
			}
		})
	}
}
