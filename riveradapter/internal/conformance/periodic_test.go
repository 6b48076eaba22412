package conformance

import (
	"context"
	"encoding/json"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/riverqueue/river"

	"github.com/fxtasks/background/fxtasks"
	"github.com/fxtasks/background/riveradapter"
)

// Tick is a periodic job. At is the time that its function was given.
type Tick struct {
	At time.Time `json:"at"`
}

func (Tick) Kind() string { return "tick" }

func tick(at time.Time) (Tick, *river.InsertOpts) { return Tick{at}, nil }

// ticks remembers the periods of the jobs that ran.
type ticks struct {
	mu sync.Mutex
	at []time.Time
}

func (l *ticks) work(_ context.Context, job *river.Job[Tick]) error {
	var metadata struct {
		Period time.Time `json:"period"`
	}
	if err := json.Unmarshal(job.Metadata, &metadata); err != nil {
		return err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if !metadata.Period.Equal(job.Args.At) {
		l.at = append(l.at, time.Time{}) // which the test finds
	}
	l.at = append(l.at, job.Args.At)
	return nil
}

func (l *ticks) sorted() []time.Time {
	l.mu.Lock()
	defer l.mu.Unlock()
	at := slices.Clone(l.at)
	slices.SortFunc(at, time.Time.Compare)
	return at
}

func TestAPeriodicJobIsInsertedOncePerPeriodThroughDeploys(t *testing.T) {
	onBoth(t, func(t *testing.T, s *store) {
		var ran ticks
		replica := func() *app {
			return start(t, s, quick("a"), riveradapter.WorkFunc(ran.work),
				riveradapter.Periodic("tick", fxtasks.Every(time.Second), tick))
		}
		apps := []*app{replica(), replica()}
		for range 4 {
			time.Sleep(1500 * time.Millisecond) // periods are real time: a job each second, and a deploy meanwhile
			apps = append(apps, replica())
			if err := apps[0].stop(); err != nil {
				t.Error(err)
			}
			apps = apps[1:]
		}
		await(t, "enough ticks", func() bool { return len(ran.sorted()) >= 6 })
		for _, a := range apps {
			if err := a.stop(); err != nil {
				t.Error(err)
			}
		}
		at := ran.sorted()
		for i, period := range at {
			if want := at[0].Add(time.Duration(i) * time.Second); !period.Equal(want) || !period.Equal(period.Truncate(time.Second)) {
				t.Fatalf("the periods are %v: want each once, and on the second", at)
			}
		}
	})
}

func TestAfterAPauseTheLatestPeriodIsInserted(t *testing.T) {
	onBoth(t, func(t *testing.T, s *store) {
		var ran ticks
		replica := func() *app {
			return start(t, s, quick("a"), riveradapter.WorkFunc(ran.work),
				riveradapter.Periodic("tick", fxtasks.Every(time.Hour), tick))
		}
		a := replica()
		await(t, "the period is known", func() bool { return s.count(t, `SELECT count(*) FROM background_periodic`) == 1 })
		if err := a.stop(); err != nil {
			t.Fatal(err)
		}
		if n := len(ran.sorted()); n != 0 {
			t.Fatalf("%d jobs before the first period", n)
		}
		long := time.Now().Add(-1000 * time.Hour)
		s.exec(t, `UPDATE background_periodic SET last = to_timestamp($1::float8 / 1e6)`, `UPDATE background_periodic SET last = ?`, long.UnixMicro())
		replica()
		await(t, "a tick", func() bool { return len(ran.sorted()) > 0 })
		time.Sleep(2 * time.Second) // for those that are too many
		at := ran.sorted()
		if latest := time.Now().Truncate(time.Hour); len(at) != 1 || !at[0].Equal(latest) {
			t.Errorf("the periods are %v, want %v alone", at, latest)
		}
	})
}

func TestAPanicInAPeriodicFunctionHoldsUpNoOther(t *testing.T) {
	onBoth(t, func(t *testing.T, s *store) {
		var ran ticks
		a := start(t, s, quick("a"), riveradapter.WorkFunc(ran.work),
			riveradapter.Periodic("bad", fxtasks.Every(time.Second), func(time.Time) (Tick, *river.InsertOpts) { panic("bad") }),
			riveradapter.Periodic("good", fxtasks.Every(time.Second), tick))
		await(t, "ticks", func() bool { return len(ran.sorted()) >= 2 })
		if a.logs.FilterMessage("the periodic job could not be inserted").Len() == 0 {
			t.Error("nothing is logged")
		}
	})
}
