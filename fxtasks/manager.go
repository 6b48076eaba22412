package fxtasks

import (
	"context"

	"go.uber.org/zap"
)

// Submitter is what takes tasks: a *Manager or a *Group.
type Submitter interface {
	// Submit is described at Manager.Submit.
	Submit(ctx context.Context, name string, fn Func, opts ...TaskOption) (*Task, error)
}

// Manager runs tasks and keeps account of them. It is made by New, needs no start, and is ended by
// Shutdown. Its methods may be called by any number of goroutines.
type Manager struct {
	// Written by New, only read after.
	cfg        Config
	log        *zap.Logger // never nil
	middleware []Middleware
	reg        *registry
	ungrouped  *Group // of the tasks that are submitted to the manager itself
}

// New makes a Manager that is open for tasks. A bad Config or option is an error that matches
// ErrInvalid and names the field and its value. It starts no goroutine.
func New(cfg Config, opts ...Option) (*Manager, error) {
	if err := cfg.validate(); err != nil {
		return nil, err
	}
	var o options
	for i, opt := range opts {
		if opt == nil {
			return nil, invalid("option %d is nil", i)
		}
		opt(&o)
	}
	for i, mw := range o.middleware {
		if mw == nil {
			return nil, invalid("WithMiddleware: middleware %d is nil", i)
		}
	}
	if o.log == nil {
		o.log = zap.NewNop()
	}
	cfg = cfg.withDefaults()
	m := &Manager{
		cfg:        cfg,
		log:        o.log,
		middleware: o.middleware,
		reg:        newRegistry(cfg),
	}
	m.ungrouped = newGroup(m, "", GroupConfig{})
	m.reg.groups = []*Group{m.ungrouped}
	return m, nil
}

// Config gives the manager's configuration with its defaults filled in.
func (m *Manager) Config() Config { return m.cfg }

// State tells whether the manager takes tasks, drains, or has stopped.
func (m *Manager) State() State {
	m.reg.lock()
	defer m.reg.mu.Unlock()
	return m.reg.all.state
}

// Task finds the task that has the ID: an active one, or a finished one that is still retained.
func (m *Manager) Task(id string) (*Task, bool) { return m.reg.task(id) }

// Wait blocks until no task is pending or running, and gives ctx's error if ctx ends first. A
// task of this manager that calls it with its own context gets ErrInvalid.
func (m *Manager) Wait(ctx context.Context) error {
	if err := m.checkWait(ctx, anyTask); err != nil {
		return err
	}
	return m.reg.awaitIdle(ctx, &m.reg.all)
}
