package fxtasks

import (
	"context"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

func TestAScheduleFollowsAClockThatIsSet(t *testing.T) {
	for what, set := range map[string]struct {
		by       time.Duration
		schedule Schedule
		want     int64 // how many runs there are in the ten minutes after the clock was set
	}{
		"forward, an hour's runs missed":      {time.Hour, Every(time.Minute), 10},
		"forward over the one run of a day":   {24 * time.Hour, Every(24 * time.Hour), 1},
		"back a day":                          {-24 * time.Hour, Every(time.Minute), 9}, // noticed within a minute
		"back by less than a run":             {-10 * time.Second, Every(time.Minute), 10},
		"back, and the day's run comes again": {-6 * time.Hour, Every(24 * time.Hour), 0},
	} {
		t.Run(what, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				m, err := New(Config{})
				if err != nil {
					t.Fatal(err)
				}
				defer m.Shutdown(context.Background())
				var offset atomic.Int64 // of the clock on the wall, which a bubble does not set
				m.reg.wall = func() time.Time { return wallClock().Add(time.Duration(offset.Load())) }
				var runs atomic.Int64
				p, err := m.Schedule("runs", set.schedule, func(context.Context) error { runs.Add(1); return nil })
				if err != nil {
					t.Fatal(err)
				}
				time.Sleep(5*time.Minute + 30*time.Second)
				synctest.Wait()
				before := runs.Load()
				offset.Store(int64(set.by))
				time.Sleep(10 * time.Minute)
				synctest.Wait()
				info := p.Info()
				if n := runs.Load() - before; n != set.want || info.Skipped != 0 {
					t.Errorf("%d runs after the clock was set, want %d; %d skipped", n, set.want, info.Skipped)
				}
				if now := m.reg.wall(); !info.Next.Equal(set.schedule.Next(now)) {
					t.Errorf("at %v the next run is at %v", now, info.Next)
				}
			})
		})
	}
}
