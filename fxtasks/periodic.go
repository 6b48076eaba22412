package fxtasks

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"time"
)

// Periodic is a task that runs on a schedule. Its methods may be called by any number of goroutines.
type Periodic struct {
	// Never change.
	group    *Group
	name     string
	schedule Schedule
	fn       Func
	opts     []TaskOption

	// Protected by the registry's mutex.
	next          time.Time   // zero: no more runs
	planned       time.Time   // when the schedule gave next, by the clock on the wall
	timer         *time.Timer // fires when next is due, and each minute before, since the clock may have been set
	stopped       bool
	submitting    bool  // a run is about to be submitted
	last          *Task // nil: none has run
	runs, skipped uint64
	lastCompleted time.Time // of the runs before last
}

// PeriodicInfo is what is known about a Periodic at one moment.
type PeriodicInfo struct {
	Name, Group   string
	Next          time.Time // zero: never again
	Runs, Skipped uint64    // Runs includes those of Trigger; Skipped were due and not submitted
	Last          Info      // of the latest run, also while that is active; zero: none yet
	LastCompleted time.Time // when the latest run that completed ended; zero: none yet
}

// Schedule runs fn as a task of that name whenever s says, with the options given. It does not block.
//
// A run that is due while the one before it is active, or that is refused, is skipped, counted and
// logged. After the machine was suspended, or the clock was set forward, one run comes within a minute for all
// that were missed. When the clock is set back, the hours that it shows a second time have their runs a second time.
//
// The schedule ends by Periodic.Stop, or when the shutdown begins. A panic in s.Next, or a time that is not after
// its argument, ends it with an error in the log: it then stays in Periodics with a zero Next.
//
// The name follows the rule of an ID and is unique among the schedules of the manager and its groups. A bad
// name, a nil schedule or function, an Every of 0 or less, and the options WithBlocking, WithDelay and
// WithID are errors that match ErrInvalid. It returns ErrShuttingDown once the shutdown has begun.
func (m *Manager) Schedule(name string, s Schedule, fn Func, opts ...TaskOption) (*Periodic, error) {
	return m.ungrouped.Schedule(name, s, fn, opts...)
}

// Schedule is Manager.Schedule for tasks of the group.
func (g *Group) Schedule(name string, s Schedule, fn Func, opts ...TaskOption) (*Periodic, error) {
	if err := checkSchedule(name, s, fn, opts); err != nil {
		return nil, err
	}
	p := &Periodic{group: g, name: name, schedule: s, fn: fn}
	p.opts = append(slices.Clone(opts), func(o *taskOptions) { o.periodic = p })
	if err := p.register(); err != nil {
		return nil, err
	}
	p.planNext()
	return p, nil
}

func checkSchedule(name string, s Schedule, fn Func, opts []TaskOption) error {
	if err := checkID("schedule name", name); err != nil {
		return err
	}
	if s == nil {
		return invalid("schedule %q is nil", name)
	}
	if e, ok := s.(every); ok && e <= 0 {
		return invalid("schedule %q is Every(%v): must be positive", name, time.Duration(e))
	}
	if fn == nil {
		return invalid("fn of schedule %q is nil", name)
	}
	var o taskOptions
	if err := o.apply(opts); err != nil {
		return err
	}
	switch {
	case o.blocking:
		return invalid("schedule %q: WithBlocking: a run that finds no room is skipped", name)
	case o.delay > 0:
		return invalid("schedule %q: WithDelay is %v: a run starts when it is due", name, o.delay)
	case o.idSet:
		return invalid("schedule %q: WithID is %q: each run has an ID of its own", name, o.id)
	}
	return nil
}

func (p *Periodic) register() error {
	cs := p.group.m.reg.enter()
	defer cs.leave()
	r := cs.r
	if r.all.state != Open || p.group.state != Open {
		return ErrShuttingDown
	}
	if r.periodics[p.name] != nil {
		return invalid("schedule name %q is taken", p.name)
	}
	r.periodics[p.name] = p
	return nil
}

// Periodics returns the schedules that have not ended, by name; those of groups too.
func (m *Manager) Periodics() []*Periodic {
	cs := m.reg.enter()
	all := slices.AppendSeq(make([]*Periodic, 0, len(cs.r.periodics)), maps.Values(cs.r.periodics))
	cs.leave()
	slices.SortFunc(all, func(a, b *Periodic) int { return cmp.Compare(a.name, b.name) }) // not in the section: 10,000 take 2 ms
	return all
}

// Info returns what is known about the schedule and its latest run now.
func (p *Periodic) Info() PeriodicInfo {
	cs := p.group.m.reg.enter()
	info := PeriodicInfo{Name: p.name, Group: p.group.name, Next: p.next, Runs: p.runs, Skipped: p.skipped, LastCompleted: p.completed()}
	last := p.last
	if last != nil {
		info.Last.fill(last)
	}
	cs.leave()
	if last != nil {
		info.Last.complete(last)
	}
	return info
}

// completed returns when the latest run that completed ended. It is called in a section.
func (p *Periodic) completed() time.Time {
	if p.last != nil && p.last.status == Completed {
		return p.last.at(p.last.finishedAt)
	}
	return p.lastCompleted
}

// Stop ends the schedule: once it has returned, no run is submitted any more, and Info has the last one. A run that
// is active goes on. It may be called more than once.
func (p *Periodic) Stop() {
	cs := p.group.m.reg.enter()
	defer cs.leave()
	cs.stop(p)
}

func (cs *section) stop(p *Periodic) {
	if p.stopped {
		return
	}
	p.stopped, p.next = true, time.Time{}
	if p.timer != nil {
		p.timer.Stop()
	}
	delete(cs.r.periodics, p.name)
}

// stopSchedules ends the schedules of g, or all when g is nil.
func (cs *section) stopSchedules(g *Group) {
	for _, p := range cs.r.periodics {
		if g == nil || p.group == g {
			cs.stop(p)
		}
	}
}

// Trigger runs the task once now, with the values of ctx. It counts as a run of the schedule. It returns
// ErrStillRunning while a run is active, ErrShuttingDown when the schedule has been stopped, and the errors of Submit.
func (p *Periodic) Trigger(ctx context.Context) (*Task, error) {
	if err := p.reserve(); err != nil {
		return nil, err
	}
	defer p.release() // ctx and the logger are the caller's code, and may panic or end the goroutine
	return p.group.Submit(ctx, p.name, p.fn, p.opts...)
}

// reserve makes the caller the one who submits the next run.
func (p *Periodic) reserve() error {
	cs := p.group.m.reg.enter()
	defer cs.leave()
	switch {
	case p.stopped:
		return fmt.Errorf("%w: schedule %q has been stopped", ErrShuttingDown, p.name)
	case p.submitting, p.last != nil && !p.last.status.Finished():
		return fmt.Errorf("%w: a run of schedule %q", ErrStillRunning, p.name)
	}
	p.submitting = true
	return nil
}

// release is called when the submit after reserve is over.
func (p *Periodic) release() {
	cs := p.group.m.reg.enter()
	defer cs.leave()
	p.submitting = false
}

// addRun notes that t, a run of the schedule, has been accepted. It is called in the section that accepts it.
func (p *Periodic) addRun(t *Task) {
	t.opts.periodic = nil // a record keeps no function alive
	p.lastCompleted = p.completed()
	p.last = t
	p.runs++
}
