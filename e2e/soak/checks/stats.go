package checks

import "github.com/fxtasks/background/fxtasks"

// Reader holds what one goroutine reads of a manager, by Stats and List, to the contract, and to what
// it has read before.
type Reader struct {
	Findings *Findings
	Config   fxtasks.Config // with defaults
	Groups   map[string]fxtasks.GroupConfig
	Retries  bool // there are tasks between attempts, which take no room: Pages tell them from others, and figures do not

	last  fxtasks.Counts
	state fxtasks.State
}

// Total gives the figures of s that Counts has too.
func Total(s fxtasks.Stats) fxtasks.Counts {
	return fxtasks.Counts{
		Pending: s.Pending, Running: s.Running, Submitted: s.Submitted, Completed: s.Completed,
		Failed: s.Failed, Cancelled: s.Cancelled, TimedOut: s.TimedOut, Retried: s.Retried, Rejected: s.Rejected,
	}
}

// plus adds two figures up.
func plus(a, b fxtasks.Counts) fxtasks.Counts {
	return fxtasks.Counts{
		Pending: a.Pending + b.Pending, Running: a.Running + b.Running, Submitted: a.Submitted + b.Submitted, Completed: a.Completed + b.Completed,
		Failed: a.Failed + b.Failed, Cancelled: a.Cancelled + b.Cancelled, TimedOut: a.TimedOut + b.TimedOut,
		Retried: a.Retried + b.Retried, Rejected: a.Rejected + b.Rejected,
	}
}

// within says whether no figure of a is above that of b.
func within(a, b fxtasks.Counts) bool {
	return a.Pending <= b.Pending && a.Running <= b.Running && a.Submitted <= b.Submitted && a.Completed <= b.Completed &&
		a.Failed <= b.Failed && a.Cancelled <= b.Cancelled && a.TimedOut <= b.TimedOut && a.Retried <= b.Retried && a.Rejected <= b.Rejected
}

// Stats wants the figures of one moment to agree with each other, with the limits, and with earlier
// ones.
func (r *Reader) Stats(s fxtasks.Stats) {
	total := Total(s)
	r.counts("Stats", total, r.Config.MaxPending)
	before := r.last
	before.Pending, before.Running = total.Pending, total.Running // these go down too
	if !within(before, total) {
		r.Findings.Addf("Stats: %+v came after %+v, want no counter to go back", total, r.last)
	}
	r.last = total
	var names, groups fxtasks.Counts
	for name, c := range s.ByName {
		r.counts("Stats.ByName["+name+"]", c, 0)
		names = plus(names, c)
	}
	for name, c := range s.ByGroup {
		r.counts("Stats.ByGroup["+name+"]", c, r.Groups[name].MaxPending)
		groups = plus(groups, c)
	}
	bad := total.Rejected - names.Rejected // submits with a bad name have none to count under
	names.Rejected += bad
	if names != total || bad > total.Rejected {
		r.Findings.Addf("Stats: the sum of ByName is %+v, want %+v: %+v", names, total, s)
	}
	if !within(groups, total) {
		r.Findings.Addf("Stats: the sum of ByGroup is %+v, want at most %+v: %+v", groups, total, s)
	}
	if s.MaxRunning != r.Config.MaxRunning || s.MaxPending != r.Config.MaxPending ||
		s.OldestPending < 0 || s.Pending == 0 && s.OldestPending > 0 {
		r.Findings.Addf("Stats: limits %d and %d, oldest pending %v, want them to fit: %+v", s.MaxRunning, s.MaxPending, s.OldestPending, s)
	}
}

// Group wants the same of the figures of a group.
func (r *Reader) Group(name string, c fxtasks.Counts) {
	r.counts("Group "+name, c, r.Groups[name].MaxPending)
}

func (r *Reader) counts(what string, c fxtasks.Counts, maxPending int) {
	ended := c.Completed + c.Failed + c.Cancelled + c.TimedOut
	if c.Pending < 0 || c.Running < 0 || c.Submitted != ended+uint64(c.Pending+c.Running) {
		r.Findings.Addf("%s: %+v, want submitted to be the sum of pending, running and ended", what, c)
	}
	if !r.Retries {
		r.room(what, c.Pending, maxPending)
	}
}

func (r *Reader) room(what string, pending, maxPending int) {
	if maxPending > 0 && pending > maxPending || maxPending < 0 && pending > 0 {
		r.Findings.Addf("%s: %d pending, and MaxPending is %d", what, pending, maxPending)
	}
}

// Room wants no more of the tasks on a page of one moment to be pending than may be.
func (r *Reader) Room(page fxtasks.Page) {
	all, groups := 0, make(map[string]int)
	for _, i := range page.Tasks {
		if i.Status == fxtasks.Pending && i.Attempt == 0 {
			all++
			groups[i.Group]++
		}
	}
	r.room("List", all, r.Config.MaxPending)
	for name, n := range groups {
		r.room("List of group "+name, n, r.Groups[name].MaxPending)
	}
}

// State wants the state to move only forward.
func (r *Reader) State(s fxtasks.State) {
	if s < r.state {
		r.Findings.Addf("State: %v came after %v", s, r.state)
	}
	r.state = s
}

// Moment compares what List, Stats and List again gave, if nothing happened meanwhile. The pages are
// of the active tasks.
func (r *Reader) Moment(before fxtasks.Page, s fxtasks.Stats, after fxtasks.Page) {
	if before.Seq != after.Seq || before.Next != "" {
		return
	}
	listed := make(map[fxtasks.Status]int)
	for _, i := range before.Tasks {
		listed[i.Status]++
	}
	if listed[fxtasks.Pending] != s.Pending || listed[fxtasks.Running] != s.Running {
		r.Findings.Addf("List shows %v, and Stats of the same moment are %+v", listed, s)
	}
}

// Active selects the tasks that have not finished, as many as a page can hold.
func Active() fxtasks.Filter {
	return fxtasks.Filter{Statuses: []fxtasks.Status{fxtasks.Pending, fxtasks.Running}, Limit: 1000}
}

// figures adds up what the accounts count, in all, by name and by group. Of the runs of schedules that never started s
// tells more than accounts do.
func (h *History) figures(s fxtasks.Stats) (total fxtasks.Counts, names, groups map[string]fxtasks.Counts) {
	names, groups = make(map[string]fxtasks.Counts), make(map[string]fxtasks.Counts)
	for i := range h.Accounts {
		c := h.Accounts[i].counts()
		total = plus(total, c)
		names[h.Accounts[i].Name] = plus(names[h.Accounts[i].Name], c)
		groups[h.Accounts[i].Group] = plus(groups[h.Accounts[i].Group], c)
	}
	for i := range h.Schedules {
		schedule := &h.Schedules[i]
		c := schedule.counts(s.ByName[schedule.Name])
		total = plus(total, c)
		names[schedule.Name] = plus(names[schedule.Name], c)
		groups[schedule.Group] = plus(groups[schedule.Group], c)
	}
	return total, names, groups
}

// Final compares the figures of the end with the accounts.
func (h *History) Final(f *Findings, s fxtasks.Stats) {
	total, names, groups := h.figures(s)
	for i := range h.Schedules {
		h.Schedules[i].checkRejected(f, s.ByName[h.Schedules[i].Name])
	}
	if got := Total(s); got != total {
		f.Addf("in the end Stats are %+v, want %+v", got, total)
	}
	compare := func(what string, want, got map[string]fxtasks.Counts) {
		for name, c := range want {
			if name != "" && got[name] != c {
				f.Addf("in the end Stats.%s[%s] is %+v, want %+v", what, name, got[name], c)
			}
		}
	}
	compare("ByName", names, s.ByName)
	compare("ByGroup", groups, s.ByGroup)
}

// counts gives what a adds to the counters.
func (a *Account) counts() (c fxtasks.Counts) {
	switch {
	case a.Refusal != nil:
		return fxtasks.Counts{Rejected: 1}
	case a.Joined:
		return c
	}
	c.Submitted, c.Retried = 1, a.retried()
	switch a.Info.Status {
	case fxtasks.Pending:
		c.Pending = 1
	case fxtasks.Running:
		c.Running = 1
	case fxtasks.Completed:
		c.Completed = 1
	case fxtasks.Failed:
		c.Failed = 1
	case fxtasks.Cancelled:
		c.Cancelled = 1
	case fxtasks.TimedOut:
		c.TimedOut = 1
	}
	return c
}
