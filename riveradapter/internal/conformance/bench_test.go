package conformance

import (
	"context"
	"database/sql"
	"fmt"
	"log/slog"
	"runtime"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
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

// databases make an empty one of each kind.
var databases = map[string]func(b *testing.B) (source string){
	"postgres": func(b *testing.B) string { return pgtest.Shared(b).Database(b) },
	"sqlite":   func(b *testing.B) string { return "sqlite:" + b.TempDir() + "/jobs.db" },
}

// BenchmarkJobs works no-op jobs that are all queued first, with River alone and through the adapter, by turns in
// one run, and gives jobs per second of both and their ratio.
func BenchmarkJobs(b *testing.B) {
	for _, c := range []struct {
		database string
		jobs     int
	}{{"postgres", 20_000}, {"sqlite", 4_000}, {"postgres", 100_000}, {"sqlite", 100_000}} {
		b.Run(fmt.Sprintf("%s/%d", c.database, c.jobs), func(b *testing.B) {
			var alone, adapted time.Duration
			for b.Loop() {
				alone += workAll(b, databases[c.database](b), c.jobs, riverAlone)
				adapted += workAll(b, databases[c.database](b), c.jobs, throughAdapter)
			}
			n := float64(b.N * c.jobs)
			b.ReportMetric(n/alone.Seconds(), "river-jobs/s")
			b.ReportMetric(n/adapted.Seconds(), "adapter-jobs/s")
			b.ReportMetric(alone.Seconds()/adapted.Seconds(), "ratio")
			b.ReportMetric(0, "ns/op")
		})
	}
}

// BenchmarkStart inserts a job now and then, and gives how long it takes until it starts. Those that come within 100 ms
// of another are not notified of by River.
func BenchmarkStart(b *testing.B) {
	for database, source := range databases {
		b.Run(database, func(b *testing.B) {
			for contender, start := range contenders {
				from := source(b)
				insert := insertOnlyClient(b, from)
				started := make(chan time.Time)
				stop := start(b, from, func(context.Context, *river.Job[Job]) error {
					started <- time.Now()
					return nil
				})
				var waits []time.Duration
				for range 50 {
					time.Sleep(150 * time.Millisecond)
					inserted := time.Now()
					if _, err := insert.Insert(b.Context(), Job{}, nil); err != nil {
						b.Fatal(err)
					}
					waits = append(waits, (<-started).Sub(inserted))
				}
				stop()
				slices.Sort(waits)
				b.ReportMetric(float64(waits[len(waits)/2])/1e6, contender+"-p50-ms")
				b.ReportMetric(float64(waits[len(waits)*9/10])/1e6, contender+"-p90-ms")
			}
			b.ReportMetric(0, "ns/op")
		})
	}
}

// BenchmarkIdle lets a replica do nothing, and gives the processor time and the memory that this takes.
func BenchmarkIdle(b *testing.B) {
	const idle = 20 * time.Second
	for database, source := range databases {
		b.Run(database, func(b *testing.B) {
			for contender, start := range contenders {
				from := source(b)
				insertOnlyClient(b, from) // makes the tables
				before := memory()
				stop := start(b, from, func(context.Context, *river.Job[Job]) error { return nil })
				time.Sleep(2 * time.Second) // until what happens once is over
				began := processorTime(b)
				time.Sleep(idle)
				b.ReportMetric(float64(processorTime(b)-began)/float64(idle)*100, contender+"-%core")
				b.ReportMetric(float64(memory()-before)/1e6, contender+"-MB")
				stop()
			}
			b.ReportMetric(0, "ns/op")
		})
	}
}

func processorTime(b *testing.B) time.Duration {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		b.Fatal(err)
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}

// memory is the heap and the stacks that are in use.
func memory() int64 {
	runtime.GC()
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	return int64(stats.HeapAlloc + stats.StackInuse)
}

func configureBenchmark(c *river.Config) { c.FetchCooldown = 10 * time.Millisecond }

// contenders start a replica that works the jobs at source, and give what stops it.
var contenders = map[string]func(b *testing.B, source string, work workFunc) (stop func()){
	"river":   riverAlone,
	"adapter": throughAdapter,
}

// insertOnlyClient gives a client of a replica that runs nothing.
func insertOnlyClient(b *testing.B, source string) riveradapter.Client {
	b.Helper()
	var client riveradapter.Client
	app := fx.New(fx.NopLogger, background.Module, module(source), fx.Populate(&client),
		fx.Supply(riveradapter.Config{Queues: map[string]river.QueueConfig{}}))
	if err := app.Start(b.Context()); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		if err := app.Stop(context.Background()); err != nil {
			b.Fatal(err)
		}
	})
	return client
}

// workAll inserts the jobs, and measures from the first of them to the last.
func workAll(b *testing.B, source string, jobs int, start func(b *testing.B, source string, work workFunc) (stop func())) time.Duration {
	b.Helper()
	insert := insertOnlyClient(b, source)
	params := make([]river.InsertManyParams, 1000)
	for i := range params {
		params[i].Args = Job{}
	}
	for range jobs / len(params) {
		if _, err := insert.InsertMany(b.Context(), params); err != nil {
			b.Fatal(err)
		}
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
