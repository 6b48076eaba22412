package fxtasks_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"github.com/fxtasks/background/fxtasks"
)

func TestARunRefusedByAFullQueueIsSkippedCountedAndLogged(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, logs := observed(t, fxtasks.Config{})
		g, err := m.Group("mail", fxtasks.GroupConfig{MaxRunning: 1, MaxPending: -1})
		if err != nil {
			t.Fatal(err)
		}
		release := make(chan struct{})
		submit(t, g, "blocks", until(release))
		p, err := g.Schedule("digest", fxtasks.Every(time.Minute), nothing)
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(2*time.Minute + time.Second)
		if info := p.Info(); info.Runs != 0 || info.Skipped != 2 || info.Last.ID != "" || info.Next.Before(time.Now()) {
			t.Errorf("while the queue is full: %+v", info)
		}
		if s := g.Stats(); s.Rejected != 2 || s.Submitted != 1 {
			t.Errorf("%+v", s)
		}
		lines := linesWith(logs, "run skipped")
		if len(lines) != 2 || lines[0].Level != zap.WarnLevel || lines[0].ContextMap()["task_name"] != "digest" || lines[0].ContextMap()["group"] != "mail" {
			t.Errorf("lines are %v", lines)
		}
		if _, err := p.Trigger(t.Context()); !errors.Is(err, fxtasks.ErrQueueFull) || p.Info().Skipped != 2 {
			t.Errorf("Trigger: %v, and %d skipped", err, p.Info().Skipped)
		}
		close(release)
		time.Sleep(time.Minute)
		if info := p.Info(); info.Runs != 1 || info.Skipped != 2 || info.Last.Status != fxtasks.Completed {
			t.Errorf("when there is room again: %+v", info)
		}
	})
}

func TestADrainEndsSchedules(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newManager(t, fxtasks.Config{ShutdownTimeout: time.Hour, DrainGrace: 10 * time.Minute})
		g, err := m.Group("mail", fxtasks.GroupConfig{})
		if err != nil {
			t.Fatal(err)
		}
		ofGroup, err := g.Schedule("digest", fxtasks.Every(time.Minute), nothing)
		if err != nil {
			t.Fatal(err)
		}
		ofManager := schedule(t, m, fxtasks.Every(time.Minute), nothing)
		submit(t, g, "goes on", func(context.Context) error { time.Sleep(5 * time.Minute); return nil })
		time.Sleep(61 * time.Second)
		m.StartDrain(t.Context()) // takes submits while their grace lasts, but begins no run
		time.Sleep(3 * time.Minute)
		for _, p := range []*fxtasks.Periodic{ofGroup, ofManager} {
			_, err := p.Trigger(t.Context())
			if info := p.Info(); info.Runs != 1 || info.Skipped != 0 || !info.Next.IsZero() || !errors.Is(err, fxtasks.ErrShuttingDown) {
				t.Errorf("%s: %+v, Trigger: %v", info.Name, info, err)
			}
		}
		if len(m.Periodics()) != 0 {
			t.Errorf("%d in Periodics", len(m.Periodics()))
		}
	})
}

func TestStopDuringATriggerBeginsNoRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var p *fxtasks.Periodic
		log := zap.New(levelFunc{zapcore.NewNopCore(), func() { // asked in Submit
			if p != nil {
				p.Stop()
			}
		}})
		m := newManager(t, fxtasks.Config{}, fxtasks.WithLogger(log))
		submit(t, m, "nightly", nothing) // a name that has been seen takes the quick way
		synctest.Wait()
		p = schedule(t, m, fxtasks.Every(time.Minute), func(context.Context) error {
			t.Error("a run began after Stop had returned")
			return nil
		})
		if _, err := p.Trigger(t.Context()); !errors.Is(err, fxtasks.ErrShuttingDown) {
			t.Errorf("Trigger: %v", err)
		}
		time.Sleep(time.Hour)
		if info := p.Info(); info.Runs != 0 || info.Skipped != 0 || info.Last.ID != "" {
			t.Errorf("%+v", info)
		}
	})
}

func TestARunBetweenTwoAttemptsIsActive(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newManager(t, fxtasks.Config{})
		p := schedule(t, m, fxtasks.Every(time.Minute), func(context.Context) error { return errAttempt },
			fxtasks.WithRetry(fxtasks.Retry{MaxAttempts: 2, Delay: func(int) time.Duration { return 90 * time.Second }}))
		time.Sleep(2*time.Minute + time.Second)
		if _, err := p.Trigger(t.Context()); !errors.Is(err, fxtasks.ErrStillRunning) || p.Info().Last.Status != fxtasks.Pending {
			t.Errorf("Trigger between two attempts: %v, %v", err, p.Info().Last.Status)
		}
		time.Sleep(time.Minute)
		if info := p.Info(); info.Runs != 2 || info.Skipped != 1 || !info.LastCompleted.IsZero() || info.Last.Attempt != 1 {
			t.Errorf("%+v", info)
		}
	})
}
