package main

import (
	"context"
	"errors"
	"sync/atomic"
	"time"

	"github.com/failsafe-go/failsafe-go"
	"github.com/failsafe-go/failsafe-go/retrypolicy"

	"github.com/fxtasks/background/fxtasks"
)

// retryRows is about tasks that are tried again, and tasks that start later.
func retryRows(n sizes) []row {
	return []row{{
		key:   "retry",
		title: "a task that fails twice and then completes, without a delay",
		note: "One goroutine submits a batch of tasks of three attempts, and waits until all have ended. Ours is `WithRetry`. The others " +
			"are one attempt for the manager: a loop, or failsafe-go's `retrypolicy`, within the task. pond and ants have no retries.",
		unit: duration,
		ours: contender{name: "ours", sample: retried(n, ours.retry)},
		peers: []contender{
			{"loop in a task", 2.0, retried(n, ours.loop)},
			{"failsafe-go in a task", 0, retried(n, ours.failsafe)},
		},
	}, {
		key:   "delayed",
		title: "heap and stack per delayed task, " + thousands(n.parked) + " delayed",
		note: "Bytes in use after two garbage collections while all are to start in an hour. `time.AfterFunc` has a closure each, and a slice with " +
			"the timers, to stop them; ours can also be found, listed, cancelled and waited for.",
		unit:  memory,
		ours:  contender{name: "ours", sample: weighDelayed(openDelayed, n.parked)},
		peers: []contender{{"time.AfterFunc", 0, weighDelayed(openTimers, n.parked)}},
	}}
}

const attempts = 3

var errAgain = errors.New("try again")

// flaky fails until its last attempt.
func flaky() work {
	attempt := 0
	return work{run: func(context.Context) error {
		if attempt++; attempt < attempts {
			return errAgain
		}
		return nil
	}}
}

// retried measures a batch of flaky tasks, per task.
func retried(n sizes, start func(o ours, w work)) func() float64 {
	return perTask(openOurs, n.batch, nanoseconds, func(p pool, n int) {
		for range n {
			start(p.(ours), flaky())
		}
		p.wait()
	})
}

var atOnce = fxtasks.WithRetry(fxtasks.Retry{
	MaxAttempts: attempts,
	Delay:       func(int) time.Duration { return 0 },
})

func (o ours) retry(w work) { must(o.m.Submit(context.Background(), "work", w.run, atOnce)) }

// loop is what people write.
func (o ours) loop(w work) {
	o.submit("work", work{run: func(ctx context.Context) (err error) {
		for range attempts {
			if err = w.run(ctx); err == nil || ctx.Err() != nil {
				return err
			}
		}
		return err
	}})
}

var failsafeAtOnce = failsafe.With(retrypolicy.NewBuilder[any]().WithMaxAttempts(attempts).Build())

func (o ours) failsafe(w work) {
	o.submit("work", work{run: func(ctx context.Context) error {
		return failsafeAtOnce.WithContext(ctx).Run(func() error { return w.run(ctx) })
	}})
}

// delayer starts tasks in an hour.
type delayer interface {
	delay(task func(context.Context) error)
	close()
}

// reminded is what such a task would have an effect on.
var reminded atomic.Int64

func weighDelayed(open func(n int) delayer, n int) func() float64 {
	return func() float64 {
		before := inUse()
		d := open(n)
		defer d.close()
		for i := range n {
			d.delay(func(context.Context) error { reminded.Store(int64(i)); return nil })
		}
		return (inUse() - before) / float64(n)
	}
}

func openDelayed(int) delayer { return open(defaults) }

func (o ours) delay(task func(context.Context) error) {
	must(o.m.Submit(context.Background(), "work", task, inAnHour))
}

var inAnHour = fxtasks.WithDelay(time.Hour)

type timers struct{ all []*time.Timer }

func openTimers(n int) delayer { return &timers{make([]*time.Timer, 0, n)} }

func (t *timers) delay(task func(context.Context) error) {
	t.all = append(t.all, time.AfterFunc(time.Hour, func() { _ = task(context.Background()) }))
}

func (t *timers) close() {
	for _, timer := range t.all {
		timer.Stop()
	}
}
