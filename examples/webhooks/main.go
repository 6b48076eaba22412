// Webhooks delivers events to a receiver that fails at random: it answers with an error, too late, or
// not at all. Each delivery is a task that is tried again until the receiver has it, four at a time, and
// a schedule reports once a second how far they are.
//
//	go run ./examples/webhooks
//
// It ends when all events are delivered, or refused for good. Stop it earlier with Ctrl-C: what is on
// its way is finished, what waits for another attempt is cancelled, and the log says so. Deliveries that
// have to outlive the process are durable jobs: see examples/durable.
package main

import (
	"fmt"
	"time"

	"go.uber.org/fx"

	"github.com/fxtasks/background"
	"github.com/fxtasks/background/examples/internal/console"
	"github.com/fxtasks/background/fxtasks"
)

func main() {
	var webhooks *Webhooks
	fx.New(
		application(random, patient),
		fx.Invoke(StartEvents),
		fx.Populate(&webhooks),
		fx.WithLogger(console.NewFxLogger),
	).Run()

	c := webhooks.Counts()
	fmt.Printf("%d events: %d delivered, %d refused, %d cancelled\n", c.Submitted, c.Completed, c.Failed, c.Cancelled)
}

// patient tries an event six times: again after 0.1 s or less, then after up to twice as long each time.
var patient = Policy{
	Timeout: 300 * time.Millisecond,
	Retry:   fxtasks.Retry{MaxAttempts: 6, Delay: fxtasks.Backoff(100*time.Millisecond, 2*time.Second)},
}

// application is all but the events.
func application(answers Answers, policy Policy) fx.Option {
	return fx.Options(
		fx.Supply(answers, policy, fxtasks.Config{DrainGrace: 5 * time.Second}), // on stop, for what is on its way
		fx.Provide(console.NewLogger, NewReceiver, NewWebhooks),
		background.Module, // provides *fxtasks.Manager, drains it on stop
		background.Periodic("report", fxtasks.Every(time.Second), NewReport),
	)
}
