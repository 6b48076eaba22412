package fxtasks

import (
	"slices"
	"strings"
	"time"
)

// Filter says which tasks List returns: those that match all of what is set.
type Filter struct {
	Statuses      []Status          // any of these; none: all
	Name, Group   string            // "": any
	Metadata      map[string]string // every pair must match
	CreatedAfter  time.Time         // exclusive; zero: no bound
	CreatedBefore time.Time         // exclusive; zero: no bound
	Text          string            // case-insensitive: in the name, the ID, or the error's text; "": any

	Order Order
	Limit int    // of tasks in a page. Defaults to 100, at most 1,000
	After string // Page.Next of the page before; "": the first page. A malformed one gives an empty page
}

// Page is a part of the tasks that match a Filter, in its order.
type Page struct {
	Tasks []Info
	Next  string // for Filter.After; "": this was the last page
	Total int    // of tasks that match, on all pages
	Seq   uint64 // of the last event before the page was read: whoever subscribes after it misses none
}

const (
	defaultLimit = 100
	maxLimit     = 1000
)

// List returns the records that match f. Records that come or go between two pages never make one
// appear twice. A filter by metadata, time or text, or by name and group together, looks at all
// records, a few at a time: Total is then not of one moment.
func (m *Manager) List(f Filter) Page {
	from, ok := f.Order.parseToken(f.After)
	if !ok {
		return Page{}
	}
	limit := min(f.Limit, maxLimit)
	if limit <= 0 {
		limit = defaultLimit
	}
	m.reg.inSteps(func(cs *section) bool { return cs.prune() })

	l := listing{f: &f, r: m.reg, from: from, limit: limit, text: strings.ToLower(f.Text)}
	l.page.Tasks = make([]Info, 0, limit) // not in a section: to allocate can take long
	l.tasks = make([]*Task, 0, limit)
	l.read()
	for i, t := range l.tasks {
		l.page.Tasks[i].complete(t)
	}
	if len(l.page.Tasks) == 0 {
		l.page.Tasks = nil
	}
	return l.page
}

// listing is the state of one call of List.
type listing struct {
	f     *Filter
	r     *registry
	from  uint64 // key of the page's first record at the earliest, in the filter's order
	limit int
	text  string // in lower case

	page    Page
	tasks   []*Task // those of page
	begun   bool    // the first step has begun
	counted bool    // Total is known from the counters
	next    uint64  // key from which on the next step looks
	last    uint64  // key of the last task of the page
	more    bool    // there is a match after it
}

// read takes all steps, and completes the page.
func (l *listing) read() {
	l.next = l.from
	for l.step() {
	}
	if l.counted && !l.more && l.from == l.f.Order.start() {
		l.page.Total = len(l.page.Tasks) // records may have come and gone between two steps
	}
	if l.more {
		l.page.Next = l.f.Order.token(l.last)
	}
}

// step looks at some records in one section, and at their texts after it: an error's text can be
// long. It reports whether there is more to look at.
func (l *listing) step() (more bool) {
	type candidate struct {
		key  uint64
		task *Task
		text string
	}
	var candidates []candidate
	cs := l.r.enter()
	if !l.begun {
		l.begun = true
		l.page.Seq = l.r.events.Last()
		if l.page.Total, l.counted = l.r.count(l.f); !l.counted {
			l.next = l.f.Order.start() // to count what comes before the page, too
		}
	}
	looked := 0
	more = l.f.Order.walk(l.r, l.next, func(key uint64, t *Task) bool {
		if looked == max(2*batch, l.limit+1) || l.full() {
			return false
		}
		looked++
		l.next = l.f.Order.after(key)
		if !l.f.matches(t) {
			return true
		}
		if l.text != "" {
			candidates = append(candidates, candidate{key, t, t.errText()})
		} else {
			l.add(key, t)
		}
		return true
	}) && !l.full()
	cs.leave()

	candidates = slices.DeleteFunc(candidates, func(c candidate) bool {
		return !l.contains(c.task.name) && !l.contains(c.task.ID()) && !l.contains(c.text)
	})
	if len(candidates) > 0 {
		cs := l.r.enter()
		for _, c := range candidates {
			l.add(c.key, c.task)
		}
		cs.leave()
	}
	return more
}

// full reports whether the page is complete and Total is known.
func (l *listing) full() bool {
	return l.counted && (l.more || l.from == l.f.Order.start() && len(l.page.Tasks) >= l.page.Total)
}

func (l *listing) contains(s string) bool { return strings.Contains(strings.ToLower(s), l.text) }

// add counts a match, and takes it into the page if it belongs there. It is called in a section.
func (l *listing) add(key uint64, t *Task) {
	if !l.counted {
		l.page.Total++
	}
	switch {
	case l.f.Order.before(key, l.from):
	case len(l.page.Tasks) < l.limit:
		l.page.Tasks = append(l.page.Tasks, Info{})
		l.page.Tasks[len(l.page.Tasks)-1].fill(t)
		l.tasks = append(l.tasks, t)
		l.last = key
	default:
		l.more = true
	}
}

// count returns how many known tasks match f, if the counters can tell: List then looks at no more
// tasks than it has to show.
func (r *registry) count(f *Filter) (n int, ok bool) {
	if len(f.Metadata) > 0 || f.Text != "" || !f.CreatedAfter.IsZero() || !f.CreatedBefore.IsZero() || f.Name != "" && f.Group != "" {
		return 0, false
	}
	of := &r.all.counters
	if f.Group != "" {
		g := r.groupsBy[f.Group]
		if g == nil {
			return 0, true
		}
		of = &g.counters
	}
	if f.Name != "" {
		stats := r.nameStats(f.Name)
		if stats == nil {
			return 0, r.otherNames.counters == counters{}
		}
		of = &stats.counters
	}
	for s := Pending; s <= TimedOut; s++ {
		if (len(f.Statuses) == 0 || slices.Contains(f.Statuses, s)) && (s.Finished() || f.Order != LatestEndedFirst) {
			n += of.known(s)
		}
	}
	return n, true
}

// matches reports whether t matches all of f but the text. It is called in a section.
func (f *Filter) matches(t *Task) bool {
	if len(f.Statuses) > 0 && !slices.Contains(f.Statuses, t.status) ||
		f.Name != "" && f.Name != t.name ||
		f.Group != "" && f.Group != t.group.name ||
		!f.CreatedAfter.IsZero() && !t.created.After(f.CreatedAfter) ||
		!f.CreatedBefore.IsZero() && !t.created.Before(f.CreatedBefore) {
		return false
	}
	for key, value := range f.Metadata {
		if has, ok := t.opts.metadata[key]; !ok || has != value {
			return false
		}
	}
	return true
}
