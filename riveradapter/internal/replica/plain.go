package replica

import (
	"context"

	"github.com/riverqueue/river"
	"github.com/riverqueue/river/rivertype"
)

// plainClient is a riveradapter.Client that reads where reading holds up no work.
type plainClient[TTx any] struct {
	*river.Client[TTx]
	reader *river.Client[TTx]
}

func (c plainClient[TTx]) JobGet(ctx context.Context, id int64) (*rivertype.JobRow, error) {
	return c.reader.JobGet(ctx, id)
}

func (c plainClient[TTx]) JobList(ctx context.Context, params *river.JobListParams) (*river.JobListResult, error) {
	return c.reader.JobList(ctx, params)
}
