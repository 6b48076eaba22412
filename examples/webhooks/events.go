package main

import (
	"context"
	"fmt"
	"time"

	"go.uber.org/fx"

	"github.com/fxtasks/background/fxtasks"
)

const (
	events     = 40
	eventEvery = 50 * time.Millisecond
	unwanted   = "event-13" // the receiver refuses it for good
)

// StartEvents makes events happen, and stops the application when all are delivered. It is a task like
// any other, but without a grace: on stop it ends at once.
func StartEvents(lc fx.Lifecycle, app fx.Shutdowner, tasks *fxtasks.Manager, webhooks *Webhooks) {
	lc.Append(fx.StartHook(func(ctx context.Context) error {
		_, err := tasks.Submit(ctx, "events", func(ctx context.Context) error {
			if err := sendAll(ctx, webhooks); err != nil {
				return err
			}
			return app.Shutdown()
		}, fxtasks.WithDrainGrace(0))
		return err
	}))
}

func sendAll(ctx context.Context, webhooks *Webhooks) error {
	for n := range events {
		if _, err := webhooks.Send(ctx, fmt.Sprint("event-", n)); err != nil {
			return err
		}
		select {
		case <-time.After(eventEvery):
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
	return webhooks.Wait(ctx)
}
