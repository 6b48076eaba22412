package httpapi

import (
	"context"
	"encoding/json"
	"time"

	"github.com/fxtasks/background/fxtasks"
)

// Jobs is work that outlives the process, of all replicas. Package riveradapter has one. Errors are
// answered as RefusalOf says, so a bad page token should match fxtasks.ErrInvalid.
type Jobs interface {
	// Job gives a job, or fxtasks.ErrNotFound.
	Job(ctx context.Context, id string) (Job, error)
	// List gives a page of jobs, the newest first.
	List(ctx context.Context, f JobFilter) (JobPage, error)
	// Counts gives how many jobs there are in each status.
	Counts(ctx context.Context) (map[fxtasks.Status]int, error)
	// Cancel asks a job to end, and does not wait until it has. by is the caller. It gives the Job
	// and fxtasks.ErrFinished for one that has ended.
	Cancel(ctx context.Context, id, by, reason string) (Job, error)
	// Retry runs a job that has ended, or that waits for its next attempt, now. It gives
	// fxtasks.ErrStillRunning for one that runs.
	Retry(ctx context.Context, id string) (Job, error)
}

// Job is a durable job at one moment.
type Job struct {
	// Info is the job as a task: its Name is the kind, and its Group "jobs/" and the queue. It is
	// never TimedOut.
	Info     fxtasks.Info
	Args     json.RawMessage
	Output   json.RawMessage
	Instance string       // of the replica that runs it, or ran it last
	Failures []JobFailure // the oldest first
}

// JobFailure is an attempt of a job that failed.
type JobFailure struct {
	At      time.Time
	Attempt int
	Error   string
	Stack   string
}

// JobFilter says which jobs are wanted; all of it must match.
type JobFilter struct {
	Statuses      []fxtasks.Status // any of them; none: all
	Kinds, Queues []string         // likewise
	Limit         int              // from 1 to 1,000
	After         string           // JobPage.Next of the page before
}

// JobPage is a page of jobs. Next is "" at the end.
type JobPage struct {
	Jobs []Job
	Next string
}
