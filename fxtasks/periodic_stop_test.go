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

func TestAStoppedScheduleIsNotTriggered(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newManager(t, fxtasks.Config{})
		p := schedule(t, m, fxtasks.Every(time.Minute), untilCancelled)
		run, err := p.Trigger(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if _, err := p.Trigger(t.Context()); !errors.Is(err, fxtasks.ErrStillRunning) {
			t.Errorf("while a run is active: %v", err)
		}
		p.Stop()
		p.Stop()
		if _, err := p.Trigger(t.Context()); !errors.Is(err, fxtasks.ErrShuttingDown) {
			t.Errorf("stopped: %v", err)
		}
		time.Sleep(time.Hour)
		if info := p.Info(); info.Runs != 1 || info.Skipped != 0 || run.Status() != fxtasks.Running || len(m.Periodics()) != 0 {
			t.Errorf("%+v", info)
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

func TestAScheduleEndsWithItsGroup(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newManager(t, fxtasks.Config{})
		g := newGroup(t, m, "mail", fxtasks.GroupConfig{})
		p, err := g.Schedule("mails", fxtasks.Every(time.Minute), nothing)
		if err != nil {
			t.Fatal(err)
		}
		other := schedule(t, m, fxtasks.Every(time.Minute), nothing)
		if _, err := g.Shutdown(t.Context()); err != nil {
			t.Error(err)
		}
		time.Sleep(time.Hour)
		if info := p.Info(); info.Runs != 0 || !info.Next.IsZero() || len(m.Periodics()) != 1 || other.Info().Runs < 59 {
			t.Errorf("%+v, %d in Periodics, %d runs of the other", info, len(m.Periodics()), other.Info().Runs)
		}
	})
}

func TestADrainEndsSchedules(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newManager(t, fxtasks.Config{ShutdownTimeout: time.Hour, DrainGrace: 10 * time.Minute})
		g := newGroup(t, m, "mail", fxtasks.GroupConfig{})
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
