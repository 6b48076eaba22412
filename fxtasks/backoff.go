package fxtasks

import (
	"math/rand/v2"
	"time"
)

// Backoff returns a Retry.Delay that waits longer after each attempt: first after attempt 1, then twice as
// long each time, up to longest. Each delay is random, between half of that and all of it, so that tasks
// that failed together are not all retried together. If longest is less than first, it takes the place of
// first. A first or longest of zero or less means no delay.
//
// The function that it returns is safe for concurrent use.
func Backoff(first, longest time.Duration) func(attempt int) time.Duration {
	first, longest = max(first, 0), max(longest, 0)
	return func(attempt int) time.Duration {
		doublings := max(attempt, 1) - 1
		full := longest
		if first <= longest>>doublings { // else first<<doublings is longer, or overflows
			full = first << doublings
		}
		half := full / 2
		return half + rand.N(full-half+1)
	}
}
