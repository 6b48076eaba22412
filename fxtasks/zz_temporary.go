package fxtasks

import (
	"context"
	"errors"
	"time"
)

// Run stands in for the engine's.
func (m *Manager) Run(ctx context.Context, name string, fn Func, opts ...TaskOption) error {
	return runIn(ctx, m.Submit, name, fn, opts)
}

// Run stands in for the engine's.
func (g *Group) Run(ctx context.Context, name string, fn Func, opts ...TaskOption) error {
	return runIn(ctx, g.Submit, name, fn, opts)
}

func runIn(ctx context.Context, submit func(context.Context, string, Func, ...TaskOption) (*Task, error),
	name string, fn Func, opts []TaskOption) (err error) {
	began, ended := make(chan context.Context, 1), make(chan error, 1)
	t, err := submit(ctx, name, func(ctx context.Context) error {
		began <- ctx
		return <-ended
	}, opts...)
	if err != nil {
		return err
	}
	stop := context.AfterFunc(ctx, func() { t.Cancel(context.Cause(ctx)) })
	defer stop()
	var own context.Context
	select {
	case own = <-began:
	case <-t.Done():
		return t.Err()
	}
	returned := errors.New("panicked")
	defer func() {
		ended <- returned
		<-t.Done()
	}()
	returned = fn(own)
	return returned
}

// StartDrain stands in for the engine's.
func (m *Manager) StartDrain(ctx context.Context) time.Time {
	deadline := time.Now().Add(m.cfg.ShutdownTimeout)
	if end, ok := ctx.Deadline(); ok && end.Add(-m.cfg.StopReserve).Before(deadline) {
		deadline = end.Add(-m.cfg.StopReserve)
	}
	go func() {
		ctx, cancel := context.WithDeadline(context.Background(), deadline)
		defer cancel()
		_, _ = m.Shutdown(ctx)
	}()
	return deadline
}

// Schedule stands in for the engine's.
type Schedule interface {
	Next(after time.Time) time.Time
}

type every time.Duration

func (e every) Next(after time.Time) time.Time {
	d := time.Duration(e)
	return time.Unix(0, (after.UnixNano()/int64(d)+1)*int64(d)).UTC()
}

// Every stands in for the engine's.
func Every(d time.Duration) Schedule { return every(d) }
