package riveradapter

import (
	"context"
	"fmt"
	"time"

	"github.com/riverqueue/river/rivertype"

	"github.com/fxtasks/background/fxtasks"
)

// Wait polls, from every 50 ms to every second.
const (
	firstPoll   = 50 * time.Millisecond
	longestPoll = time.Second
)

// Wait blocks until the job has ended, on whichever replica, and gives its row: completed, cancelled or
// discarded. It gives ctx's error if that ends first, and what c.JobGet gives: river.ErrNotFound for a job
// that does not exist, or no longer. It polls.
func Wait(ctx context.Context, c Client, id int64) (*rivertype.JobRow, error) {
	if c == nil {
		return nil, fmt.Errorf("%w: Wait for job %d: the client is nil", fxtasks.ErrInvalid, id)
	}
	for pause := firstPoll; ; pause = min(2*pause, longestPoll) {
		row, err := c.JobGet(ctx, id)
		if err != nil {
			return nil, err
		}
		if row.FinalizedAt != nil {
			return row, nil
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-time.After(pause):
		}
	}
}
