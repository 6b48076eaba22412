package postgres

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/fxtasks/background/riveradapter/internal/replica"
)

// lifeline is the connection over which a replica proves that it is alive. The pool's would do until all of
// them are busy, and a saturated pool is no death.
type lifeline struct {
	d    *database
	id   string
	term time.Duration // how long a proof is good for
	conn *pgx.Conn     // nil: none, or it has failed
}

// on calls fn with the connection. One that has failed is replaced by the next call.
func (l *lifeline) on(ctx context.Context, fn func(conn *pgx.Conn) error) error {
	if l.conn == nil {
		conn, err := l.d.connect(ctx)
		if err != nil {
			return err
		}
		l.conn = conn
	}
	err := fn(l.conn)
	if l.conn.IsClosed() {
		l.conn = nil
	}
	return err
}

func (l *lifeline) exec(ctx context.Context, query string, args ...any) (n int64, err error) {
	err = l.on(ctx, func(conn *pgx.Conn) error {
		tag, err := conn.Exec(ctx, l.d.sql(query), args...)
		n = tag.RowsAffected()
		return err
	})
	return n, err
}

func (l *lifeline) close() error {
	if l.conn == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	err := l.conn.Close(ctx)
	l.conn = nil
	return err
}

func (d *database) Enter(ctx context.Context, id string, heartbeat time.Duration) error {
	d.lifeline.id, d.lifeline.term = id, replica.DeadAfter*heartbeat
	return d.Beat(ctx)
}

func (d *database) Beat(ctx context.Context) error {
	_, err := d.lifeline.exec(ctx, sqlBeat, d.lifeline.id, d.lifeline.term)
	return err
}

// Expires: a replica that cannot beat is dead for the others.
func (d *database) Expires() bool { return true }

func (d *database) Leave(ctx context.Context) error {
	_, err := d.lifeline.exec(ctx, sqlLeave, d.lifeline.id)
	return err
}

func (d *database) Owned(ctx context.Context) (owned []replica.Attempt, err error) {
	err = d.lifeline.on(ctx, func(conn *pgx.Conn) error {
		rows, err := conn.Query(ctx, d.sql(sqlOwned), d.lifeline.id)
		if err != nil {
			return err
		}
		owned, err = pgx.CollectRows(rows, pgx.RowToStructByPos[replica.Attempt])
		return err
	})
	return owned, err
}

func (d *database) GiveBack(ctx context.Context, attempts []replica.Attempt) error {
	ids, numbers := make([]int64, len(attempts)), make([]int32, len(attempts))
	for i, a := range attempts {
		ids[i], numbers[i] = a.JobID, int32(a.Attempt)
	}
	_, err := d.lifeline.exec(ctx, sqlGiveBack, d.lifeline.id, ids, numbers)
	return err
}

const recoverBatch = 1000

func (d *database) Recover(ctx context.Context) (total int64, err error) {
	for {
		n, err := d.lifeline.exec(ctx, sqlRecover, replica.IDSuffix+"$", recoverBatch)
		total += n
		if err != nil || n < recoverBatch {
			return total, err
		}
	}
}

func (d *database) Tidy(ctx context.Context) error {
	if _, err := d.lifeline.exec(ctx, sqlTidyReplicas); err != nil {
		return err
	}
	_, err := d.lifeline.exec(ctx, sqlTidyProgress)
	return err
}
