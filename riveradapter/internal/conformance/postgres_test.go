package conformance

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/riverqueue/river"
	"github.com/riverqueue/river/rivertype"
	"go.uber.org/fx"

	"github.com/fxtasks/background/fxtasks"
	"github.com/fxtasks/background/internal/pgtest"
	"github.com/fxtasks/background/riveradapter"
)

func TestAReplicaThatIsCutOffGivesUpItsJobs(t *testing.T) {
	t.Parallel()
	s := onPostgres(t)
	server := pgtest.Shared(t)
	proxy := pgtest.NewProxy(t, server.Address())
	causes := make(chan error, 1)
	returned := make(chan struct{})
	cut := newApp(t, strings.Replace(s.source, server.Address(), proxy.Address(), 1), quick("cut"),
		riveradapter.WorkFunc(func(ctx context.Context, _ *river.Job[Job]) error {
			causes <- nil
			<-ctx.Done()
			causes <- context.Cause(ctx)
			close(returned)
			return errors.New("an error that must not be written")
		}))
	if err := cut.fx.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cut.stop() })
	id := cut.insert(Job{}, nil)
	receive(t, causes)

	slow := make(chan struct{})
	b := start(t, s, quick("b"), riveradapter.WorkFunc(func(context.Context, *river.Job[Job]) error {
		<-slow
		return nil
	}))
	proxy.Cut()
	began := time.Now()
	if cause := receive(t, causes); !strings.Contains(cause.Error(), "could not prove") {
		t.Errorf("the cause is %v", cause)
	}
	t.Logf("cancelled after %v, at a heartbeat of %v", time.Since(began), heartbeat)
	if row := b.row(id); row.Attempt != 1 {
		t.Errorf("the job runs elsewhere already: %+v", row)
	}
	await(t, "running elsewhere", func() bool { return b.tasks.Stats().Running == 1 })
	receive(t, returned)
	proxy.Restore()
	await(t, "back", func() bool { // it takes part in the work again
		_, err := cut.client.JobGet(t.Context(), id)
		return err == nil
	})
	time.Sleep(6 * heartbeat) // long enough for what it returned to have been written
	if row := b.row(id); row.State != rivertype.JobStateRunning || row.Attempt != 2 || len(row.Errors) != 1 {
		t.Errorf("the job is %+v, want it running elsewhere", row)
	}
	close(slow)
	if row := b.ended(id); row.State != rivertype.JobStateCompleted {
		t.Errorf("the job is %+v", row)
	}
}

func TestASaturatedPoolIsNoDeath(t *testing.T) {
	t.Parallel()
	s := onPostgres(t)
	var pool *pgxpool.Pool
	done := make(chan struct{})
	started := make(chan struct{})
	a := start(t, s, quick("a"), fx.Populate(&pool), riveradapter.WorkFunc(func(ctx context.Context, _ *river.Job[Job]) error {
		close(started)
		select {
		case <-done:
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	}))
	id := a.insert(Job{}, nil)
	receive(t, started)
	b := start(t, s, quick("b"), nothing())
	for range pool.Config().MaxConns {
		ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
		if conn, err := pool.Acquire(ctx); err == nil {
			t.Cleanup(conn.Release)
		}
		cancel()
	}
	time.Sleep(8 * heartbeat) // the test's point: nothing happens
	if row := b.row(id); row.State != rivertype.JobStateRunning || row.Attempt != 1 {
		t.Errorf("the job is %+v", row)
	}
	close(done)
}

func TestThePoolNeedsTwoConnections(t *testing.T) {
	t.Parallel()
	s := onPostgres(t)
	err := newApp(t, s.source+"&pool_max_conns=1", quick("a"), nothing()).fx.Err()
	if err == nil || !strings.Contains(err.Error(), "pool_max_conns=1") {
		t.Errorf("the error is %v", err)
	}
	two := start(t, newStore(t, s.source+"&pool_max_conns=2"), quick("a"), nothing())
	two.ended(two.insert(Job{}, nil))
}

func TestADatabaseThatIsAwayAtStartIsNamed(t *testing.T) {
	t.Parallel()
	a := newApp(t, "postgres://u@127.0.0.1:1/gone?connect_timeout=2", quick("a"), nothing())
	err := a.fx.Start(t.Context())
	if err == nil || !strings.Contains(err.Error(), "127.0.0.1:1/gone") {
		t.Errorf("the error is %v", err)
	}
	_ = a.stop()
}

func TestASchemaOfItsOwn(t *testing.T) {
	t.Parallel()
	s := onPostgres(t)
	s.exec(t, `CREATE SCHEMA "Jobs"`, "")
	cfg := quick("a")
	cfg.Configure = func(c *river.Config) { c.Schema = "Jobs" }
	a := start(t, s, cfg, nothing())
	id := a.insert(Job{}, nil)
	if row := a.ended(id); row.State != rivertype.JobStateCompleted {
		t.Errorf("the job is %+v", row)
	}
	if _, err := a.jobs.Counts(t.Context()); err != nil {
		t.Error(err)
	}
	await(t, "a few heartbeats", func() bool { return s.count(t, `SELECT count(*) FROM "Jobs".background_replica`) == 1 })
}

// TestPostgreSQLGoesAwayUnderLoad restarts it, and then takes it away for longer than a replica may be silent.
func TestPostgreSQLGoesAwayUnderLoad(t *testing.T) {
	t.Parallel()
	server := pgtest.Start(t)
	s := newStore(t, server.Database(t))
	work := riveradapter.WorkFunc(func(ctx context.Context, _ *river.Job[Job]) error {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(20 * time.Millisecond):
			return nil
		}
	})
	var ran ticks
	periodic := fx.Options(riveradapter.WorkFunc(ran.work), riveradapter.Periodic("tick", fxtasks.Every(time.Second), tick))
	a, b := start(t, s, quick("a"), work, periodic), start(t, s, quick("b"), work, periodic)
	var acknowledged []int64
	load := func(d time.Duration) {
		for end := time.Now().Add(d); time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			if result, err := a.client.Insert(ctx, Job{}, nil); err == nil {
				acknowledged = append(acknowledged, result.Job.ID)
			}
			cancel()
		}
	}
	for _, away := range []time.Duration{0, 2 * 6 * heartbeat} {
		load(time.Second)
		if err := server.Down(); err != nil {
			t.Fatal(err)
		}
		load(away)
		if err := server.Up(); err != nil {
			t.Fatal(err)
		}
		load(time.Second)
	}
	for _, id := range acknowledged {
		if row := b.ended(id); row.State != rivertype.JobStateCompleted {
			t.Fatalf("a job is %+v", row)
		}
	}
	t.Logf("%d jobs, all completed", len(acknowledged))
	caughtUp := func() bool {
		at := slices.Compact(ran.sorted()) // those that ran twice were done at least once
		return len(at) > 0 && time.Since(at[len(at)-1]) < 2*time.Second && at[len(at)-1].Sub(at[0]) == time.Duration(len(at)-1)*time.Second
	}
	await(t, "the periodic jobs of all periods, also of those while the database was away", caughtUp)
}
