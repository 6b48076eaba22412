package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"go.uber.org/fx"
	"go.uber.org/zap"

	"github.com/fxtasks/background/fxtasks"
)

// StartDemo submits, with the flag -demo, a mix of made-up work for as long as the application
// runs, so that the dashboard has something to show.
func StartDemo(lc fx.Lifecycle, flags Flags, tasks *fxtasks.Manager) error {
	if !flags.Demo {
		return nil
	}
	group, err := tasks.Group("demo", fxtasks.GroupConfig{MaxRunning: 6})
	if err != nil {
		return err
	}
	lc.Append(fx.StartHook(func(ctx context.Context) error {
		for _, work := range demoWork {
			if err := work.submit(ctx, group); err != nil {
				return err
			}
		}
		if _, err := group.Schedule("purge-sessions", fxtasks.Every(20*time.Second), purgeSessions); err != nil {
			return err
		}
		_, err := tasks.Submit(ctx, "demo-traffic", func(ctx context.Context) error {
			for pause(ctx, time.Second) {
				if group.Stats().Pending > 10 {
					continue
				}
				err := demoWork[rand.IntN(len(demoWork))].submit(ctx, group)
				if errors.Is(err, fxtasks.ErrShuttingDown) {
					return nil
				}
				if err != nil {
					return err
				}
			}
			return context.Cause(ctx)
		})
		return err
	}))
	return nil
}

type demo struct {
	name    string
	run     fxtasks.Func
	options []fxtasks.TaskOption
}

var demoWork = []demo{
	{"import-orders", importOrders, nil},
	{"send-newsletter", sendNewsletter, nil},
	{"resize-image", resizeImage, nil},
	{"sync-inventory", syncInventory, nil},
	{"charge-card", chargeCard, nil},
	{"deliver-webhook", deliverWebhook, []fxtasks.TaskOption{fxtasks.WithRetry(fxtasks.Retry{MaxAttempts: 4})}},
	{"legacy-export", legacyExport, []fxtasks.TaskOption{fxtasks.WithTimeout(10 * time.Second)}},
}

func (d demo) submit(ctx context.Context, s fxtasks.Submitter) error {
	_, err := s.Submit(ctx, d.name, d.run, append(slices.Clone(d.options), fxtasks.WithMetadata(map[string]string{
		"customer": fmt.Sprintf("C-%03d", rand.IntN(200)),
		"region":   []string{"eu", "us", "ap"}[rand.IntN(3)],
	}))...)
	return err
}

// importOrders is long, and knows how far it is.
func importOrders(ctx context.Context) error {
	const total = 2000
	for n := int64(0); n < total; n += 20 {
		fxtasks.ReportProgress(ctx, fxtasks.Progress{Current: n, Total: total, Unit: "orders", Message: fmt.Sprintf("page %d", n/100+1)})
		if !pause(ctx, 400*time.Millisecond) {
			return context.Cause(ctx)
		}
	}
	return nil
}

// sendNewsletter reads its recipients from a cursor: it does not know how many are to come.
func sendNewsletter(ctx context.Context) error {
	for n := range int64(60) {
		fxtasks.ReportProgress(ctx, fxtasks.Progress{Current: 25 * n, Unit: "mails"})
		if !pause(ctx, 300*time.Millisecond) {
			return context.Cause(ctx)
		}
	}
	return nil
}

// resizeImage is short.
func resizeImage(ctx context.Context) error {
	if !pause(ctx, time.Duration(50+rand.IntN(450))*time.Millisecond) {
		return context.Cause(ctx)
	}
	return nil
}

// syncInventory fails.
func syncInventory(ctx context.Context) error {
	pause(ctx, time.Second)
	return errors.New("inventory service: GET /v2/stock: 502 Bad Gateway")
}

// chargeCard panics, as code does that does not look at the length of an answer.
func chargeCard(ctx context.Context) error {
	pause(ctx, 500*time.Millisecond)
	var answer []string
	fxtasks.Logger(ctx).Info("charged: " + answer[0])
	return nil
}

// deliverWebhook fails more often than not, and is tried again after up to 1, 2 and 4 seconds.
func deliverWebhook(ctx context.Context) error {
	if !pause(ctx, 300*time.Millisecond) {
		return context.Cause(ctx)
	}
	if rand.IntN(3) > 0 {
		return errors.New("webhook: 503 Service Unavailable")
	}
	return nil
}

// purgeSessions runs on a schedule.
func purgeSessions(ctx context.Context) error {
	if !pause(ctx, 2*time.Second) {
		return context.Cause(ctx)
	}
	fxtasks.Logger(ctx).Info("sessions purged", zap.Int("sessions", rand.IntN(50)))
	return nil
}

// legacyExport ignores its context: it runs on past its timeout, and cannot be cancelled.
func legacyExport(context.Context) error {
	time.Sleep(25 * time.Second)
	return errors.New("export: remote closed the connection")
}

// pause waits for d. It reports false when ctx has ended.
func pause(ctx context.Context, d time.Duration) bool {
	select {
	case <-time.After(d):
		return true
	case <-ctx.Done():
		return false
	}
}
