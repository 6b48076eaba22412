package httpapi

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"
)

// pollEvery is how often a job is looked at while a client waits for it.
const pollEvery = 250 * time.Millisecond

var errJobsPanicked = errors.New("Config.Jobs panicked")

// AcceptedJob is Accepted for a durable job, whose address works on every replica and after a
// restart. With "Prefer: wait" it asks for the job several times a second. It gives an error, and has
// then not answered, without Config.Jobs and if the job cannot be found.
func (a *API) AcceptedJob(w http.ResponseWriter, r *http.Request, mount, id string) error {
	if a.cfg.Jobs == nil {
		return errors.New("httpapi: Config.Jobs is nil: there are no jobs to answer with")
	}
	wait, asked := preferredWait(r.Header.Values("Prefer"))
	wait = prepareWait(w, r, wait)
	job, err := Job{}, errJobsPanicked
	a.guard("Config.Jobs", func() { job, err = a.cfg.Jobs.Job(r.Context(), id) })
	if err != nil {
		return fmt.Errorf("httpapi: job %q: %w", id, err)
	}
	if asked && !job.Info.Status.Finished() {
		job = a.awaitJob(r, job, wait)
	}
	body := a.jobBody(r, mount, &job)
	writeAccepted(w, body.Links.Self, body.Done, asked, wait, body)
	return nil
}

// awaitJob gives the job once it has ended or the wait has. A look that fails is no reason to say that
// the job was not accepted: the next one may succeed.
func (a *API) awaitJob(r *http.Request, job Job, wait time.Duration) Job {
	ctx, cancel := context.WithTimeout(r.Context(), wait)
	defer cancel()
	poll := time.NewTicker(pollEvery)
	defer poll.Stop()
	for !job.Info.Status.Finished() {
		select {
		case <-poll.C:
			a.guard("Config.Jobs", func() {
				if now, err := a.cfg.Jobs.Job(ctx, job.Info.ID); err == nil {
					job = now
				}
			})
		case <-ctx.Done():
			return job
		case <-a.streams.closing:
			return job
		}
	}
	return job
}
