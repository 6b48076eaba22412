package httpapi

import (
	"context"
	"encoding/json"
	"time"

	"github.com/fxtasks/background/fxtasks"
)

// Jobs stands in for the real one.
type Jobs interface {
	Job(ctx context.Context, id string) (Job, error)
	List(ctx context.Context, f JobFilter) (JobPage, error)
	Counts(ctx context.Context) (map[fxtasks.Status]int, error)
	Cancel(ctx context.Context, id, by, reason string) (Job, error)
	Retry(ctx context.Context, id string) (Job, error)
}

// Job stands in for the real one.
type Job struct {
	Info     fxtasks.Info
	Args     json.RawMessage
	Output   json.RawMessage
	Instance string
	Failures []JobFailure
}

// JobFailure stands in for the real one.
type JobFailure struct {
	At      time.Time
	Attempt int
	Error   string
	Stack   string
}

// JobFilter stands in for the real one.
type JobFilter struct {
	Statuses      []fxtasks.Status
	Kinds, Queues []string
	Limit         int
	After         string
}

// JobPage stands in for the real one.
type JobPage struct {
	Jobs []Job
	Next string
}

// NewCancellation stands in for the real one.
func NewCancellation(by, reason string) error {
	if reason == "" {
		return fxtasks.ErrCancelled
	}
	return &temporaryCancellation{by, reason}
}

type temporaryCancellation struct{ by, reason string }

func (c *temporaryCancellation) Error() string { return c.reason }
func (c *temporaryCancellation) Unwrap() error { return fxtasks.ErrCancelled }
