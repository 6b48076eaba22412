package conformance

import (
	"context"
	"database/sql"
	"fmt"
	"log/slog"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"
	"github.com/riverqueue/river/riverdriver/riversqlite"
	"go.uber.org/fx"

	background "github.com/fxtasks/background"
	"github.com/fxtasks/background/internal/pgtest"
	"github.com/fxtasks/background/riveradapter"
	"github.com/fxtasks/background/riveradapter/sqlite"
)

// BenchmarkJobs works no-op jobs with River alone and through the adapter, by turns in one run, and gives jobs per
// second of both and their ratio.
func BenchmarkJobs(b *testing.B) {
	for _, c := range []struct {
		database string
		jobs     int
		source   func() string
	}{
		{"postgres", 20_000, func() string { return pgtest.Shared(b).Database(b) }},
		{"sqlite", 4_000, func() string { return "sqlite:" + b.TempDir() + "/jobs.db" }},
	} {
		b.Run(c.database, func(b *testing.B) {
			var alone, adapted time.Duration
			for b.Loop() {
				alone += workAll(b, c.source(), c.jobs, riverAlone)
				adapted += workAll(b, c.source(), c.jobs, throughAdapter)
			}
			n := float64(b.N * c.jobs)
			b.ReportMetric(n/alone.Seconds(), "river-jobs/s")
			b.ReportMetric(n/adapted.Seconds(), "adapter-jobs/s")
			b.ReportMetric(alone.Seconds()/adapted.Seconds(), "ratio")
			b.ReportMetric(0, "ns/op")
		})
	}
}

func configureBenchmark(c *river.Config) { c.FetchCooldown = 10 * time.Millisecond }

// workAll inserts the jobs, and measures from the first of them to the last.
func workAll(b *testing.B, source string, jobs int, start func(b *testing.B, source string, work workFunc) (stop func())) time.Duration {
	b.Helper()
	cfg := riveradapter.Config{Queues: map[string]river.QueueConfig{}}
	var insert riveradapter.Client
	app := fx.New(fx.NopLogger, background.Module, fx.Supply(cfg), module(source), fx.Populate(&insert))
	if err := app.Start(b.Context()); err != nil {
		b.Fatal(err)
	}
	params := make([]river.InsertManyParams, 1000)
	for i := range params {
		params[i].Args = Job{}
	}
	for range jobs / len(params) {
		if _, err := insert.InsertMany(b.Context(), params); err != nil {
			b.Fatal(err)
		}
	}
	if err := app.Stop(b.Context()); err != nil {
		b.Fatal(err)
	}
	var left atomic.Int64
	left.Store(int64(jobs))
	done := make(chan struct{})
	var began, ended time.Time
	stop := start(b, source, func(context.Context, *river.Job[Job]) error {
		switch left.Add(-1) {
		case int64(jobs) - 1:
			began = time.Now()
		case 0:
			ended = time.Now()
			close(done)
		}
		return nil
	})
	<-done
	took := ended.Sub(began)
	stop()
	return took
}

func throughAdapter(b *testing.B, source string, work workFunc) (stop func()) {
	app := fx.New(fx.NopLogger, background.Module, module(source), riveradapter.WorkFunc(work),
		fx.Supply(riveradapter.Config{Configure: configureBenchmark}))
	if err := app.Start(b.Context()); err != nil {
		b.Fatal(err)
	}
	return func() {
		if err := app.Stop(context.Background()); err != nil {
			b.Fatal(err)
		}
	}
}

func riverAlone(b *testing.B, source string, work workFunc) (stop func()) {
	if file, ok := strings.CutPrefix(source, "sqlite:"); ok {
		db, err := sqlite.Open(file)
		if err != nil {
			b.Fatal(err)
		}
		db.SetMaxOpenConns(1)
		return run[*sql.Tx](b, riversqlite.New(db), work, func() { db.Close() })
	}
	pool, err := pgxpool.New(b.Context(), source)
	if err != nil {
		b.Fatal(err)
	}
	return run(b, riverpgxv5.New(pool), work, pool.Close)
}

func run[TTx any](b *testing.B, driver riverdriver.Driver[TTx], work workFunc, closeDB func()) (stop func()) {
	workers := river.NewWorkers()
	river.AddWorker(workers, river.WorkFunc(work))
	cfg := &river.Config{
		Workers: workers,
		Queues:  map[string]river.QueueConfig{river.QueueDefault: {MaxWorkers: 100}},
		Logger:  slog.New(slog.DiscardHandler),
	}
	configureBenchmark(cfg)
	client, err := river.NewClient(driver, cfg)
	if err == nil {
		err = client.Start(context.Background())
	}
	if err != nil {
		b.Fatal(err)
	}
	return func() {
		if err := client.Stop(context.Background()); err != nil {
			b.Fatal(fmt.Errorf("stop: %w", err))
		}
		closeDB()
	}
}
