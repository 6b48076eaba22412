package replica

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/riverqueue/river"
	"github.com/riverqueue/river/rivertype"

	"github.com/fxtasks/background/httpapi"
	"github.com/fxtasks/background/riveradapter/internal/pgtext"
)

// cancelNote is who cancelled a job, and why.
type cancelNote struct {
	By     string `json:"by,omitempty"`
	Reason string `json:"reason,omitempty"`
}

// cause is what the note is as the cause of a context, and as the API shows it.
func (n cancelNote) cause() error { return httpapi.NewCancellation(n.By, n.Reason) }

// isSnooze reports whether the worker wants to be asked again later.
func isSnooze(err error) bool {
	snooze := (*rivertype.JobSnoozeError)(nil)
	return errors.As(err, &snooze)
}

// retried is a failure that another attempt follows, for the task's log line. River is told of what it holds.
type retried struct{ error }

func (r retried) Unwrap() error   { return r.error }
func (retried) RetriedElsewhere() {}

// forTask gives err, marked if River is going to try again.
func forTask(row *rivertype.JobRow, err error) error {
	cancelled := (*rivertype.JobCancelError)(nil)
	if err == nil || row.Attempt >= row.MaxAttempts || errors.As(err, &cancelled) {
		return err
	}
	return retried{err}
}

// reported is an error with a text that can be stored.
type reported struct {
	error
	text string
}

func (e *reported) Error() string { return e.text }
func (e *reported) Unwrap() error { return e.error }

// storable gives err, with another text if its own has a NUL or cannot be had: River reads it where a panic
// would end the process, and writes the results of many jobs in one statement.
func storable(err error) error {
	if err == nil {
		return nil
	}
	text, ok := textOf(err)
	if ok && !strings.Contains(text, "\x00") {
		return err
	}
	return &reported{err, pgtext.Clean(text)}
}

func textOf(err error) (text string, ok bool) {
	defer func() {
		if recover() != nil {
			text, ok = fmt.Sprintf("%T, whose Error panicked", err), false
		}
	}()
	return err.Error(), true
}

// storablePanic gives v, or its text if that has a NUL.
func storablePanic(v any) any {
	if text := fmt.Sprintf("%v", v); strings.Contains(text, "\x00") { // as River prints it
		return pgtext.Clean(text)
	}
	return v
}

// updatesSpy finds the map in which River gathers what a worker adds to its job's metadata: River's functions
// write to it, and none reads it.
type updatesSpy struct {
	context.Context
	found map[string]any
}

func (s *updatesSpy) Value(key any) any {
	v := s.Context.Value(key)
	if updates, ok := v.(map[string]any); ok {
		s.found = updates
	}
	return v
}

// cleanUpdates replaces what cannot be stored of what the worker has added to its job's metadata, recorded output
// included: River writes the results of many jobs in one statement.
func cleanUpdates(ctx context.Context) {
	spy := &updatesSpy{Context: ctx}
	const probe = "background:probe"
	if err := river.MetadataSet(spy, probe, nil); err != nil {
		return // not in a worker
	}
	delete(spy.found, probe)
	for key, value := range spy.found {
		if _, ok := value.(unmarshalable); ok {
			continue
		}
		doc, err := json.Marshal(value)
		switch {
		case err != nil:
			spy.found[key] = pgtext.Clean(err.Error())
		case pgtext.RefusedJSON(doc):
			spy.found[key] = json.RawMessage(pgtext.CleanJSON(doc))
		}
	}
}

// unmarshalable makes River leave a job's row alone: it cannot encode what is to be written.
type unmarshalable struct{}

func (unmarshalable) MarshalJSON() ([]byte, error) {
	return nil, errors.New("the job is no longer this replica's: nothing is written")
}

// abandon keeps River from writing what the attempt of ctx has returned.
func abandon(ctx context.Context) { _ = river.MetadataSet(ctx, "background:lost", unmarshalable{}) }
