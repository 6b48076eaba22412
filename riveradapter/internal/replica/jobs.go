package replica

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"

	"github.com/riverqueue/river"
	"github.com/riverqueue/river/rivertype"

	"github.com/fxtasks/background/fxtasks"
	"github.com/fxtasks/background/httpapi"
	"github.com/fxtasks/background/riveradapter/internal/pgtext"
)

const (
	defaultLimit = 100
	maxLimit     = 1000
)

// jobs is the replica's httpapi.Jobs.
type jobs[TTx any] struct{ r *Replica[TTx] }

// Job gives one job, or fxtasks.ErrNotFound.
func (j jobs[TTx]) Job(ctx context.Context, id string) (httpapi.Job, error) {
	row, err := j.row(ctx, id)
	if err != nil {
		return httpapi.Job{}, err
	}
	return j.one(ctx, row)
}

func (j jobs[TTx]) row(ctx context.Context, id string) (*rivertype.JobRow, error) {
	n, err := strconv.ParseInt(id, 10, 64)
	if err != nil || n <= 0 || strconv.FormatInt(n, 10) != id {
		return nil, fmt.Errorf("%w: job %q", fxtasks.ErrNotFound, id)
	}
	row, err := j.r.reader.JobGet(ctx, n)
	return row, found(id, err)
}

// found says in the engine's words that a job does not exist.
func found(id string, err error) error {
	if errors.Is(err, river.ErrNotFound) {
		return fmt.Errorf("%w: job %q", fxtasks.ErrNotFound, id)
	}
	return err
}

// List gives a page of jobs, the newest first.
func (j jobs[TTx]) List(ctx context.Context, f httpapi.JobFilter) (httpapi.JobPage, error) {
	states := statesOf(f.Statuses)
	if len(f.Statuses) > 0 && len(states) == 0 {
		return httpapi.JobPage{}, nil // a job never times out
	}
	limit := f.Limit
	if limit <= 0 {
		limit = defaultLimit
	}
	limit = min(limit, maxLimit)
	params := river.NewJobListParams().
		OrderBy(river.JobListOrderByID, river.SortOrderDesc).
		States(states...). // none: no filter, where the default would name them all
		Kinds(f.Kinds...).
		Queues(f.Queues...).
		First(limit + 1) // one more, to know whether there is a next page
	if f.After != "" {
		last, err := strconv.ParseInt(f.After, 10, 64)
		if err != nil || last <= 0 {
			return httpapi.JobPage{}, fmt.Errorf("%w: JobFilter.After is %.40q: no page ends there", fxtasks.ErrInvalid, f.After)
		}
		params = params.After(river.JobListCursorFromJob(&rivertype.JobRow{ID: last}))
	}
	result, err := j.r.reader.JobList(ctx, params)
	if err != nil {
		return httpapi.JobPage{}, err
	}
	rows := result.Jobs
	var page httpapi.JobPage
	if len(rows) > limit {
		rows = rows[:limit]
		page.Next = strconv.FormatInt(rows[limit-1].ID, 10)
	}
	page.Jobs, err = j.many(ctx, rows)
	return page, err
}

// Cancel asks a job to end, for good. by and reason are shown with it, and a running one ends with the reason
// as its context's cause.
func (j jobs[TTx]) Cancel(ctx context.Context, id, by, reason string) (httpapi.Job, error) {
	row, err := j.row(ctx, id)
	if err != nil {
		return httpapi.Job{}, err
	}
	if row.FinalizedAt != nil {
		job, err := j.one(ctx, row)
		return job, errors.Join(err, fmt.Errorf("%w: job %q", fxtasks.ErrFinished, id))
	}
	note, err := json.Marshal(cancelNote{By: pgtext.Clean(by), Reason: pgtext.Clean(reason)})
	if err != nil {
		return httpapi.Job{}, err
	}
	if err := j.r.db.NoteCancel(ctx, row.ID, note); err != nil {
		return httpapi.Job{}, err
	}
	if row, err = j.r.client.JobCancel(ctx, row.ID); err != nil {
		return httpapi.Job{}, found(id, err)
	}
	return j.one(ctx, row)
}

// Retry makes a job available now that has ended, or waits.
func (j jobs[TTx]) Retry(ctx context.Context, id string) (httpapi.Job, error) {
	row, err := j.row(ctx, id)
	if err != nil {
		return httpapi.Job{}, err
	}
	if row.State != rivertype.JobStateRunning {
		if row, err = j.r.client.JobRetry(ctx, row.ID); err != nil {
			return httpapi.Job{}, found(id, err)
		}
	}
	job, err := j.one(ctx, row)
	if row.State == rivertype.JobStateRunning {
		return job, errors.Join(err, fmt.Errorf("%w: job %q", fxtasks.ErrStillRunning, id))
	}
	return job, err
}

// Counts tells how many jobs there are by status. It is a few seconds old at most.
func (j jobs[TTx]) Counts(ctx context.Context) (map[fxtasks.Status]int, error) {
	return j.r.counts.get(ctx, j.r.db.Counts)
}

func (j jobs[TTx]) one(ctx context.Context, row *rivertype.JobRow) (httpapi.Job, error) {
	list, err := j.many(ctx, []*rivertype.JobRow{row})
	if err != nil {
		return httpapi.Job{}, err
	}
	return list[0], nil
}

// many gives the jobs of the rows, with their progress.
func (j jobs[TTx]) many(ctx context.Context, rows []*rivertype.JobRow) ([]httpapi.Job, error) {
	ids := make([]int64, 0, len(rows))
	for _, row := range rows {
		if row.AttemptedAt != nil {
			ids = append(ids, row.ID)
		}
	}
	progress := make(map[int64]Progress)
	if len(ids) > 0 {
		reports, err := j.r.db.ProgressOf(ctx, ids)
		if err != nil {
			return nil, err
		}
		for _, report := range reports {
			progress[report.JobID] = report
		}
	}
	list := make([]httpapi.Job, len(rows))
	for i, row := range rows {
		list[i] = jobOf(row, progress[row.ID], j.r.retention)
	}
	return list, nil
}
