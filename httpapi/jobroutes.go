package httpapi

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"go.uber.org/zap"

	"github.com/fxtasks/background/fxtasks"
)

type jobListBody struct {
	Jobs          []jobBody      `json:"jobs"`
	NextPageToken string         `json:"next_page_token"`
	Counts        map[string]int `json:"counts"` // by status, of all
}

// jobBody is a job as it leaves: a task, and more.
type jobBody struct {
	taskBody
	Queue    string           `json:"queue"`
	Instance string           `json:"instance,omitempty"`
	Args     json.RawMessage  `json:"args,omitempty"`
	Output   json.RawMessage  `json:"output,omitempty"`
	Failures []jobFailureBody `json:"failures,omitempty"`
}

type jobFailureBody struct {
	At      timestamp `json:"at"`
	Attempt int       `json:"attempt"`
	Error   string    `json:"error"`
	Stack   string    `json:"stack,omitempty"`
}

const queueGroups = "jobs/" // and the queue: the group of a job

// serveJobs answers GET /jobs.
func (a *API) serveJobs(w http.ResponseWriter, r *http.Request, _ string) {
	if !a.mayWatch(w, r) {
		return
	}
	query, ok := parseQuery(w, r, []string{"status", "kind", "queue"}, []string{"page_size", "page_token"})
	if !ok {
		return
	}
	filter := JobFilter{Kinds: query["kind"], Queues: query["queue"], After: query.Get("page_token")}
	var err error
	if filter.Statuses, err = parseStatuses(query); err == nil {
		filter.Limit, err = parsePageSize(query)
	}
	if err != nil {
		badRequest(w, err.Error())
		return
	}
	page, err := a.cfg.Jobs.List(r.Context(), filter)
	if err != nil {
		a.refuseJob(w, r, "", err)
		return
	}
	counts, err := a.cfg.Jobs.Counts(r.Context())
	if err != nil {
		a.refuseJob(w, r, "", err)
		return
	}
	body := jobListBody{Jobs: []jobBody{}, NextPageToken: page.Next, Counts: make(map[string]int)}
	for s := fxtasks.Pending; s <= fxtasks.TimedOut; s++ {
		body.Counts[s.String()] = counts[s]
	}
	for _, job := range page.Jobs {
		if a.allows(r, ActionView, &job.Info) {
			body.Jobs = append(body.Jobs, a.listedJob(mount(r), &job))
		}
	}
	writeJSON(w, jsonType, http.StatusOK, body)
}

// serveJob answers GET /jobs/{id}.
func (a *API) serveJob(w http.ResponseWriter, r *http.Request, id string) {
	if job, ok := a.findJob(w, r, id); ok {
		body := a.jobBody(r, mount(r), &job)
		if (job.Args != nil || job.Output != nil) && a.allows(r, ActionViewResult, &job.Info) {
			body.Args, body.Output = validJSON(job.Args), validJSON(job.Output)
		}
		a.writeState(w, r, http.StatusOK, body.Done, body)
	}
}

// serveCancelJob answers DELETE /jobs/{id}.
func (a *API) serveCancelJob(w http.ResponseWriter, r *http.Request, id string) {
	if !a.writable(w, id) {
		return
	}
	job, ok := a.findJob(w, r, id)
	if !ok || !a.mayChange(w, r, ActionCancel, &job.Info) {
		return
	}
	by, reason, ok := a.readCancel(w, r, id)
	if !ok {
		return
	}
	job, err := a.cfg.Jobs.Cancel(r.Context(), id, by, reason)
	if err != nil && !errors.Is(err, fxtasks.ErrFinished) {
		a.refuseJob(w, r, id, err)
		return
	}
	a.log(r, by, "cancel of a job requested over HTTP", zap.String("job_id", id), zap.String("task_name", job.Info.Name),
		zap.Stringer("status", job.Info.Status), zap.String("reason", reason))
	body := a.jobBody(r, mount(r), &job)
	a.writeState(w, r, cancelStatus(job.Info), body.Done, body)
}

// serveRetry answers POST /jobs/{id}/retry.
func (a *API) serveRetry(w http.ResponseWriter, r *http.Request, id string) {
	if !a.writable(w, id) {
		return
	}
	job, ok := a.findJob(w, r, id)
	if !ok || !a.mayChange(w, r, ActionRun, &job.Info) {
		return
	}
	by, ok := a.caller(w, r)
	if !ok {
		return
	}
	job, err := a.cfg.Jobs.Retry(r.Context(), id)
	if err != nil {
		a.refuseJob(w, r, id, err)
		return
	}
	a.log(r, by, "retry of a job requested over HTTP", zap.String("job_id", id), zap.String("task_name", job.Info.Name))
	body := a.jobBody(r, mount(r), &job)
	w.Header().Set("Location", body.Links.Self)
	a.writeState(w, r, http.StatusAccepted, body.Done, body)
}

// findJob gives the job that has the ID, if the caller may view it; else it answers.
func (a *API) findJob(w http.ResponseWriter, r *http.Request, id string) (Job, bool) {
	job, err := a.cfg.Jobs.Job(r.Context(), id)
	switch {
	case errors.Is(err, fxtasks.ErrNotFound):
		return job, a.mayView(w, r, id, nil)
	case err != nil:
		if a.mayWatch(w, r) { // strangers shall not learn how the database is
			a.refuseJob(w, r, id, err)
		}
		return job, false
	}
	return job, a.mayView(w, r, id, &job.Info)
}

// refuseJob answers with an error of Jobs. What the client is not told is in the log.
func (a *API) refuseJob(w http.ResponseWriter, r *http.Request, id string, err error) {
	refusal := RefusalOf(err)
	if refusal.Status == http.StatusInternalServerError {
		refusal.Detail = "jobs cannot be reached"
		a.guard("Config.Logger", func() {
			a.cfg.Logger.Error("jobs cannot be reached", zap.String("path", requestPath(r)), zap.String("job_id", id), zap.Error(err))
		})
	}
	p := newProblem(refusal.Status, refusal.Detail).about(id)
	p.retryAfter = refusal.RetryAfter
	p.write(w)
}

// jobBody renders a job for the caller of r, without its args and output.
func (a *API) jobBody(r *http.Request, mount string, job *Job) jobBody {
	body := a.newJobBody(mount, job)
	a.addStack(r, body.Error, &job.Info)
	hasStack := false
	for _, failure := range job.Failures {
		hasStack = hasStack || failure.Stack != ""
	}
	if hasStack && a.allows(r, ActionViewStack, &job.Info) {
		for i, failure := range job.Failures {
			body.Failures[i].Stack = failure.Stack
		}
	}
	return body
}

// listedJob renders a job as one of many.
func (a *API) listedJob(mount string, job *Job) jobBody {
	body := a.newJobBody(mount, job)
	body.taskBody = body.cut()
	for i := range body.Failures {
		body.Failures[i].Error = cutText(body.Failures[i].Error)
	}
	return body
}

func (a *API) newJobBody(mount string, job *Job) jobBody {
	info := job.Info
	made := texts{messageOf(info.LastErr), messageOf(info.CancelCause)} // those of jobs are made from what is stored
	if info.ErrText == "" && info.Err != nil {
		info.ErrText = messageOf(info.Err)
	}
	body := jobBody{
		taskBody: a.newTaskBody(mount+"/jobs/", &info, made),
		Queue:    strings.TrimPrefix(job.Info.Group, queueGroups),
		Instance: job.Instance,
	}
	for _, failure := range job.Failures {
		body.Failures = append(body.Failures, jobFailureBody{At: newTimestamp(failure.At), Attempt: failure.Attempt, Error: failure.Error})
	}
	return body
}

// messageOf gives what err says; nil says nothing. Sprint recovers what panics.
func messageOf(err error) string {
	if err == nil {
		return ""
	}
	return fmt.Sprint(err)
}

// validJSON leaves out what is none, which would spoil the whole answer.
func validJSON(data json.RawMessage) json.RawMessage {
	if !json.Valid(data) {
		return nil
	}
	return data
}
