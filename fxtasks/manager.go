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

// Manager runs tasks and keeps records of them. It is made by New, needs no start, and is ended by
// Shutdown. Its methods may be called by any number of goroutines.
type Manager struct {
	// Written by New, only read after.
	cfg        Config
	log        *zap.Logger // for the engine's own lines; nil: none
	userLog    *zap.Logger // for tasks; never nil
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
	cfg = cfg.withDefaults()
	m := &Manager{
		cfg:        cfg,
		userLog:    zap.NewNop(),
		middleware: o.middleware,
		reg:        newRegistry(cfg),
	}
	if o.log != nil {
		m.log, m.userLog = engineLogger(o.log), o.log
	}
	m.ungrouped = newGroup(m, "", GroupConfig{})
	m.reg.groups = []*Group{m.ungrouped}
	return m, nil
}

// Config returns the manager's configuration with its defaults filled in.
func (m *Manager) Config() Config { return m.cfg }

// State reports whether the manager takes tasks, drains, or has stopped. It drains from StartDrain on.
func (m *Manager) State() State {
	cs := m.reg.enter()
	defer cs.leave()
	return cs.r.all.state
}

// Task finds the task that has the ID: an active one, or a finished one that is still retained.
func (m *Manager) Task(id string) (*Task, bool) {
	cs := m.reg.enter()
	defer cs.leave()
	t := cs.r.find(id)
	return t, t != nil
}
