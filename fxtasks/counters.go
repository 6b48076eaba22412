package fxtasks

import (
	"context"
	"maps"
	"runtime/pprof"
)

// counters count the tasks of a set: all of the manager's, those of a group, or those of a name.
type counters struct {
	counts    Counts
	forgotten Counts // those of the finished tasks whose records are gone
}

// known returns how many tasks in the status have a record.
func (c *counters) known(s Status) int {
	switch s {
	case Pending:
		return c.counts.Pending
	case Running:
		return c.counts.Running
	default:
		return int(*c.counts.ended(s) - *c.forgotten.ended(s))
	}
}

// move counts a task that leaves one status for another.
func (c *Counts) move(from, to Status) {
	switch from {
	case Pending:
		c.Pending--
	case Running:
		c.Running--
	}
	switch to {
	case Pending:
		c.Pending++
		c.Retried++
	case Running:
		c.Running++
	default:
		*c.ended(to)++
	}
}

// ended returns the counter of the tasks that ended with the status.
func (c *Counts) ended(s Status) *uint64 {
	switch s {
	case Completed:
		return &c.Completed
	case Failed:
		return &c.Failed
	case Cancelled:
		return &c.Cancelled
	default:
		return &c.TimedOut
	}
}

func (c *Counts) add(other Counts) {
	c.Pending += other.Pending
	c.Running += other.Running
	c.Submitted += other.Submitted
	c.Completed += other.Completed
	c.Failed += other.Failed
	c.Cancelled += other.Cancelled
	c.TimedOut += other.TimedOut
	c.Retried += other.Retried
	c.Rejected += other.Rejected
}

// nameStats is what is kept for a task name: its counters, its history and the labels of its goroutines. The
// labels are made once for a name, since to make them for each task would cost it three allocations.
type nameStats struct {
	labels context.Context // never changes
	_      cacheLine
	counters
	history *nameHistory // nil: no task has ended
}

const (
	maxNames  = 1000
	otherName = "other"
)

func newNameStats(name string) *nameStats {
	return &nameStats{labels: pprof.WithLabels(context.Background(), pprof.Labels(nameLabel, name))}
}

// nameStats returns what is kept for a name; nil when nothing is yet.
func (r *registry) nameStats(name string) *nameStats { return (*r.names.Load())[name] }

// addNameStats returns what is kept for a name, and makes it if there is nothing yet. Names past the first maxNames
// share one nameStats. It is called in a section.
func (r *registry) addNameStats(name string) *nameStats {
	if n := r.nameStats(name); n != nil {
		return n
	}
	names := *r.names.Load()
	if len(names) == maxNames {
		return r.otherNames
	}
	n := newNameStats(name)
	names = maps.Clone(names)
	names[name] = n
	r.names.Store(&names)
	return n
}
