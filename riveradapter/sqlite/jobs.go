package sqlite

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"time"

	"github.com/riverqueue/river/rivertype"

	"github.com/fxtasks/background/riveradapter/internal/replica"
)

// LastPeriod asks before it writes: the write lock may be held for long.
func (d *database) LastPeriod(ctx context.Context, id string) (time.Time, error) {
	var micros int64
	err := d.read.QueryRowContext(ctx, sqlLastPeriod, id).Scan(&micros)
	if errors.Is(err, sql.ErrNoRows) {
		if _, err := d.write.ExecContext(ctx, sqlFirstPeriod, id, time.Now().UnixMicro()); err != nil {
			return time.Time{}, err
		}
		err = d.read.QueryRowContext(ctx, sqlLastPeriod, id).Scan(&micros)
	}
	return time.UnixMicro(micros).UTC(), err
}

// ClaimPeriod need not ask for the database's clock: it is this host's.
func (d *database) ClaimPeriod(ctx context.Context, tx *sql.Tx, id string, last, next time.Time) (bool, error) {
	result, err := tx.ExecContext(ctx, sqlClaimPeriod, next.UnixMicro(), id, last.UnixMicro())
	if err != nil {
		return false, err
	}
	n, err := result.RowsAffected()
	return n == 1, err
}

func (d *database) Counts(ctx context.Context) (map[rivertype.JobState]int, error) {
	rows, err := d.read.QueryContext(ctx, sqlCounts)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	counts := make(map[rivertype.JobState]int)
	for rows.Next() {
		var state string
		var n int
		if err := rows.Scan(&state, &n); err != nil {
			return nil, err
		}
		counts[rivertype.JobState(state)] = n
	}
	return counts, rows.Err()
}

func (d *database) NoteCancel(ctx context.Context, jobID int64, note []byte) error {
	_, err := d.write.ExecContext(ctx, sqlNoteCancel, replica.CancelNote, string(note), jobID)
	return err
}

func (d *database) StoreProgress(ctx context.Context, reports []replica.Progress) error {
	return d.InTx(ctx, func(tx *sql.Tx) error {
		for _, p := range reports {
			_, err := tx.ExecContext(ctx, sqlStoreProgress, p.JobID, p.AttemptedAt.UnixMicro(),
				p.Current, p.Total, p.Unit, p.Message, p.UpdatedAt.UnixMicro())
			if err != nil {
				return err
			}
		}
		return nil
	})
}

func (d *database) ProgressOf(ctx context.Context, jobIDs []int64) (reports []replica.Progress, err error) {
	ids, err := json.Marshal(jobIDs)
	if err != nil {
		return nil, err
	}
	rows, err := d.read.QueryContext(ctx, sqlProgressOf, string(ids))
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var p replica.Progress
		var attempted, updated int64
		if err := rows.Scan(&p.JobID, &attempted, &p.Current, &p.Total, &p.Unit, &p.Message, &updated); err != nil {
			return nil, err
		}
		p.AttemptedAt, p.UpdatedAt = time.UnixMicro(attempted), time.UnixMicro(updated)
		reports = append(reports, p)
	}
	return reports, rows.Err()
}
