package replica

import (
	"context"
	"maps"
	"sync"
	"time"

	"github.com/riverqueue/river/rivertype"

	"github.com/fxtasks/background/fxtasks"
)

const countsAge = 5 * time.Second

// countsCache keeps the counts for a while: they take 200 ms where there are a million jobs.
type countsCache struct {
	once sync.Once
	busy chan struct{} // held by who counts; a mutex would not heed a context

	// Protected by busy.
	at     time.Time
	counts map[fxtasks.Status]int
}

func (c *countsCache) get(ctx context.Context, count func(context.Context) (map[rivertype.JobState]int, error)) (map[fxtasks.Status]int, error) {
	c.once.Do(func() { c.busy = make(chan struct{}, 1) })
	select {
	case c.busy <- struct{}{}:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	defer func() { <-c.busy }()
	if c.counts == nil || time.Since(c.at) >= countsAge {
		states, err := count(ctx)
		if err != nil {
			return nil, err
		}
		c.counts = make(map[fxtasks.Status]int)
		for state, n := range states {
			c.counts[statusOf(state)] += n
		}
		c.at = time.Now()
	}
	return maps.Clone(c.counts), nil
}
