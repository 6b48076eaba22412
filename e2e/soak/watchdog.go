package main

import (
	"context"
	"time"
)

// watchdog calls bark, once, when beats has stood still for so long, unless ctx ends before.
func watchdog(ctx context.Context, beats func() uint64, still time.Duration, bark func()) {
	last, since := beats(), time.Now()
	for {
		select {
		case <-ctx.Done():
			return
		case <-time.After(still / 30):
		}
		if now := beats(); now != last {
			last, since = now, time.Now()
		}
		if time.Since(since) >= still {
			bark()
			return
		}
	}
}
