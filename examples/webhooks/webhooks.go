package main

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"time"

	"go.uber.org/fx"
	"go.uber.org/zap"

	"github.com/fxtasks/background"
	"github.com/fxtasks/background/fxtasks"
)

// Webhooks tells a receiver about events.
type Webhooks struct {
	group  *fxtasks.Group
	client *http.Client
	url    string
	policy Policy
}

// Policy says how persistent deliveries are.
type Policy struct {
	Timeout time.Duration // of each attempt
	Retry   fxtasks.Retry
}

// NewWebhooks makes a group of its own: its deliveries are limited together, and drained before the
// receiver is closed.
func NewWebhooks(lc fx.Lifecycle, tasks *fxtasks.Manager, receiver *Receiver, policy Policy) (*Webhooks, error) {
	client := &http.Client{Transport: new(http.Transport)}
	lc.Append(fx.StopHook(client.CloseIdleConnections)) // after the group's hook, which is appended next

	group, err := background.NewGroup(lc, tasks, "webhooks", fxtasks.GroupConfig{
		MaxRunning: 4, // at a time; those that wait for another attempt do not count
	})
	if err != nil {
		return nil, err
	}
	return &Webhooks{group: group, client: client, url: receiver.URL(), policy: policy}, nil
}

// Send starts to deliver an event, and does not wait until it is. The event's ID is the task's, so that
// one that is sent again is delivered once.
func (w *Webhooks) Send(ctx context.Context, event string) (*fxtasks.Task, error) {
	return w.group.Submit(ctx, "deliver-webhook", func(ctx context.Context) error {
		return w.deliver(ctx, event)
	},
		fxtasks.WithID(event),
		fxtasks.WithDuplicate(fxtasks.Join),
		fxtasks.WithTimeout(w.policy.Timeout),
		fxtasks.WithRetry(w.policy.Retry),
	)
}

// deliver makes one attempt.
func (w *Webhooks) deliver(ctx context.Context, event string) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, w.url, strings.NewReader(event))
	if err != nil {
		return fxtasks.Permanent(err)
	}
	answer, err := w.client.Do(request)
	if err != nil { // the receiver cannot be reached, or takes too long
		return err
	}
	defer answer.Body.Close()
	return errorOf(answer)
}

// errorOf tells what may be better next time from what is refused for good.
func errorOf(answer *http.Response) error {
	switch code := answer.StatusCode; {
	case code < http.StatusMultipleChoices:
		return nil
	case code >= http.StatusInternalServerError, code == http.StatusTooManyRequests, code == http.StatusRequestTimeout:
		return fmt.Errorf("receiver: %s", answer.Status)
	default:
		return fxtasks.Permanent(fmt.Errorf("receiver: %s", answer.Status))
	}
}

// Wait waits until no delivery is under way.
func (w *Webhooks) Wait(ctx context.Context) error { return w.group.Wait(ctx) }

// Counts gives how many deliveries there were, and how they ended.
func (w *Webhooks) Counts() fxtasks.Counts { return w.group.Stats() }

// NewReport gives the function that each run of the schedule calls.
func NewReport(webhooks *Webhooks, log *zap.Logger) fxtasks.Func {
	return func(context.Context) error {
		c := webhooks.Counts()
		log.Info("webhooks",
			zap.Uint64("delivered", c.Completed),
			zap.Uint64("refused", c.Failed),
			zap.Uint64("tried again", c.Retried),
			zap.Int("on their way", c.Running),
			zap.Int("waiting", c.Pending))
		return nil
	}
}
