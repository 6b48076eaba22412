package fxtasks

import (
	"slices"
	"strconv"
	"strings"
	"time"
)

// Filter says which tasks List gives: those that match all of what is set.
type Filter struct {
	Statuses      []Status          // any of these; none: all
	Name, Group   string            // "": any
	Metadata      map[string]string // every pair must match
	CreatedAfter  time.Time         // exclusive; zero: no bound
	CreatedBefore time.Time         // exclusive; zero: no bound

	Limit int    // of tasks in a page. Defaults to 100, at most 1,000
	After string // Page.Next of the page before; "": the first page. A malformed one gives an empty page
}

// Page is a part of the tasks that match a Filter, the newest first.
type Page struct {
	Tasks []Info
	Next  string // for Filter.After; "": this was the last page
	Total int    // of tasks that match, on all pages
	Seq   uint64 // of the last event that is included: Subscribe(Seq) gives what comes after
}

const (
	defaultLimit = 100
	maxLimit     = 1000
)

// List gives the records that match f, the newest first. Records that come or go between two pages
// never make one appear twice.
func (m *Manager) List(f Filter) Page {
	before, ok := parsePageToken(f.After)
	if !ok {
		return Page{}
	}
	limit := min(f.Limit, maxLimit)
	if limit <= 0 {
		limit = defaultLimit
	}

	r, now := m.reg, time.Now()
	r.lock()
	r.pruneLocked(r.tickLocked(now))
	page := Page{Seq: r.events.last}
	total, counted := r.countLocked(&f)
	if counted {
		page.Tasks = make([]Info, 0, min(limit, total))
	}
	matched, skipped := 0, 0
	for t := r.newest; t != nil; t = t.older {
		if counted && (matched == total || len(page.Tasks) == limit) {
			break // there is nothing more to be found out
		}
		if !f.matches(t) {
			continue
		}
		matched++
		switch {
		case t.seq >= before: // was on an earlier page
			skipped++
		case len(page.Tasks) < limit:
			page.Tasks = append(page.Tasks, t.infoLocked())
		}
	}
	r.mu.Unlock()

	page.Total = matched
	if counted {
		page.Total = total
	}
	if n := len(page.Tasks); skipped+n < page.Total {
		page.Next = pageToken(page.Tasks[n-1].Seq)
	}
	for i := range page.Tasks {
		page.Tasks[i] = page.Tasks[i].own()
	}
	return page
}

// countLocked gives how many known tasks match f, if the counters can tell: List then looks at no
// more tasks than it has to show. To look at all of 100,000 takes a millisecond, in which no other
// critical section can be entered.
func (r *registry) countLocked(f *Filter) (n int, ok bool) {
	if len(f.Metadata) > 0 || !f.CreatedAfter.IsZero() || !f.CreatedBefore.IsZero() || f.Name != "" && f.Group != "" {
		return 0, false
	}
	of := &r.all.tally
	if f.Group != "" {
		g := r.groupsBy[f.Group]
		if g == nil {
			return 0, true
		}
		of = &g.tally
	}
	if f.Name != "" {
		label := r.label(f.Name)
		if label == nil {
			return 0, r.otherNames.tally == tally{}
		}
		of = &label.tally
	}
	for s := Pending; s <= TimedOut; s++ {
		if len(f.Statuses) == 0 || slices.Contains(f.Statuses, s) {
			n += of.known(s)
		}
	}
	return n, true
}

// matches is called with the registry's mutex held.
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

// A page token is the Seq of the last task of the page, marked so that other numbers do not pass.
const tokenMark = "before-"

func pageToken(seq uint64) string { return tokenMark + strconv.FormatUint(seq, 10) }

// parsePageToken gives the Seq that all tasks of the page are below.
func parsePageToken(token string) (before uint64, ok bool) {
	if token == "" {
		return Latest, true
	}
	digits, _ := strings.CutPrefix(token, tokenMark)
	before, err := strconv.ParseUint(digits, 10, 64)
	return before, err == nil && token == pageToken(before)
}
