package main

import (
	"context"
	"time"

	"github.com/riverqueue/river"
)

const tickPeriod = 10 * time.Second

// Tick is a periodic job.
type Tick struct {
	At time.Time `json:"at"` // the period's time, a multiple of tickPeriod
}

func (Tick) Kind() string { return "tick" }

// TickWorker writes down each period.
type TickWorker struct {
	river.WorkerDefaults[Tick]
	store    Store
	instance string
}

// NewTickWorker needs the store.
func NewTickWorker(store Store, flags Flags) *TickWorker {
	return &TickWorker{store: store, instance: flags.Instance}
}

func (w *TickWorker) Work(ctx context.Context, job *river.Job[Tick]) error {
	return w.store.AddTick(ctx, TickRow{At: job.Args.At, Instance: w.instance})
}
