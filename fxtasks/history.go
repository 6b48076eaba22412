package fxtasks

import (
	"time"

	"github.com/fxtasks/background/fxtasks/internal/outcomes"
)

// History is what became of the tasks of the last hour.
type History struct {
	Minutes []Minute               // the last 60, the oldest first, the current one last
	ByName  map[string]NameHistory // names past the first 1,000 under "other"
}

// Minute counts the tasks that ended in one minute.
type Minute struct {
	Start                                  time.Time
	Completed, Failed, Cancelled, TimedOut uint32
}

// NameHistory is the history of the tasks of a name.
type NameHistory struct {
	Minutes []Minute
	Wait    Quantiles // how long their last attempt waited to start, from when it was due
	Run     Quantiles // how long their last attempt ran
}

// Quantiles describe durations of the tasks that ended in the current half-hour and the one before. P50 and P95
// are within 10 %. Tasks that never ran do not count.
type Quantiles struct {
	Count         uint64
	P50, P95, Max time.Duration
}

// nameHistory is kept for a name once a task of it has ended. It takes 5 KB.
type nameHistory struct {
	hour      outcomes.Hour
	wait, run outcomes.Durations
}

// addToHistory counts the end of t, and how long its last attempt waited and ran, if it had one. ran is true if
// that attempt has ended just now, with the task.
func (cs *section) addToHistory(t *Task, ran bool) {
	minute, outcome := outcomes.MinuteOf(cs.now()), int(t.status-Completed)
	cs.r.hour.Add(minute, outcome)
	h := t.stats.history
	if h == nil {
		h = new(nameHistory)
		t.stats.history = h
	}
	h.hour.Add(minute, outcome)
	switch {
	case ran:
		h.addRun(minute, t.waited(), time.Duration(t.finishedAt-t.startedAt))
	case t.attempts != nil && t.attempts.number > 0: // it ended between two attempts
		h.addRun(minute, t.attempts.waited, t.attempts.ran)
	}
}

func (h *nameHistory) addRun(minute uint32, waited, ran time.Duration) {
	h.wait.Add(minute, waited)
	h.run.Add(minute, ran)
}

// waited returns how long the latest attempt of a running task waited to be started.
func (t *Task) waited() time.Duration { return t.at(t.startedAt).Sub(t.dueAt()) }

// History returns the outcomes of the last hour, and how long tasks waited and ran. It does not block.
func (m *Manager) History() History {
	r := m.reg
	cs := r.enter()
	now := time.Now()
	minutes := r.hour.Minutes(now)
	names := *r.names.Load()
	cs.leave()

	h := History{Minutes: minutesOf(minutes), ByName: make(map[string]NameHistory, len(names))}
	all := make([]string, 0, len(names)+1)
	for name := range names {
		all = append(all, name)
	}
	if _, known := names[otherName]; !known {
		all = append(all, otherName)
	}
	for len(all) > 0 {
		n := min(len(all), 64) // in one section: to read a thousand takes two milliseconds
		cs := r.enter()
		for _, name := range all[:n] {
			stats := names[name]
			if stats == nil {
				stats = r.otherNames
			}
			if stats.history != nil {
				h.ByName[name] = stats.history.read(now)
			}
		}
		cs.leave()
		all = all[n:]
	}
	return h
}

func (h *nameHistory) read(now time.Time) NameHistory {
	return NameHistory{Minutes: minutesOf(h.hour.Minutes(now)), Wait: quantilesOf(&h.wait, now), Run: quantilesOf(&h.run, now)}
}

func quantilesOf(d *outcomes.Durations, now time.Time) (q Quantiles) {
	q.Count, q.P50, q.P95, q.Max = d.Quantiles(now)
	return q
}

func minutesOf(minutes [60]outcomes.Minute) []Minute {
	of := make([]Minute, len(minutes))
	for i, m := range minutes {
		c := m.Counts
		of[i] = Minute{m.Start, c[outcomes.Completed], c[outcomes.Failed], c[outcomes.Cancelled], c[outcomes.TimedOut]}
	}
	return of
}
