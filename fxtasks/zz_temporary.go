package fxtasks

import (
	"context"
	"errors"
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
