package main

import (
	"context"
	"database/sql"
	"time"

	"github.com/riverqueue/river"
	"go.uber.org/fx"

	"github.com/fxtasks/background/riveradapter/sqlite"
)

func onSQLite(file string) fx.Option {
	return fx.Options(
		sqlite.Module,
		fx.Supply(sqlite.Config{File: file}),
		fx.Provide(func(lc fx.Lifecycle) (*sql.DB, error) {
			db, err := sqlite.Open(file) // the jobs' file, for the application's own tables
			if err == nil {
				lc.Append(fx.StopHook(db.Close))
			}
			return db, err
		}),
		fx.Provide(fx.Annotate(newSQLiteStore, fx.As(new(Store)))),
	)
}

// sqliteStore is a Store in a SQLite file.
type sqliteStore struct {
	db   *sql.DB
	jobs *river.Client[*sql.Tx]
}

func newSQLiteStore(lc fx.Lifecycle, db *sql.DB, jobs *river.Client[*sql.Tx]) *sqliteStore {
	s := &sqliteStore{db: db, jobs: jobs}
	lc.Append(fx.StartHook(s.prepare))
	return s
}

func (s *sqliteStore) prepare(ctx context.Context) error {
	_, err := s.db.ExecContext(ctx, `
		CREATE TABLE IF NOT EXISTS reports (name text NOT NULL, instance text NOT NULL, attempt integer NOT NULL, at text NOT NULL);
		CREATE TABLE IF NOT EXISTS ticks (at text PRIMARY KEY, instance text NOT NULL);
		CREATE TABLE IF NOT EXISTS orders (name text NOT NULL)`)
	return err
}

func (s *sqliteStore) AddReport(ctx context.Context, r Report) error {
	_, err := s.db.ExecContext(ctx, `INSERT INTO reports (name, instance, attempt, at) VALUES (?, ?, ?, ?)`,
		r.Name, r.Instance, r.Attempt, r.At.Format(time.RFC3339Nano))
	return err
}

func (s *sqliteStore) Reports(ctx context.Context) ([]Report, error) {
	return query(ctx, s.db, `SELECT name, instance, attempt, at FROM reports ORDER BY rowid`, func(r *Report, at *string) []any {
		return []any{&r.Name, &r.Instance, &r.Attempt, at}
	}, func(r *Report, at time.Time) { r.At = at })
}

// AddTick can be called again for one period: a job runs at least once.
func (s *sqliteStore) AddTick(ctx context.Context, t TickRow) error {
	_, err := s.db.ExecContext(ctx, `INSERT INTO ticks (at, instance) VALUES (?, ?) ON CONFLICT DO NOTHING`, t.At.UTC().Format(time.RFC3339Nano), t.Instance)
	return err
}

func (s *sqliteStore) Ticks(ctx context.Context) ([]TickRow, error) {
	return query(ctx, s.db, `SELECT at, instance FROM ticks ORDER BY at`, func(t *TickRow, at *string) []any {
		return []any{at, &t.Instance}
	}, func(t *TickRow, at time.Time) { t.At = at })
}

// query reads rows that have a time, which SQLite keeps as text.
func query[T any](ctx context.Context, db *sql.DB, q string, fields func(*T, *string) []any, setTime func(*T, time.Time)) ([]T, error) {
	rows, err := db.QueryContext(ctx, q)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	all := []T{}
	for rows.Next() {
		var row T
		var text string
		if err := rows.Scan(fields(&row, &text)...); err != nil {
			return nil, err
		}
		at, err := time.Parse(time.RFC3339Nano, text)
		if err != nil {
			return nil, err
		}
		setTime(&row, at)
		all = append(all, row)
	}
	return all, rows.Err()
}

func (s *sqliteStore) Order(ctx context.Context, orders []BuildReport) ([]int64, error) {
	tx, ids, err := s.order(ctx, orders)
	if err != nil {
		return nil, err
	}
	return ids, tx.Commit()
}

func (s *sqliteStore) OrderInVain(ctx context.Context, orders []BuildReport) error {
	tx, _, err := s.order(ctx, orders)
	if err != nil {
		return err
	}
	return tx.Rollback()
}

// order leaves the transaction open, unless it fails.
func (s *sqliteStore) order(ctx context.Context, orders []BuildReport) (tx *sql.Tx, ids []int64, err error) {
	if tx, err = s.db.BeginTx(ctx, nil); err != nil {
		return nil, nil, err
	}
	defer func() {
		if err != nil {
			_ = tx.Rollback()
		}
	}()
	for _, order := range orders {
		if _, err := tx.ExecContext(ctx, `INSERT INTO orders (name) VALUES (?)`, order.Name); err != nil {
			return nil, nil, err
		}
	}
	results, err := s.jobs.InsertManyTx(ctx, tx, insertParams(orders))
	for _, result := range results {
		ids = append(ids, result.Job.ID)
	}
	return tx, ids, err
}
