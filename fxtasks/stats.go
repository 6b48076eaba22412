package fxtasks

import "time"

// Stats are a manager's figures at one moment: they agree with each other, and with List.
type Stats struct {
	Pending, Running                                            int    // now; Running counts tasks that wait, too
	Submitted, Completed, Failed, Cancelled, TimedOut, Rejected uint64 // since New

	OldestPending          time.Duration // how long the oldest of the pending has waited
	MaxRunning, MaxPending int           // as in Config

	// By name and by group of the task. Names and groups past the first 1,000 count under "other".
	ByName, ByGroup map[string]Counts
}

// Counts are the figures of some of a manager's tasks. Rejected counts submits that gave an error.
type Counts struct {
	Pending, Running                                            int
	Submitted, Completed, Failed, Cancelled, TimedOut, Rejected uint64
}

// tally is what is counted of a set of tasks.
type tally struct {
	counts    Counts
	forgotten Counts // of the finished ones, those whose records are gone
}

// known gives how many tasks in the status have a record.
func (t *tally) known(s Status) int {
	switch s {
	case Pending:
		return t.counts.Pending
	case Running:
		return t.counts.Running
	default:
		return int(*t.counts.ended(s) - *t.forgotten.ended(s))
	}
}

// Stats gives the manager's figures.
func (m *Manager) Stats() Stats {
	r, now := m.reg, time.Now()
	r.lock()
	defer r.mu.Unlock()
	now = r.tickLocked(now)
	c, names := r.all.counts, *r.names.Load()
	s := Stats{
		Pending:    c.Pending,
		Running:    c.Running,
		Submitted:  c.Submitted,
		Completed:  c.Completed,
		Failed:     c.Failed,
		Cancelled:  c.Cancelled,
		TimedOut:   c.TimedOut,
		Rejected:   c.Rejected,
		MaxRunning: r.cfg.MaxRunning,
		MaxPending: r.cfg.MaxPending,
		ByName:     make(map[string]Counts, len(names)+1),
		ByGroup:    make(map[string]Counts, len(r.groups)),
	}
	if oldest := r.oldestPendingLocked(); oldest != nil {
		s.OldestPending = now.Sub(oldest.created)
	}
	for name, n := range names {
		s.ByName[name] = n.counts
	}
	if other := r.otherNames.counts; other != (Counts{}) {
		other.add(s.ByName[otherName])
		s.ByName[otherName] = other
	}
	for i, g := range r.groups[1:] { // less the one for tasks of no group
		name, counts := g.name, g.counts
		if i >= maxNames {
			name = otherName
		}
		counts.add(s.ByGroup[name])
		s.ByGroup[name] = counts
	}
	return s
}

func (r *registry) oldestPendingLocked() *Task {
	oldest := r.successors.first
	for _, g := range r.groups {
		if t := g.pending.first; t != nil && (oldest == nil || t.seq < oldest.seq) {
			oldest = t
		}
	}
	return oldest
}

// move counts a task that leaves one status for another.
func (c *Counts) move(from, to Status) {
	switch from {
	case Pending:
		c.Pending--
	case Running:
		c.Running--
	}
	if to == Running {
		c.Running++
	} else {
		*c.ended(to)++
	}
}

// ended gives the counter of the tasks that ended so.
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
	c.Rejected += other.Rejected
}
