package fxtasks

import (
	"context"
	"sync/atomic"

	"github.com/fxtasks/background/fxtasks/internal/ordered"
)

// Group is a part of a manager's tasks with limits of its own, on top of the manager's. It takes
// tasks as a manager does, and can be awaited and shut down by itself. Its methods may be called
// by any number of goroutines.
type Group struct {
	// Written before the group is published, only read after.
	m        *Manager
	name     string
	cfg      GroupConfig
	defaults taskOptions // of the tasks that are submitted without any

	open atomic.Bool // takes quick submits; changed in a section

	_ cacheLine

	// Protected by the registry's mutex.
	limits
	turn       uint64               // of the first in queue; noTurn: the queue is empty
	queue      ordered.Table[*Task] // pending tasks that may start, by turn
	successors map[*Task]struct{}   // pending tasks that wait until the one they replace has returned
	readyIndex int                  // index in registry.ready; -1: not there
	blocked    blockedQueues        // submits that wait for room

	awaitedQueue      ordered.Table[*Task] // the tasks of queue that another task waits for
	awaitedBy         []*wait              // waits of tasks for the end of the whole group
	roomAwaitedBy     []*wait              // waits of tasks for room in the queue
	waitingTasks      []*Task              // tasks of the group that wait
	readyAwaitedIndex int                  // index in registry.readyAwaited; -1: not there

	closed       bool           // Shutdown has begun
	clock        *drainClock    // of Shutdown, unless the manager's runs
	neverStarted map[string]int // tasks that the shutdown cancelled before they started, by name
}

func newGroup(m *Manager, name string, cfg GroupConfig) *Group {
	cfg = cfg.withManager(m.cfg)
	g := &Group{
		m:                 m,
		name:              name,
		cfg:               cfg,
		defaults:          taskOptions{timeout: max(cfg.TaskTimeout, 0), grace: max(cfg.DrainGrace, 0)},
		limits:            newLimits(cfg.MaxRunning, cfg.MaxPending),
		turn:              noTurn,
		readyIndex:        -1,
		readyAwaitedIndex: -1,
		blocked:           newBlockedQueues(),
	}
	g.open.Store(true)
	return g
}

// Group makes the group of that name, which follows the rule for the names of tasks. A manager is
// meant to have few groups: they are never freed. A bad name or config, and a name that a group has
// already, also one that was shut down, is an error that matches ErrInvalid. It returns
// ErrShuttingDown once the shutdown has begun.
func (m *Manager) Group(name string, cfg GroupConfig) (*Group, error) {
	if err := checkName("group name", name); err != nil {
		return nil, err
	}
	if err := cfg.validate(); err != nil {
		return nil, err
	}
	g := newGroup(m, name, cfg)
	cs := m.reg.enter()
	defer cs.leave()
	if cs.r.all.state != Open {
		return nil, ErrShuttingDown
	}
	if cs.r.groupsBy[name] != nil {
		return nil, invalid("group name %q is taken", name)
	}
	cs.r.groupsBy[name] = g
	cs.r.groups = append(cs.r.groups, g)
	return g, nil
}

// Groups returns the manager's groups in order of creation, also those that have been shut down.
func (m *Manager) Groups() []*Group {
	cs := m.reg.enter()
	defer cs.leave()
	return append([]*Group(nil), cs.r.groups[1:]...) // less the one for tasks of no group
}

// Name returns the group's name.
func (g *Group) Name() string { return g.name }

// Config returns the configuration in force, with the durations that it leaves to the manager filled in.
func (g *Group) Config() GroupConfig { return g.cfg }

// State reports whether the group takes tasks, drains, or has stopped, by its own shutdown or its manager's.
func (g *Group) State() State {
	cs := g.m.reg.enter()
	defer cs.leave()
	return max(g.state, cs.r.all.state)
}

// Submit is described at Manager.Submit; the group's limits come on top of the manager's.
func (g *Group) Submit(ctx context.Context, name string, fn Func, opts ...TaskOption) (*Task, error) {
	return g.m.submit(ctx, g, name, fn, opts)
}

// Stats counts the group's tasks.
func (g *Group) Stats() Counts {
	cs := g.m.reg.enter()
	defer cs.leave()
	return g.counts
}

// Wait blocks until none of the group's tasks is pending or running, and returns ctx's error if ctx
// ends first. A task of this group that calls it with its own context gets ErrInvalid, and so does
// one that a task of the group waits for.
func (g *Group) Wait(ctx context.Context) error {
	return g.m.waitFor(ctx, wait{group: g})
}

// CancelAll is Manager.CancelAll for the group's tasks.
func (g *Group) CancelAll(ctx context.Context, cause error) error {
	return g.m.cancelAll(ctx, g, cause)
}

// Shutdown closes the group for new tasks and drains those it has, as Manager.Shutdown does for
// all. The manager and its other groups go on.
func (g *Group) Shutdown(ctx context.Context) (ShutdownReport, error) {
	return g.m.shutdown(ctx, g)
}

func (g *Group) has(t *Task) bool { return t.group == g }
