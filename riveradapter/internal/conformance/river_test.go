package conformance

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"
	"github.com/riverqueue/river/riverdriver/riversqlite"
	"github.com/riverqueue/river/rivertype"
	"go.uber.org/fx"

	"github.com/fxtasks/background/fxtasks"
	"github.com/fxtasks/background/riveradapter"
)

// Renamed is jobs of a kind that had another name once.
type Renamed struct{}

func (Renamed) Kind() string          { return "renamed" }
func (Renamed) KindAliases() []string { return []string{"old-name"} }

// Unique is jobs of which there is one with each text.
type Unique struct {
	Text string `json:"text"`
}

func (Unique) Kind() string { return "unique" }

func (Unique) InsertOpts() river.InsertOpts {
	return river.InsertOpts{UniqueOpts: river.UniqueOpts{ByArgs: true}}
}

// steps remembers what was called.
type steps struct {
	mu  sync.Mutex
	all []string
}

func (s *steps) add(step string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.all = append(s.all, step)
}

// theWorker uses what a river.Worker has besides Work.
type theWorker struct {
	river.WorkerDefaults[Renamed]
	steps *steps
}

func (w *theWorker) Middleware(*rivertype.JobRow) []rivertype.WorkerMiddleware {
	return []rivertype.WorkerMiddleware{river.WorkerMiddlewareFunc(func(ctx context.Context, _ *rivertype.JobRow, next func(context.Context) error) error {
		if _, ok := fxtasks.FromContext(ctx); ok {
			w.steps.add("worker's middleware")
		}
		if err := next(ctx); err != nil {
			return fmt.Errorf("a\x00b: %w", err) // which must not hold up others
		}
		return nil
	})}
}

func (w *theWorker) NextRetry(*river.Job[Renamed]) time.Time {
	w.steps.add("NextRetry")
	return time.Now()
}

func (w *theWorker) Work(_ context.Context, job *river.Job[Renamed]) error {
	w.steps.add("Work")
	if job.Attempt == 1 {
		return errors.New("first")
	}
	return nil
}

// TestRiversOwnWaysWork holds that nothing of River is taken away from a worker and from Configure.
func TestRiversOwnWaysWork(t *testing.T) {
	onBoth(t, func(t *testing.T, s *store) {
		var log steps
		cfg := quick("a")
		configure := cfg.Configure
		cfg.Configure = func(c *river.Config) {
			configure(c)
			c.Middleware = append(c.Middleware, river.WorkerMiddlewareFunc(func(ctx context.Context, _ *rivertype.JobRow, next func(context.Context) error) error {
				log.add("middleware")
				return next(ctx)
			}))
			c.Hooks = append(c.Hooks, river.HookWorkBeginFunc(func(context.Context, *rivertype.JobRow) error {
				log.add("hook")
				return nil
			}))
			c.ErrorHandler = errorHandler{&log}
		}
		a := start(t, s, cfg, riveradapter.Worker[Renamed](func() *theWorker { return &theWorker{steps: &log} }))
		s.exec(t, // as an old version has inserted it
			`INSERT INTO river_job (kind, args, max_attempts) VALUES ('old-name', '{}', 25)`,
			`INSERT INTO river_job (kind, args, max_attempts) VALUES ('old-name', jsonb('{}'), 25)`)
		if row := a.ended(1); row.State != rivertype.JobStateCompleted || row.Attempt != 2 {
			t.Errorf("the job is %+v", row)
		}
		attempt := []string{"worker's middleware", "middleware", "hook", "Work"} // in River's order
		if want := append(append(slices.Clone(attempt), "error handler: a\uFFFDb: first", "NextRetry"), attempt...); !slices.Equal(log.all, want) {
			t.Errorf("what was called is %q, want %q", log.all, want)
		}
	})
}

type errorHandler struct{ log *steps }

func (h errorHandler) HandleError(_ context.Context, _ *rivertype.JobRow, err error) *river.ErrorHandlerResult {
	h.log.add("error handler: " + err.Error())
	return nil
}

func (h errorHandler) HandlePanic(context.Context, *rivertype.JobRow, any, string) *river.ErrorHandlerResult {
	return nil
}

func TestUniqueJobs(t *testing.T) {
	onBoth(t, func(t *testing.T, s *store) {
		b := insertOnly(t, s)
		first, err := b.client.Insert(t.Context(), Unique{"a"}, nil)
		if err != nil {
			t.Fatal(err)
		}
		second, err := b.client.Insert(t.Context(), Unique{"a"}, nil)
		if err != nil || !second.UniqueSkippedAsDuplicate || second.Job.ID != first.Job.ID {
			t.Errorf("the second insert gives %+v, %v", second, err)
		}
	})
}

// TestAJobCompletedInTheWorkersTransaction also takes the client from the worker's context, and listens to events.
func TestAJobCompletedInTheWorkersTransaction(t *testing.T) {
	onBoth(t, func(t *testing.T, s *store) {
		s.exec(t, `CREATE TABLE own (name text)`, `CREATE TABLE own (name text)`)
		var events <-chan *river.Event
		var pool *pgxpool.Pool
		options := fx.Options(fx.Populate(&pool), riveradapter.WorkFunc(func(ctx context.Context, job *river.Job[Job]) error {
			if _, err := river.ClientFromContextSafely[pgx.Tx](ctx); err != nil {
				return err
			}
			return pgx.BeginFunc(ctx, pool, func(tx pgx.Tx) error {
				if _, err := tx.Exec(ctx, `INSERT INTO own VALUES ('a')`); err != nil {
					return err
				}
				_, err := river.JobCompleteTx[*riverpgxv5.Driver](ctx, tx, job)
				return err
			})
		}), fx.Invoke(func(c *river.Client[pgx.Tx]) { events, _ = c.Subscribe(river.EventKindJobCompleted) }))
		if s.isSQLite() {
			options = fx.Options(riveradapter.WorkFunc(func(ctx context.Context, job *river.Job[Job]) error {
				if _, err := river.ClientFromContextSafely[*sql.Tx](ctx); err != nil {
					return err
				}
				tx, err := s.db.BeginTx(ctx, nil)
				if err != nil {
					return err
				}
				defer func() { _ = tx.Rollback() }()
				if _, err := tx.ExecContext(ctx, `INSERT INTO own VALUES ('a')`); err != nil {
					return err
				}
				if _, err := river.JobCompleteTx[*riversqlite.Driver](ctx, tx, job); err != nil {
					return err
				}
				return tx.Commit()
			}), fx.Invoke(func(c *river.Client[*sql.Tx]) { events, _ = c.Subscribe(river.EventKindJobCompleted) }))
		}
		a := start(t, s, quick("a"), options)
		id := a.insert(Job{}, nil)
		if row := a.ended(id); row.State != rivertype.JobStateCompleted || row.Attempt != 1 {
			doc, _ := json.Marshal(row)
			t.Errorf("the job is %s", doc)
		}
		if event := receive(t, events); event.Job.ID != id {
			t.Errorf("the event is of job %d", event.Job.ID)
		}
		if n := s.count(t, `SELECT count(*) FROM own`); n != 1 {
			t.Errorf("%d rows, want one", n)
		}
	})
}
