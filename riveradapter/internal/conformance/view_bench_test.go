package conformance

import (
	"testing"
	"time"

	"github.com/riverqueue/river"
	"go.uber.org/fx"

	background "github.com/fxtasks/background"
	"github.com/fxtasks/background/fxtasks"
	"github.com/fxtasks/background/httpapi"
	"github.com/fxtasks/background/internal/pgtest"
	"github.com/fxtasks/background/riveradapter"
)

const viewRows = 1_000_000

// BenchmarkView asks what the page asks, with a million jobs in the table.
func BenchmarkView(b *testing.B) {
	for _, c := range []struct{ database, source, fill string }{
		{"postgres", pgtest.Shared(b).Database(b), `
			INSERT INTO river_job (args, max_attempts, kind, state, attempt, attempted_at, attempted_by, finalized_at)
			SELECT '{}', 25, 'job', 'completed', 1, now(), ARRAY['a@0123456789abcdef'], now() FROM generate_series(1, $1);`},
		{"sqlite", "sqlite:" + b.TempDir() + "/jobs.db", `
			WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?)
			INSERT INTO river_job (kind, state, attempt, attempted_at, attempted_by, finalized_at)
			SELECT 'job', 'completed', 1, datetime('now', 'subsec'), jsonb('["a@0123456789abcdef"]'), datetime('now', 'subsec') FROM n`},
	} {
		b.Run(c.database, func(b *testing.B) {
			var jobs httpapi.Jobs
			app := fx.New(fx.NopLogger, background.Module, module(c.source), fx.Populate(&jobs),
				fx.Supply(riveradapter.Config{Queues: map[string]river.QueueConfig{}}))
			if err := app.Start(b.Context()); err != nil {
				b.Fatal(err)
			}
			s := &store{source: c.source, db: openDB(b, c.source)}
			defer s.db.Close()
			if _, err := s.db.Exec(c.fill, viewRows); err != nil {
				b.Fatal(err)
			}
			if _, err := s.db.Exec("ANALYZE"); err != nil {
				b.Fatal(err)
			}
			took := make(map[string]time.Duration)
			measure := func(what string, do func() error) {
				began := time.Now()
				if err := do(); err != nil {
					b.Fatal(err)
				}
				took[what] += time.Since(began)
			}
			list := func(f httpapi.JobFilter) func() error {
				return func() error { _, err := jobs.List(b.Context(), f); return err }
			}
			rounds := 0
			for b.Loop() {
				rounds++
				measure("first-page-ms", list(httpapi.JobFilter{Limit: 100}))
				measure("middle-page-ms", list(httpapi.JobFilter{Limit: 100, After: "500000"}))
				measure("completed-ms", list(httpapi.JobFilter{Limit: 100, Statuses: []fxtasks.Status{fxtasks.Completed}}))
				measure("none-failed-ms", list(httpapi.JobFilter{Limit: 100, Statuses: []fxtasks.Status{fxtasks.Failed}}))
				measure("job-ms", func() error { _, err := jobs.Job(b.Context(), "777777"); return err })
			}
			measure("counts-ms", func() error { _, err := jobs.Counts(b.Context()); return err }) // once in five seconds
			took["counts-ms"] *= time.Duration(rounds)
			for what, d := range took {
				b.ReportMetric(float64(d)/float64(rounds)/float64(time.Millisecond), what)
			}
			b.ReportMetric(0, "ns/op")
			if err := app.Stop(b.Context()); err != nil {
				b.Fatal(err)
			}
		})
	}
}
