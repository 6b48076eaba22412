package conformance

import (
	"context"
	"database/sql"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/riverqueue/river"
	"go.uber.org/fx"

	"github.com/fxtasks/background/httpapi"
)

func TestAnInsertInTheApplicationsOwnTransaction(t *testing.T) {
	onBoth(t, func(t *testing.T, s *store) {
		s.exec(t, `CREATE TABLE own (name text)`, `CREATE TABLE own (name text)`)
		var insert func(rollback bool) error
		provide := fx.Invoke(func(c *river.Client[pgx.Tx], pool *pgxpool.Pool) {
			insert = func(rollback bool) error {
				tx, err := pool.Begin(t.Context())
				if err != nil {
					return err
				}
				_, err = tx.Exec(t.Context(), `INSERT INTO own VALUES ('a')`)
				return finish(err, tx, c, rollback, func() error { return tx.Rollback(t.Context()) }, func() error { return tx.Commit(t.Context()) })
			}
		})
		if s.isSQLite() {
			provide = fx.Invoke(func(c *river.Client[*sql.Tx]) {
				insert = func(rollback bool) error {
					tx, err := s.db.Begin()
					if err != nil {
						return err
					}
					_, err = tx.Exec(`INSERT INTO own VALUES ('a')`)
					return finish(err, tx, c, rollback, tx.Rollback, tx.Commit)
				}
			})
		}
		a := start(t, s, quick("a"), nothing(), provide)
		for _, rollback := range []bool{true, false} {
			if err := insert(rollback); err != nil {
				t.Fatal(err)
			}
		}
		if jobs, rows := s.count(t, `SELECT count(*) FROM river_job`), s.count(t, `SELECT count(*) FROM own`); jobs != 1 || rows != 1 {
			t.Fatalf("%d jobs and %d rows, want one of each", jobs, rows)
		}
		ids := allPages(t, a, httpapi.JobFilter{})
		if job, err := a.jobs.Job(t.Context(), ids[0]); err != nil || job.Info.Name != "job" {
			t.Errorf("the job is %+v, %v", job, err)
		}
	})
}

func finish[TTx any](err error, tx TTx, c *river.Client[TTx], rollback bool, undo, commit func() error) error {
	if err == nil {
		_, err = c.InsertTx(context.Background(), tx, Job{}, nil)
	}
	if err != nil || rollback {
		if undone := undo(); undone != nil {
			return undone
		}
		return err
	}
	return commit()
}
