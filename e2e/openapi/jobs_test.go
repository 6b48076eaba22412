package openapi_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/fxtasks/background/fxtasks"
	"github.com/fxtasks/background/httpapi"
)

// jobs are durable jobs, one of each kind, by ID.
type jobs map[string]httpapi.Job

func someJobs() jobs {
	now := time.Now()
	return jobs{
		"1": {Info: fxtasks.Info{ID: "1", Name: "render", Group: "jobs/default", Status: fxtasks.Failed, Err: errReport, CreatedAt: now, StartedAt: now, FinishedAt: now},
			Args: json.RawMessage(`{"page": 7}`), Output: json.RawMessage(`[1, null]`), Instance: "host-1",
			Failures: []httpapi.JobFailure{{At: now, Attempt: 1, Error: "no paper", Stack: "main.go:7"}}},
		"2": {Info: fxtasks.Info{ID: "2", Name: "render", Group: "jobs/default", Status: fxtasks.Running, CreatedAt: now, StartedAt: now}, Args: json.RawMessage(`7`)},
		"3": {Info: fxtasks.Info{ID: "3", Name: "render", Group: "jobs/slow", Status: fxtasks.Pending, CreatedAt: now}},
	}
}

func (all jobs) Job(_ context.Context, id string) (httpapi.Job, error) {
	switch id {
	case "away":
		return httpapi.Job{}, errors.New("no connection")
	case "slow":
		return httpapi.Job{}, context.DeadlineExceeded
	}
	job, ok := all[id]
	if !ok {
		return job, fxtasks.ErrNotFound
	}
	return job, nil
}

func (all jobs) List(_ context.Context, f httpapi.JobFilter) (page httpapi.JobPage, err error) {
	switch f.After {
	case "":
	case "away":
		return page, errors.New("no connection")
	case "slow":
		return page, context.DeadlineExceeded
	default:
		return page, fmt.Errorf("%w: page token %q is malformed", fxtasks.ErrInvalid, f.After)
	}
	for _, job := range all {
		page.Jobs = append(page.Jobs, job)
	}
	return page, nil
}

func (all jobs) Counts(context.Context) (map[fxtasks.Status]int, error) {
	return map[fxtasks.Status]int{fxtasks.Pending: 1, fxtasks.Running: 1, fxtasks.Failed: 1}, nil
}

func (all jobs) Cancel(ctx context.Context, id, by, reason string) (httpapi.Job, error) {
	job, err := all.Job(ctx, id)
	if err == nil && job.Info.Status.Finished() {
		return job, fxtasks.ErrFinished
	}
	job.Info.CancelRequestedAt, job.Info.CancelCause = time.Now(), httpapi.NewCancellation(by, reason)
	return job, err
}

func (all jobs) Retry(ctx context.Context, id string) (httpapi.Job, error) {
	job, err := all.Job(ctx, id)
	if err == nil && job.Info.Status == fxtasks.Running {
		return job, fxtasks.ErrStillRunning
	}
	job.Info.Status, job.Info.Err, job.Info.FinishedAt = fxtasks.Pending, nil, time.Time{}
	return job, err
}

func checkJobs(t *testing.T, m *fxtasks.Manager, seen map[answer]bool) {
	c := newChecker(t, m, httpapi.Config{AllowUnauthenticated: true, Jobs: someJobs(), Caller: func(*http.Request) string { return "ann" }}, seen)
	for query, status := range map[string]int{"": 200, "?status=failed&kind=a&kind=b&queue=c&page_size=7": 200, "?page_token=x": 400, "?status=lost": 400, "?name=x": 400,
		"?page_token=away": 500, "?page_token=slow": 503} {
		c.check(t, "GET", "/jobs"+query, "", nil, status)
	}
	for id, status := range map[string]int{"1": 200, "2": 200, "3": 200, "4": 404, "away": 500, "slow": 503} {
		r := c.check(t, "GET", "/jobs/"+id, "", nil, status)
		if status == http.StatusOK {
			c.check(t, "GET", "/jobs/"+id, "", http.Header{"If-None-Match": {r.header.Get("ETag")}}, http.StatusNotModified)
		}
	}
	for id, status := range map[string]int{"1": 200, "2": 202, "4": 404, "away": 500, "slow": 503} {
		c.check(t, "DELETE", "/jobs/"+id, `{"reason": "no longer wanted"}`, nil, status)
	}
	c.check(t, "DELETE", "/jobs/2", `{"reason": 1}`, nil, http.StatusBadRequest)
	c.check(t, "DELETE", "/jobs/2", `{"reason": "`+large+`"}`, nil, http.StatusRequestEntityTooLarge)
	c.check(t, "DELETE", "/jobs/2", "", http.Header{"Sec-Fetch-Site": {"cross-site"}}, http.StatusForbidden)
	for id, status := range map[string]int{"1": 202, "2": 409, "3": 202, "4": 404, "away": 500, "slow": 503} {
		c.check(t, "POST", "/jobs/"+id+"/retry", "", nil, status)
	}
	c.check(t, "POST", "/jobs/1/retry", "", http.Header{"Sec-Fetch-Site": {"cross-site"}}, http.StatusForbidden)
	c.check(t, "GET", "/jobs?status=failed", "", nil, http.StatusOK)
}
