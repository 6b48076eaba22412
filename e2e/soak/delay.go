package main

import (
	"time"

	"github.com/fxtasks/background/fxtasks"
)

// delay makes sub start later: most while the round goes on, and some not before it ends.
func (r *round) delay(l luck, sub *submission) {
	sub.order.Delay = pick(l, 1, l.upTo(3*time.Millisecond), l.upTo(30*time.Millisecond), l.upTo(300*time.Millisecond))
	sub.opts = append(sub.opts, fxtasks.WithDelay(sub.order.Delay))
}
