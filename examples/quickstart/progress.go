package main

import (
	"context"
	"io"

	"github.com/fxtasks/background/fxtasks"
)

// reportEvery is how many bytes are read between two reports: each is an event that all who watch
// the task receive.
const reportEvery = 512 << 10

// meter reports what is read as the progress of ctx's task, and ends reading when ctx ends.
type meter struct {
	ctx      context.Context
	progress fxtasks.Progress
	reported int64 // progress.Current at the last report
}

func newMeter(ctx context.Context, total int64) *meter {
	m := &meter{ctx: ctx, progress: fxtasks.Progress{Total: total, Unit: "bytes"}}
	m.report()
	return m
}

func (m *meter) report() {
	m.reported = m.progress.Current
	fxtasks.ReportProgress(m.ctx, m.progress)
}

// over gives a reader of r that goes through m.
func (m *meter) over(r io.Reader) io.Reader {
	return readerFunc(func(p []byte) (int, error) {
		if m.ctx.Err() != nil {
			return 0, context.Cause(m.ctx)
		}
		n, err := r.Read(p)
		m.progress.Current += int64(n)
		if m.progress.Current-m.reported >= reportEvery {
			m.report()
		}
		return n, err
	})
}

type readerFunc func(p []byte) (int, error)

func (f readerFunc) Read(p []byte) (int, error) { return f(p) }
