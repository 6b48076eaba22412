package conformance

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/riverqueue/river"
	"github.com/riverqueue/river/rivertype"

	"github.com/fxtasks/background/fxtasks"
	"github.com/fxtasks/background/internal/pgtest"
	"github.com/fxtasks/background/riveradapter"
)

// aMinute is how long a cancel may take where PostgreSQL's notifications are lost.
const aMinute = 65 * time.Second

// TestACancelWhoseNotificationIsLost keeps the replica that runs the job from listening, and cancels from another.
func TestACancelWhoseNotificationIsLost(t *testing.T) {
	t.Parallel()
	s := onPostgres(t)
	causes := make(chan error, 1)
	cfg := quick("a")
	configure := cfg.Configure
	cfg.Configure = func(c *river.Config) {
		configure(c)
		c.JobTimeout = 2 * aMinute // River's default is as long as the cancel takes
	}
	a := start(t, s, cfg, riveradapter.WorkFunc(untilCancelled(causes)))
	looker := insertOnly(t, s)
	id := looker.insert(Job{}, nil)
	receive(t, causes)
	listeners := `SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND query LIKE 'LISTEN%'`
	await(t, "it listens", func() bool { return s.count(t, `SELECT count(*) FROM (`+listeners+`) l`) == 1 })
	if n := s.count(t, `SELECT count(pg_terminate_backend(pid)) FROM (`+listeners+`) l`); n != 1 {
		t.Fatalf("%d connections listen, want 1", n)
	}
	began := time.Now()
	if _, err := looker.jobs.Cancel(t.Context(), name(id), "olga", "not needed"); err != nil {
		t.Fatal(err)
	}
	select {
	case cause := <-causes:
		t.Logf("a cancel whose notification was lost took %v", time.Since(began))
		if !errors.Is(cause, fxtasks.ErrCancelled) || cause.Error() != "not needed" {
			t.Errorf("the cause is %v", cause)
		}
	case <-time.After(aMinute):
		t.Fatalf("the job was not told in %v", aMinute)
	}
	if row := a.ended(id); row.State != rivertype.JobStateCancelled {
		t.Errorf("the job is %+v", row)
	}
	// The replica listens again.
	id = looker.insert(Job{}, nil)
	receive(t, causes)
	if _, err := looker.jobs.Cancel(t.Context(), name(id), "", ""); err != nil {
		t.Fatal(err)
	}
	receive(t, causes)
}

// TestBehindPgBouncer uses it as docs/durable.md says.
func TestBehindPgBouncer(t *testing.T) {
	t.Parallel()
	server := pgtest.Shared(t)
	s := onPostgres(t)
	pooled := &store{source: strings.Replace(s.source, server.Address(), pgtest.NewBouncer(t, server), 1) + "&default_query_exec_mode=exec", db: s.db}
	replica := func(name string, work workFunc) *app {
		cfg := quick(name)
		configure := cfg.Configure
		cfg.Configure = func(c *river.Config) {
			configure(c)
			c.PollOnly = true
		}
		return start(t, pooled, cfg, riveradapter.WorkFunc(work),
			riveradapter.WorkFunc(func(context.Context, *river.Job[Tick]) error { return nil }),
			riveradapter.Periodic("tick", fxtasks.Every(time.Second), tick))
	}
	causes := make(chan error, 1)
	a := replica("a", func(ctx context.Context, job *river.Job[Job]) error {
		if job.Args.Text == "quick" {
			fxtasks.ReportProgress(ctx, fxtasks.Progress{Current: 1, Total: 1})
			return river.RecordOutput(ctx, 42)
		}
		return untilCancelled(causes)(ctx, job)
	})
	began := time.Now()
	id := a.insert(Job{"quick"}, nil)
	if row := a.ended(id); row.State != rivertype.JobStateCompleted || string(row.Output()) != "42" {
		t.Errorf("the job is %+v", row)
	}
	t.Logf("from the insert to the end: %v", time.Since(began))
	await(t, "progress", func() bool { return a.job(id).Info.Progress.Current == 1 })
	await(t, "ticks", func() bool {
		return s.count(t, `SELECT count(*) FROM river_job WHERE kind = 'tick' AND state = 'completed'`) > 1
	})

	id = a.insert(Job{}, nil)
	receive(t, causes)
	b := replica("b", func(context.Context, *river.Job[Job]) error { return nil }) // the tables are there: it waits for no lock
	began = time.Now()
	if _, err := b.jobs.Cancel(t.Context(), name(id), "", "not needed"); err != nil {
		t.Fatal(err)
	}
	select {
	case cause := <-causes:
		t.Logf("a cancel took %v", time.Since(began))
		if cause.Error() != "not needed" {
			t.Errorf("the cause is %v", cause)
		}
	case <-time.After(aMinute):
		t.Fatalf("the job was not told in %v", aMinute)
	}
	if row := b.ended(id); row.State != rivertype.JobStateCancelled {
		t.Errorf("the job is %+v", row)
	}
}
