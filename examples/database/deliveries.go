package main

import (
	"context"
	"fmt"
	"math"
	"time"

	"go.uber.org/fx"

	"github.com/fxtasks/background/fxtasks"
)

const (
	deliveries    = 20
	deliverEvery  = 100 * time.Millisecond
	batchReadings = 1000
)

// StartDeliveries makes the traffic: meters that deliver readings, until the last has or the
// application stops. It is a task like any other, but without a grace: on stop it ends at once.
func StartDeliveries(lc fx.Lifecycle, app fx.Shutdowner, tasks *fxtasks.Manager, readings *Readings) {
	lc.Append(fx.StartHook(func(ctx context.Context) error {
		_, err := tasks.Submit(ctx, "deliver", func(ctx context.Context) error {
			if err := deliver(ctx, readings); err != nil {
				return err
			}
			return app.Shutdown() // the drain waits until what was accepted is written
		}, fxtasks.WithDrainGrace(0))
		return err
	}))
}

func deliver(ctx context.Context, readings *Readings) error {
	for n := range deliveries {
		batch := newBatch(fmt.Sprintf("meter-%02d", n), batchReadings)
		if _, err := readings.Accept(ctx, batch); err != nil {
			return err
		}
		select {
		case <-time.After(deliverEvery):
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
	return nil
}

// newBatch makes up the last n seconds of a meter.
func newBatch(meter string, n int) []Reading {
	batch := make([]Reading, n)
	begin := time.Now().Add(-time.Duration(n) * time.Second)
	for i := range batch {
		batch[i] = Reading{meter, begin.Add(time.Duration(i) * time.Second), 230 + 5*math.Sin(float64(i)/10)}
	}
	return batch
}
