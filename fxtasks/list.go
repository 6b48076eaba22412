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
	all, more := f.matchesAll(), false
	if all {
		page.Total = r.known
	}
	for t := r.newest; t != nil && !(all && more); t = t.older {
		if !all {
			if !f.matches(t) {
				continue
			}
			page.Total++
		}
		switch {
		case t.seq >= before: // was on an earlier page
		case len(page.Tasks) < limit:
			page.Tasks = append(page.Tasks, t.infoLocked())
		default:
			more = true
		}
	}
	r.mu.Unlock()

	if more {
		page.Next = pageToken(page.Tasks[limit-1].Seq)
	}
	for i := range page.Tasks {
		page.Tasks[i] = page.Tasks[i].own()
	}
	return page
}

// matchesAll says that no task needs to be looked at to be counted.
func (f *Filter) matchesAll() bool {
	return len(f.Statuses) == 0 && f.Name == "" && f.Group == "" && len(f.Metadata) == 0 &&
		f.CreatedAfter.IsZero() && f.CreatedBefore.IsZero()
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
