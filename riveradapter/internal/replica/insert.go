package replica

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/riverqueue/river/rivertype"

	"github.com/fxtasks/background/fxtasks"
	"github.com/fxtasks/background/riveradapter/internal/pgtext"
)

// carriedKey is the key in a job's metadata of what a Propagator carries from the insert to the attempts.
const carriedKey = "background:carried"

// InsertMany adds what is carried to the jobs that are inserted, and refuses what PostgreSQL cannot store:
// SQLite could, and the same application would then fail on the other database.
func (r *Replica[TTx]) InsertMany(ctx context.Context, jobs []*rivertype.JobInsertParams,
	doInner func(context.Context) ([]*rivertype.JobInsertResult, error)) ([]*rivertype.JobInsertResult, error) {
	if r.propagator != nil {
		if carried := r.propagator.Inject(ctx); len(carried) > 0 {
			for _, job := range jobs {
				doc, err := addToMetadata(job.Metadata, carriedKey, carried)
				if err != nil {
					return nil, fmt.Errorf("riveradapter: job of kind %q: %w", job.Kind, err)
				}
				job.Metadata = doc
			}
		}
	}
	for _, job := range jobs {
		for _, part := range []struct {
			name string
			doc  []byte
		}{{"args", job.EncodedArgs}, {"metadata", job.Metadata}} {
			if pgtext.RefusedJSON(part.doc) {
				return nil, fmt.Errorf("%w: riveradapter: the %s of a job of kind %q have a NUL or half of a surrogate pair, which PostgreSQL cannot store",
					fxtasks.ErrInvalid, part.name, job.Kind)
			}
		}
	}
	return doInner(ctx)
}

// addToMetadata gives the JSON object doc, or an empty one, with another key.
func addToMetadata(doc []byte, key string, value any) ([]byte, error) {
	fields := make(map[string]json.RawMessage)
	if len(doc) > 0 {
		if err := json.Unmarshal(doc, &fields); err != nil {
			return nil, fmt.Errorf("metadata is no JSON object: %w", err)
		}
	}
	encoded, err := json.Marshal(value)
	if err != nil {
		return nil, err
	}
	fields[key] = encoded
	return json.Marshal(fields)
}
