package checks

import (
	"slices"
	"sync"
	"time"

	"github.com/fxtasks/background/fxtasks"
)

// Ledger keeps account of all that is submitted and asked for in a round.
type Ledger struct {
	findings *Findings

	mu        sync.Mutex // protects what follows
	entries   []*Entry
	varied    []*Entry // less the bare ones
	requests  map[string]bool
	asked     map[string]bool
	drain     *Drain
	shutdowns []Shutdown
	schedules []Schedule
}

// NewLedger makes one without entries.
func NewLedger(f *Findings) *Ledger {
	return &Ledger{findings: f, requests: make(map[string]bool), asked: make(map[string]bool)}
}

// Open begins the account of a Submit that is about to be called, and numbers it.
func (l *Ledger) Open(o Order) *Entry {
	l.mu.Lock()
	defer l.mu.Unlock()
	o.N = len(l.entries)
	e := &Entry{Order: o, findings: l.findings}
	e.account.Called = time.Now()
	l.entries = append(l.entries, e)
	if !o.Bare || o.Scheduled {
		l.varied = append(l.varied, e)
	}
	return e
}

// Waits says whether a Submit that was called before the time given has not returned.
func (l *Ledger) Waits(before time.Time) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.ContainsFunc(l.entries, func(e *Entry) bool {
		e.mu.Lock()
		defer e.mu.Unlock()
		return e.account.Called.Before(before) && e.account.Answered.IsZero()
	})
}

// Recent gives the entry that was opened so many before the newest, or nil. Bare ones do not count:
// there would be little else.
func (l *Ledger) Recent(before int) *Entry {
	l.mu.Lock()
	defer l.mu.Unlock()
	if before >= len(l.varied) {
		return nil
	}
	return l.varied[len(l.varied)-1-before]
}

// Owner gives the entry whose function a task runs: e, which Submit gave the task for, unless that has
// joined another's. A nil e is not known.
func (l *Ledger) Owner(e *Entry, info fxtasks.Info) *Entry {
	l.mu.Lock()
	defer l.mu.Unlock()
	if n := OrderOf(info); n >= 0 && n < len(l.entries) {
		return l.entries[n]
	}
	return e
}

// Tasks gives all tasks that Submit gave.
func (l *Ledger) Tasks() (tasks []*fxtasks.Task) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, e := range l.entries {
		if t := e.Task(); t != nil {
			tasks = append(tasks, t)
		}
	}
	return tasks
}

// Asks notes that a cancel is about to be asked for, with a cause of the caller's own or without: of the tasks
// that have the ID, or of all for "".
func (l *Ledger) Asks(id string, own bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.asked[id] = true
	if !own {
		l.requests[id] = true
	}
}

// Drain notes what StartDrain did.
func (l *Ledger) Drain(d Drain) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.drain = &d
}

// ShutDown notes what a Shutdown did.
func (l *Ledger) ShutDown(s Shutdown) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.shutdowns = append(l.shutdowns, s)
}

// Schedule notes what came of a schedule.
func (l *Ledger) Schedule(s Schedule) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if s.Ended.IsZero() {
		s.Ended = time.Now()
	}
	l.schedules = append(l.schedules, s)
}

// History gives what is known now. It is for the end, when nothing changes any more.
func (l *Ledger) History() *History {
	l.mu.Lock()
	defer l.mu.Unlock()
	h := &History{Requests: l.requests, Asked: l.asked, Drain: l.drain, Shutdowns: l.shutdowns, Schedules: l.schedules}
	for _, e := range l.entries {
		h.Accounts = append(h.Accounts, e.close())
	}
	return h
}
