package fxtasks_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"

	"github.com/fxtasks/background/fxtasks"
)

func TestARunRefusedByAFullQueueIsSkippedCountedAndLogged(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, logs := observed(t, fxtasks.Config{})
		g := newGroup(t, m, "mail", fxtasks.GroupConfig{MaxRunning: 1, MaxPending: -1})
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

func TestLinesOfSkippedRunsAreLimited(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		core, logs := observer.New(zapcore.WarnLevel)
		m := newManager(t, fxtasks.Config{}, fxtasks.WithLogger(zap.New(core)))
		release := make(chan struct{})
		defer close(release)
		p := schedule(t, m, fxtasks.Every(time.Second), until(release))
		time.Sleep(time.Minute + 500*time.Millisecond)
		lines, told := linesWith(logs, "run skipped"), uint64(0)
		for i, line := range lines {
			told += line.ContextMap()["count"].(uint64)
			if i > 0 && line.Time.Sub(lines[i-1].Time) < 5*time.Second {
				t.Errorf("lines at %v and %v", lines[i-1].Time, line.Time)
			}
		}
		skipped := p.Info().Skipped
		if skipped < 58 || told > skipped || skipped-told > 5 {
			t.Errorf("%d skipped, %d told in %d lines", skipped, told, len(lines))
		}
	})
}
