package main

import (
	"context"
	"strings"
	"time"

	"github.com/riverqueue/river"
	"go.uber.org/fx"
)

// Report is a report that was built.
type Report struct {
	Name     string    `json:"name"`
	Instance string    `json:"instance"`
	Attempt  int       `json:"attempt"`
	At       time.Time `json:"at"`
}

// TickRow is a period that was written down.
type TickRow struct {
	At       time.Time `json:"at"`
	Instance string    `json:"instance"`
}

// Store is the application's own tables, in the database of the jobs.
type Store interface {
	AddReport(ctx context.Context, r Report) error
	Reports(ctx context.Context) ([]Report, error)
	AddTick(ctx context.Context, t TickRow) error
	Ticks(ctx context.Context) ([]TickRow, error)
	// Order writes down the orders and inserts their jobs, in one transaction, and gives the jobs' IDs.
	Order(ctx context.Context, orders []BuildReport) ([]int64, error)
	// OrderInVain does the same, and rolls back.
	OrderInVain(ctx context.Context, orders []BuildReport) error
}

// database gives the application what keeps its jobs and its tables.
func database(source string) fx.Option {
	if file, ok := strings.CutPrefix(source, "sqlite:"); ok {
		return onSQLite(file)
	}
	return onPostgres(source)
}

func insertParams(orders []BuildReport) []river.InsertManyParams {
	params := make([]river.InsertManyParams, len(orders))
	for i, order := range orders {
		params[i] = river.InsertManyParams{Args: order}
	}
	return params
}
