package replica

import (
	"cmp"
	"encoding/json"
	"errors"
	"strconv"
	"strings"
	"time"

	"github.com/riverqueue/river"
	"github.com/riverqueue/river/rivertype"

	"github.com/fxtasks/background/fxtasks"
	"github.com/fxtasks/background/httpapi"
)

// statusOf gives the status as which a state is shown.
func statusOf(state rivertype.JobState) fxtasks.Status {
	switch state {
	case rivertype.JobStateRunning:
		return fxtasks.Running
	case rivertype.JobStateCompleted:
		return fxtasks.Completed
	case rivertype.JobStateCancelled:
		return fxtasks.Cancelled
	case rivertype.JobStateDiscarded:
		return fxtasks.Failed
	}
	return fxtasks.Pending // available, pending, retryable, scheduled
}

// statesOf gives the states that are shown as one of the statuses.
func statesOf(statuses []fxtasks.Status) (states []rivertype.JobState) {
	for _, state := range rivertype.JobStates() {
		for _, status := range statuses {
			if statusOf(state) == status {
				states = append(states, state)
				break
			}
		}
	}
	return states
}

// retention is how long River keeps jobs that have ended; negative: for ever.
type retention map[rivertype.JobState]time.Duration

func retentionOf(rc *river.Config) retention {
	const day = 24 * time.Hour // River's defaults
	return retention{
		rivertype.JobStateCancelled: cmp.Or(rc.CancelledJobRetentionPeriod, day),
		rivertype.JobStateCompleted: cmp.Or(rc.CompletedJobRetentionPeriod, day),
		rivertype.JobStateDiscarded: cmp.Or(rc.DiscardedJobRetentionPeriod, 7*day),
	}
}

// jobOf gives the job of a row as the API shows it.
func jobOf(row *rivertype.JobRow, progress Progress, keep retention) httpapi.Job {
	info := fxtasks.Info{
		Seq:         uint64(row.ID),
		ID:          strconv.FormatInt(row.ID, 10),
		Name:        row.Kind,
		Group:       groupOf(row.Queue),
		Status:      statusOf(row.State),
		Metadata:    shownMetadata(row.Metadata),
		CreatedAt:   row.CreatedAt,
		Attempt:     row.Attempt,
		MaxAttempts: row.MaxAttempts,
		NotBefore:   row.ScheduledAt,
	}
	if row.AttemptedAt != nil {
		info.StartedAt = *row.AttemptedAt
		if progress.AttemptedAt.Equal(*row.AttemptedAt) {
			info.Progress = progress.Progress
		}
	}
	if row.FinalizedAt != nil {
		info.FinishedAt = *row.FinalizedAt
		if period := keep[row.State]; period > 0 {
			info.ExpiresAt = info.FinishedAt.Add(period)
		}
	}
	describeCancel(&info, parseMetadata(row.Metadata))
	describeErrors(&info, row.Errors)

	job := httpapi.Job{Info: info, Args: row.EncodedArgs, Output: row.Output()}
	job.Instance, _ = instanceOf(ownerOf(row))
	for _, e := range row.Errors {
		job.Failures = append(job.Failures, httpapi.JobFailure{At: e.At, Attempt: e.Attempt, Error: e.Error, Stack: e.Trace})
	}
	return job
}

func describeCancel(info *fxtasks.Info, m metadata) {
	if m.CancelAttemptedAt.IsZero() {
		return
	}
	info.CancelRequestedAt, info.CancelCause = m.CancelAttemptedAt, m.Cancel.cause()
}

func describeErrors(info *fxtasks.Info, errs []rivertype.AttemptError) {
	var latest error
	if len(errs) > 0 {
		latest = failureOf(errs[len(errs)-1])
	}
	switch info.Status {
	case fxtasks.Completed:
		return
	case fxtasks.Cancelled:
		info.Err = cmp.Or(info.CancelCause, latest, fxtasks.ErrCancelled)
	case fxtasks.Failed:
		info.Err = latest
		if latest == nil {
			info.Err = errors.New("discarded") // by River's scheduler, for a unique job
		}
	default:
		info.LastErr = latest
	}
	if err := cmp.Or(info.Err, info.LastErr); err != nil {
		info.ErrText = err.Error()
	}
}

// failureOf gives a stored failure as the error that it was: of those, panics have a stack.
func failureOf(e rivertype.AttemptError) error {
	if e.Trace != "" {
		return &fxtasks.PanicError{Value: e.Error, Stack: []byte(e.Trace)}
	}
	return errors.New(e.Error)
}

// shownMetadata gives the user's part of a job's metadata, as far as it is words, numbers and truth values.
func shownMetadata(doc []byte) map[string]string {
	var fields map[string]json.RawMessage
	if json.Unmarshal(doc, &fields) != nil {
		return nil
	}
	shown := make(map[string]string)
	for key, value := range fields {
		if strings.HasPrefix(key, "river:") || strings.HasPrefix(key, "background:") ||
			key == rivertype.MetadataKeyOutput || key == "cancel_attempted_at" {
			continue
		}
		var text string
		switch {
		case json.Unmarshal(value, &text) == nil && string(value) != "null":
			shown[key] = text
		case strings.ContainsAny(string(value[:1]), "{[n"): // an object, a list, null
		default:
			shown[key] = string(value)
		}
	}
	return shown
}
