package replica

import (
	"context"
	"sync"
	"time"
)

// lease is the proof that a replica is alive and its jobs are its own, and how old it is.
type lease struct {
	mu sync.Mutex // protects what follows

	renewedAt time.Time
	renewed   chan struct{} // closed at the next renewal
}

func newLease() *lease { return &lease{renewed: make(chan struct{})} }

// renew says that the proof was given by something that began then.
func (l *lease) renew(began time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.renewedAt = began
	close(l.renewed)
	l.renewed = make(chan struct{})
}

// age is how old the proof is. The monotonic clock stands still while a machine is suspended, and the wall
// clock can be set back: the longer of the two counts.
func (l *lease) age() time.Duration {
	l.mu.Lock()
	at := l.renewedAt
	l.mu.Unlock()
	now := time.Now()
	return max(now.Sub(at), now.Round(0).Sub(at.Round(0)))
}

// await blocks until the lease has been renewed, or ctx has ended.
func (l *lease) await(ctx context.Context) error {
	l.mu.Lock()
	renewed := l.renewed
	l.mu.Unlock()
	select {
	case <-renewed:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
