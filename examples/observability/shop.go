package main

import (
	"context"
	"time"

	"github.com/riverqueue/river"
	"go.uber.org/fx"
	"go.uber.org/zap"

	"github.com/fxtasks/background"
	"github.com/fxtasks/background/fxtasks"
	"github.com/fxtasks/background/riveradapter"
)

// Shop charges cards in tasks and sends receipts by durable jobs.
type Shop struct {
	payments *fxtasks.Group
	jobs     riveradapter.Client
}

// NewShop makes the shop, with limits of its own for what asks the bank.
func NewShop(lc fx.Lifecycle, tasks *fxtasks.Manager, jobs riveradapter.Client) (*Shop, error) {
	payments, err := background.NewGroup(lc, tasks, "payments", fxtasks.GroupConfig{MaxRunning: 4, MaxPending: 20})
	if err != nil {
		return nil, err
	}
	return &Shop{payments, jobs}, nil
}

// Order is what a client sends.
type Order struct {
	ID string `json:"id"`
}

// withPatience is how the shop deals with the bank: what fails is tried again, what hangs is cut off.
var withPatience = []fxtasks.TaskOption{
	fxtasks.WithTimeout(time.Second),
	fxtasks.WithRetry(fxtasks.Retry{MaxAttempts: 3, Delay: fxtasks.Backoff(100*time.Millisecond, time.Second)}),
}

// Charge charges the order's card, and has the receipt sent.
func (s *Shop) Charge(ctx context.Context, order Order) error {
	if err := askBank(ctx); err != nil {
		return err
	}
	_, err := s.jobs.Insert(ctx, Receipt{Order: order.ID}, nil) // ctx: the job's span is linked to this task's
	return err
}

// Receipt is the durable job that sends one.
type Receipt struct {
	Order string `json:"order"`
}

// Kind implements river.JobArgs.
func (Receipt) Kind() string { return "send-receipt" }

func sendReceipt(ctx context.Context, job *river.Job[Receipt]) error {
	fxtasks.Logger(ctx).Debug("sending", zap.String("order", job.Args.Order))
	return pause(ctx, 20*time.Millisecond)
}

// NewReconcile makes the task that compares the shop's books with the bank's, on a schedule.
func NewReconcile() fxtasks.Func {
	return func(ctx context.Context) error { return pause(ctx, 50*time.Millisecond) }
}
