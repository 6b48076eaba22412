package main

import (
	"errors"
	"fmt"
	"time"

	"github.com/fxtasks/background/e2e/soak/checks"
	"github.com/fxtasks/background/fxtasks"
)

// What tasks with a Retry do more often than others. All attempts of a task do the same, each with a luck of its own.
var (
	flaky     = act{name: "fail now and then", play: (*stage).flake}
	punctual  = act{name: "fail at the end of its timeout", play: (*stage).failOnTime}
	hopeless  = act{name: "fail beyond hope", play: func(s *stage) error { return fmt.Errorf("task %d: %w", s.entry.N, checks.ErrHopeless) }}
	permanent = act{name: "fail for good", play: func(s *stage) error {
		return fmt.Errorf("task %d: %w", s.entry.N, fxtasks.Permanent(checks.ErrPermanent))
	}}
)

func (s *stage) flake() error {
	if s.oneIn(3) {
		return nil
	}
	if s.oneIn(2) {
		_ = s.heed()
	}
	if s.oneIn(2) {
		_ = s.report() // which another attempt must not find
	}
	if s.oneIn(10) {
		return fmt.Errorf("attempt %d of task %d: %w", s.attempt, s.entry.N, checks.ErrUnbearable)
	}
	return fmt.Errorf("attempt %d of task %d fails", s.attempt, s.entry.N)
}

// failOnTime fails just when its timeout does, which must not concern the attempt after this one.
func (s *stage) failOnTime() error {
	if end, ok := s.ctx.Deadline(); ok {
		time.Sleep(time.Until(end))
	}
	return fmt.Errorf("attempt %d of task %d was on time", s.attempt, s.entry.N)
}

// retry gives sub a Retry, and something to do for which it is needed if ok allows that.
func (r *round) retry(l luck, sub *submission, ok func(*act) bool) {
	if ok(&flaky) && l.oneIn(2) {
		sub.act = pick(l, &flaky, &flaky, &punctual, &hopeless, &permanent)
		sub.order.Act = sub.act.name
	}
	if sub.act == &punctual {
		sub.order.Timeout = l.upTo(5 * time.Millisecond)
		sub.opts = append(sub.opts, fxtasks.WithTimeout(sub.order.Timeout))
	}
	most := 2 + l.IntN(3)
	wait := pick(l, -1, 0, l.upTo(2*time.Millisecond), l.upTo(20*time.Millisecond), l.upTo(200*time.Millisecond))
	delay, least := func(int) time.Duration { return wait }, wait
	if wait > 0 && l.oneIn(2) {
		delay, least = fxtasks.Backoff(wait, 2*wait), wait/2
	}
	breaks := pick(l, 0, 0, 0, 0, 0, 0, 0, 1+l.IntN(most-1))
	sub.order.Retry = checks.Retry{MaxAttempts: most, Delay: least, BreaksAfter: breaks}
	sub.opts = append(sub.opts, fxtasks.WithRetry(fxtasks.Retry{
		MaxAttempts: most,
		Delay: func(attempt int) time.Duration {
			if attempt < 1 || attempt >= most {
				r.findings.Addf("Retry.Delay is asked for what follows attempt %d of %d", attempt, most)
			}
			if attempt == breaks {
				r.tally.fault("Retry.Delay panics")
				panic(checks.ErrBroken)
			}
			return delay(attempt)
		},
		If: func(err error) bool {
			if errors.Is(err, checks.ErrPermanent) {
				r.findings.Addf("Retry.If is asked about a permanent error")
			}
			if errors.Is(err, checks.ErrUnbearable) {
				r.tally.fault("Retry.If panics")
				panic(checks.ErrBroken)
			}
			return !errors.Is(err, checks.ErrHopeless)
		},
	}))
}
