package main

import (
	"context"
	"database/sql"
	"slices"
	"sync/atomic"
	"time"

	"github.com/fxtasks/background/fxtasks"
)

// Reading is what a meter showed at some time.
type Reading struct {
	Meter string
	At    time.Time
	Value float64
}

// Readings takes in readings and writes them in background tasks.
type Readings struct {
	tasks    *fxtasks.Manager
	db       *sql.DB
	accepted atomic.Int64
}

// NewReadings takes the manager before the database. Fx builds parameters in that order and stops
// in reverse: by itself it would close the database and drain the tasks afterwards. Uses in main
// sees to it that this order does not matter.
func NewReadings(tasks *fxtasks.Manager, db *sql.DB) *Readings {
	return &Readings{tasks: tasks, db: db}
}

// Accept hands over a batch to be written. It does not wait for that, but while too many others do
// it waits for its turn. The value of the result is how many of the batch's readings are in the
// database when the task has ended, whatever its error.
func (r *Readings) Accept(ctx context.Context, batch []Reading) (*fxtasks.Result[int], error) {
	result, err := fxtasks.SubmitResult(ctx, r.tasks, "write-readings", func(ctx context.Context) (int, error) {
		return r.write(ctx, batch)
	}, fxtasks.WithBlocking())
	if err != nil {
		return nil, err
	}
	r.accepted.Add(int64(len(batch)))
	return result, nil
}

// Accepted gives how many readings have been accepted.
func (r *Readings) Accepted() int { return int(r.accepted.Load()) }

const rowsPerTransaction = 20

// write stores the batch in small transactions. When ctx ends it finishes the one that it is at,
// and stops.
func (r *Readings) write(ctx context.Context, batch []Reading) (stored int, err error) {
	for rows := range slices.Chunk(batch, rowsPerTransaction) {
		if ctx.Err() != nil {
			return stored, context.Cause(ctx)
		}
		if err := insert(context.WithoutCancel(ctx), r.db, rows); err != nil {
			return stored, err
		}
		stored += len(rows)
		fxtasks.ReportProgress(ctx, fxtasks.Progress{
			Current: int64(stored),
			Total:   int64(len(batch)),
			Unit:    "readings",
		})
	}
	return stored, nil
}
