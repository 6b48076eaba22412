package fxtasks

import (
	"container/list"
	"context"
	"sync/atomic"
)

// Group is a part of a manager's tasks with limits of its own, on top of the manager's. It takes
// tasks as a manager does, and can be awaited and shut down by itself. Its methods may be called
// by any number of goroutines.
type Group struct {
	// Written before the group is published, only read after.
	m    *Manager
	name string

	defaults taskOptions // of the tasks that are submitted without any

	open atomic.Bool // takes tasks; changed by drain, with the registry's mutex held

	scope // protected by the registry's mutex, like what follows

	pending  taskList  // by seq
	resuming list.List // of *Task: those that have finished waiting and want their slots back
	blocked  list.List // of *submission, by ticket
}

func newGroup(m *Manager, name string, cfg GroupConfig) *Group {
	cfg = cfg.withManager(m.cfg)
	g := &Group{
		m:        m,
		name:     name,
		defaults: taskOptions{timeout: cfg.TaskTimeout, grace: cfg.DrainGrace},
		scope:    newScope(cfg.MaxRunning, cfg.MaxPending),
	}
	g.open.Store(true)
	return g
}

// Group makes the group of that name, which follows the rule for the names of tasks. A manager is
// meant to have few groups: they are never freed. A bad name or config, and a name that a group has
// already, also one that was shut down, is an error that matches ErrInvalid. It gives
// ErrShuttingDown once Shutdown has begun.
func (m *Manager) Group(name string, cfg GroupConfig) (*Group, error) {
	if err := checkLabel("group name", name); err != nil {
		return nil, err
	}
	if err := cfg.validate(); err != nil {
		return nil, err
	}
	g := newGroup(m, name, cfg)
	r := m.reg
	r.lock()
	defer r.mu.Unlock()
	if r.all.state != Open {
		return nil, ErrShuttingDown
	}
	if r.groupsBy[name] != nil {
		return nil, invalid("group name %q is taken", name)
	}
	r.groupsBy[name] = g
	r.groups = append(r.groups, g)
	return g, nil
}

// Name gives the group's name.
func (g *Group) Name() string { return g.name }

// Submit is described at Manager.Submit; the group's limits come on top of the manager's.
func (g *Group) Submit(ctx context.Context, name string, fn Func, opts ...TaskOption) (*Task, error) {
	return g.m.submit(ctx, g, name, fn, opts)
}

// Stats counts the group's tasks.
func (g *Group) Stats() Counts {
	g.m.reg.lock()
	defer g.m.reg.mu.Unlock()
	return g.counts
}

// Wait blocks until none of the group's tasks is pending or running, and gives ctx's error if ctx
// ends first. A task of this group that calls it with its own context gets ErrInvalid.
func (g *Group) Wait(ctx context.Context) error {
	if err := g.m.checkWait(ctx, g.has); err != nil {
		return err
	}
	return g.m.reg.awaitIdle(ctx, &g.scope)
}

// Shutdown closes the group for new tasks and drains those it has, as Manager.Shutdown does for
// all. The manager and its other groups go on.
func (g *Group) Shutdown(ctx context.Context) (ShutdownReport, error) {
	return g.m.shutdown(ctx, g)
}

func (g *Group) has(t *Task) bool { return t.group == g }
