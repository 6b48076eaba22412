package postgres

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/riverqueue/river/rivertype"

	"github.com/fxtasks/background/riveradapter/internal/replica"
)

func (d *database) LastPeriod(ctx context.Context, id string) (last time.Time, err error) {
	err = d.pool.QueryRow(ctx, d.sql(sqlLastPeriod), id).Scan(&last)
	return last, err
}

func (d *database) ClaimPeriod(ctx context.Context, tx pgx.Tx, id string, last, next time.Time) (bool, error) {
	tag, err := tx.Exec(ctx, d.sql(sqlClaimPeriod), id, last, next)
	return tag.RowsAffected() == 1, err
}

func (d *database) Counts(ctx context.Context) (map[rivertype.JobState]int, error) {
	rows, err := d.pool.Query(ctx, d.sql(sqlCounts))
	if err != nil {
		return nil, err
	}
	counts := make(map[rivertype.JobState]int)
	var state string
	var n int
	_, err = pgx.ForEachRow(rows, []any{&state, &n}, func() error {
		counts[rivertype.JobState(state)] = n
		return nil
	})
	return counts, err
}

func (d *database) NoteCancel(ctx context.Context, jobID int64, note []byte) error {
	_, err := d.pool.Exec(ctx, d.sql(sqlNoteCancel), jobID, replica.CancelNote, string(note))
	return err
}

func (d *database) StoreProgress(ctx context.Context, reports []replica.Progress) error {
	var (
		ids, currents, totals []int64
		attempts, updates     []time.Time
		units, messages       []string
	)
	for _, p := range reports {
		ids, attempts, updates = append(ids, p.JobID), append(attempts, p.AttemptedAt), append(updates, p.UpdatedAt)
		currents, totals = append(currents, p.Current), append(totals, p.Total)
		units, messages = append(units, p.Unit), append(messages, p.Message)
	}
	_, err := d.pool.Exec(ctx, d.sql(sqlStoreProgress), ids, attempts, currents, totals, units, messages, updates)
	return err
}

func (d *database) ProgressOf(ctx context.Context, jobIDs []int64) (reports []replica.Progress, err error) {
	rows, err := d.pool.Query(ctx, d.sql(sqlProgressOf), jobIDs)
	if err != nil {
		return nil, err
	}
	var p replica.Progress
	_, err = pgx.ForEachRow(rows, []any{&p.JobID, &p.AttemptedAt, &p.Current, &p.Total, &p.Unit, &p.Message, &p.UpdatedAt}, func() error {
		reports = append(reports, p)
		return nil
	})
	return reports, err
}
