package fxtasks_test

import (
	"context"
	"runtime"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/zap"

	"github.com/fxtasks/background/fxtasks"
)

func TestALoggerThatMisbehavesEndsNoSchedule_zap1415(t *testing.T) {
	for what, do := range misbehaviours {
		for _, words := range []string{"task submitted", "run skipped"} {
			t.Run(words+" "+what, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					m := newManager(t, fxtasks.Config{}, fxtasks.WithLogger(onLine(words, do)))
					runs := 0
					p := schedule(t, m, fxtasks.Every(time.Minute), func(ctx context.Context) error {
						runs++
						select { // each second run is skipped, since the one before is active
						case <-time.After(90 * time.Second):
						case <-ctx.Done():
						}
						return nil
					})
					time.Sleep(time.Hour + time.Second)
					if synctest.Wait(); runs != 30 || p.Info().Runs != 30 || p.Info().Skipped != 30 {
						t.Errorf("%d runs in an hour, Info has %d and %d skipped", runs, p.Info().Runs, p.Info().Skipped)
					}
				})
			})
		}
	}
}

// next is a Schedule of a function.
type next func(after time.Time) time.Time

func (n next) Next(after time.Time) time.Time { return n(after) }

func TestANextThatEndsItsGoroutineEndsTheScheduleAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, logs := observed(t, fxtasks.Config{})
		calls := 0
		p := schedule(t, m, next(func(after time.Time) time.Time {
			if calls++; calls > 1 {
				runtime.Goexit()
			}
			return after.Add(time.Minute)
		}), nothing)
		time.Sleep(time.Hour)
		if info := p.Info(); info.Runs != 1 || !info.Next.IsZero() || len(m.Periodics()) != 1 {
			t.Errorf("%+v, %d in Periodics", info, len(m.Periodics()))
		}
		wantLine(t, logs, "schedule ended", zap.ErrorLevel)
		if task, err := p.Trigger(t.Context()); err != nil || task.Wait(t.Context()) != nil {
			t.Errorf("Trigger: %v", err)
		}
	})
}

func TestANextThatGoesBackEndsTheScheduleAndOneThatGivesNoTimeIsOver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, logs := observed(t, fxtasks.Config{})
		back := schedule(t, m, next(func(after time.Time) time.Time { return after.Add(-time.Nanosecond) }), nothing)
		never, err := m.Schedule("never", next(func(time.Time) time.Time { return time.Time{} }), nothing)
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Hour)
		if !back.Info().Next.IsZero() || !never.Info().Next.IsZero() || back.Info().Runs+never.Info().Runs != 0 || len(m.Periodics()) != 2 {
			t.Errorf("%+v, %+v", back.Info(), never.Info())
		}
		if n := len(linesWith(logs, "schedule ended")); n != 1 {
			t.Errorf("%d lines, want one, of the one that went back", n)
		}
	})
}
