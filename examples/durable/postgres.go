package main

import (
	"context"
	"errors"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/riverqueue/river"
	"go.uber.org/fx"

	"github.com/fxtasks/background/riveradapter/postgres"
)

func onPostgres(url string) fx.Option {
	return fx.Options(
		postgres.Module,
		fx.Provide(func(lc fx.Lifecycle) (*pgxpool.Pool, error) {
			pool, err := pgxpool.New(context.Background(), url)
			if err == nil {
				lc.Append(fx.StopHook(pool.Close))
			}
			return pool, err
		}),
		fx.Provide(fx.Annotate(newPostgresStore, fx.As(new(Store)))),
	)
}

// postgresStore is a Store in PostgreSQL.
type postgresStore struct {
	pool *pgxpool.Pool
	jobs *river.Client[pgx.Tx]
}

func newPostgresStore(lc fx.Lifecycle, pool *pgxpool.Pool, jobs *river.Client[pgx.Tx]) *postgresStore {
	s := &postgresStore{pool: pool, jobs: jobs}
	lc.Append(fx.StartHook(s.prepare))
	return s
}

// prepare makes the tables, one replica after the other.
func (s *postgresStore) prepare(ctx context.Context) error {
	return pgx.BeginFunc(ctx, s.pool, func(tx pgx.Tx) error {
		_, err := tx.Exec(ctx, `
			SELECT pg_advisory_xact_lock(20261128);
			CREATE TABLE IF NOT EXISTS reports (name text NOT NULL, instance text NOT NULL, attempt integer NOT NULL, at timestamptz NOT NULL);
			CREATE TABLE IF NOT EXISTS ticks (at timestamptz PRIMARY KEY, instance text NOT NULL);
			CREATE TABLE IF NOT EXISTS orders (name text NOT NULL)`)
		return err
	})
}

func (s *postgresStore) AddReport(ctx context.Context, r Report) error {
	_, err := s.pool.Exec(ctx, `INSERT INTO reports (name, instance, attempt, at) VALUES ($1, $2, $3, $4)`, r.Name, r.Instance, r.Attempt, r.At)
	return err
}

func (s *postgresStore) Reports(ctx context.Context) ([]Report, error) {
	rows, err := s.pool.Query(ctx, `SELECT name, instance, attempt, at FROM reports ORDER BY at`)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowToStructByPos[Report])
}

// AddTick can be called again for one period: a job runs at least once.
func (s *postgresStore) AddTick(ctx context.Context, t TickRow) error {
	_, err := s.pool.Exec(ctx, `INSERT INTO ticks (at, instance) VALUES ($1, $2) ON CONFLICT DO NOTHING`, t.At, t.Instance)
	return err
}

func (s *postgresStore) Ticks(ctx context.Context) ([]TickRow, error) {
	rows, err := s.pool.Query(ctx, `SELECT at, instance FROM ticks ORDER BY at`)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowToStructByPos[TickRow])
}

var errInVain = errors.New("rolled back, as asked")

func (s *postgresStore) Order(ctx context.Context, orders []BuildReport) (ids []int64, err error) {
	err = pgx.BeginFunc(ctx, s.pool, func(tx pgx.Tx) error {
		ids, err = s.order(ctx, tx, orders)
		return err
	})
	return ids, err
}

func (s *postgresStore) OrderInVain(ctx context.Context, orders []BuildReport) error {
	err := pgx.BeginFunc(ctx, s.pool, func(tx pgx.Tx) error {
		if _, err := s.order(ctx, tx, orders); err != nil {
			return err
		}
		return errInVain
	})
	if errors.Is(err, errInVain) {
		return nil
	}
	return err
}

func (s *postgresStore) order(ctx context.Context, tx pgx.Tx, orders []BuildReport) ([]int64, error) {
	names, ids := make([]string, 0, len(orders)), make([]int64, 0, len(orders))
	for _, order := range orders {
		names = append(names, order.Name)
	}
	if _, err := tx.Exec(ctx, `INSERT INTO orders (name) SELECT unnest($1::text[])`, names); err != nil {
		return nil, err
	}
	results, err := s.jobs.InsertManyTx(ctx, tx, insertParams(orders))
	for _, result := range results {
		ids = append(ids, result.Job.ID)
	}
	return ids, err
}
