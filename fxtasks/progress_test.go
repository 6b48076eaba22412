package fxtasks_test

import (
	"context"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fxtasks/background/fxtasks"
)

func TestProgressIsShownWithTheTimeOfItsReport(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newManager(t, fxtasks.Config{})
		submitted := time.Now()
		task := submit(t, m, "work", func(ctx context.Context) error {
			time.Sleep(time.Second)
			fxtasks.ReportProgress(ctx, fxtasks.Progress{Current: 1, Message: "overwritten"})
			time.Sleep(time.Second)
			fxtasks.ReportProgress(ctx, fxtasks.Progress{
				Current: 3, Total: 10, Unit: "pages", Message: "rendering",
				UpdatedAt: time.Unix(1, 0), // not the caller's to say
			})
			<-ctx.Done()
			return nil
		})
		if got := task.Info().Progress; got != (fxtasks.Progress{}) {
			t.Errorf("before any report it is %+v", got)
		}
		time.Sleep(time.Minute)
		want := fxtasks.Progress{Current: 3, Total: 10, Unit: "pages", Message: "rendering", UpdatedAt: submitted.Add(2 * time.Second)}
		got := task.Info().Progress
		if !got.UpdatedAt.Equal(want.UpdatedAt) {
			t.Errorf("it was updated at %v, want %v", got.UpdatedAt, want.UpdatedAt)
		}
		got.UpdatedAt = want.UpdatedAt // Equal, but perhaps with a monotonic reading
		if got != want {
			t.Errorf("it is %+v, want %+v", got, want)
		}
		task.Cancel(nil)
		_ = task.Wait(t.Context())
		if got := task.Info().Progress; got.Current != 3 {
			t.Errorf("after the end it is %+v", got)
		}
	})
}

func TestProgressMayBeReportedFromDerivedContextsAndOtherGoroutines(t *testing.T) {
	const reporters = 8
	m := newManager(t, fxtasks.Config{})
	task := submit(t, m, "work", func(ctx context.Context) error {
		derived, cancel := context.WithCancel(context.WithValue(ctx, valueKey{}, 1))
		defer cancel()
		var wg sync.WaitGroup
		for range reporters {
			wg.Go(func() { fxtasks.ReportProgress(derived, fxtasks.Progress{Current: reporters}) })
		}
		wg.Wait()
		return nil
	})
	if err := task.Wait(context.Background()); err != nil {
		t.Fatal(err)
	}
	if got := task.Info().Progress.Current; got != reporters {
		t.Errorf("progress is %d", got)
	}
}

func TestProgressIsAnEventOfTheTask(t *testing.T) {
	m := newManager(t, fxtasks.Config{})
	task := submit(t, m, "work", func(ctx context.Context) error {
		fxtasks.ReportProgress(ctx, fxtasks.Progress{Current: 1})
		fxtasks.ReportProgress(ctx, fxtasks.Progress{Current: 2})
		return nil
	})
	if err := task.Wait(context.Background()); err != nil {
		t.Fatal(err)
	}
	events := m.Subscribe(0)
	for _, want := range []fxtasks.EventKind{fxtasks.EventSubmitted, fxtasks.EventStarted,
		fxtasks.EventProgress, fxtasks.EventProgress, fxtasks.EventFinished} {
		e, err := events.Next(context.Background())
		if err != nil || e.Kind != want || e.Task.ID != task.ID() {
			t.Errorf("event is %v of %v (%v), want %v", e.Kind, e.Task.ID, err, want)
		}
	}
}

func TestProgressAfterTheEndIsIgnored(t *testing.T) {
	m := newManager(t, fxtasks.Config{})
	var left context.Context
	task := submit(t, m, "work", func(ctx context.Context) error {
		left = ctx
		fxtasks.ReportProgress(ctx, fxtasks.Progress{Current: 1})
		return nil
	})
	if err := task.Wait(context.Background()); err != nil {
		t.Fatal(err)
	}
	before := task.Info()
	fxtasks.ReportProgress(left, fxtasks.Progress{Current: 2})
	if after := task.Info(); after.Progress != before.Progress {
		t.Errorf("progress of the finished task went from %+v to %+v", before.Progress, after.Progress)
	}
}

func TestProgressGoesOnAfterACancelThatIsNotObeyed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newManager(t, fxtasks.Config{})
		task := submit(t, m, "work", func(ctx context.Context) error {
			<-ctx.Done()
			fxtasks.ReportProgress(ctx, fxtasks.Progress{Message: "rolling back"})
			return ctx.Err()
		})
		synctest.Wait()
		task.Cancel(nil)
		_ = task.Wait(t.Context())
		if got := task.Info().Progress.Message; got != "rolling back" {
			t.Errorf("message is %q", got)
		}
	})
}
