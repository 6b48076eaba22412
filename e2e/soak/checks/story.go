package checks

import (
	"slices"
	"time"

	"github.com/fxtasks/background/fxtasks"
)

// Story is what a subscription tells. It is for one goroutine.
type Story struct {
	Findings *Findings
	After    uint64 // Seq of the last event before it

	// Awaited says whether a task may have waited for the one with that Seq, which then starts ahead of its turn. nil: none has.
	Awaited func(seq uint64) bool

	begun   bool
	last    uint64 // Seq of the event before
	time    time.Time
	gaps    uint64 // Seqs that were left out
	lives   map[uint64]*life
	seeded  bool                // with what was active at the beginning
	pending map[string][]uint64 // Seqs of the tasks of each group that are to be started, in order
	holders map[string][]uint64 // Seqs of the tasks with each ID that have not finished
}

// life is how far a task is, as told.
type life struct {
	id         string
	stage      int
	queued     bool // its turn comes with its submission, and has not come
	cancelling bool // in this attempt
	starts     int
	retries    int
}

// The stages of a life, in order. Progress and cancelling belong to running.
const (
	untold = iota
	submitted
	started
	running
	waiting // for another attempt
	finished
)

var stages = map[fxtasks.EventKind]int{
	fxtasks.EventSubmitted:  submitted,
	fxtasks.EventStarted:    started,
	fxtasks.EventProgress:   running,
	fxtasks.EventCancelling: running,
	fxtasks.EventRetrying:   waiting,
	fxtasks.EventFinished:   finished,
}

// next gives the stages that follow one in the events of a task, when none was missed.
var next = map[int][]int{
	untold:    {submitted},
	submitted: {started, finished}, // finished: cancelled before it was started
	started:   {running, waiting, finished},
	running:   {running, waiting, finished},
	waiting:   {started, finished}, // finished: cancelled between two attempts
}

// Seed tells what was active, newest first, at the moment of the event After.
func (s *Story) Seed(active []fxtasks.Info) {
	s.init()
	s.seeded = true
	for n := len(active) - 1; n >= 0; n-- {
		i := active[n]
		l := &life{id: i.ID, stage: submitted, cancelling: !i.CancelRequestedAt.IsZero(), starts: i.Attempt}
		switch {
		case i.Status == fxtasks.Running:
			l.stage = running
		case i.Attempt > 0:
			l.stage = waiting
		default:
			s.queue(l, &i)
		}
		s.lives[i.Seq] = l
		s.holders[i.ID] = append(s.holders[i.ID], i.Seq)
	}
}

func (s *Story) init() {
	if s.lives == nil {
		s.lives = make(map[uint64]*life)
		s.pending = make(map[string][]uint64)
		s.holders = make(map[string][]uint64)
	}
}

// whole says whether everything about the tasks told of is known.
func (s *Story) whole() bool { return s.gaps == 0 && (s.After == 0 || s.seeded) }

// Add wants e to be what comes next.
func (s *Story) Add(e fxtasks.Event) {
	s.init()
	expected := s.last + 1
	if !s.begun {
		expected = s.After + 1
	}
	if e.Seq < expected {
		s.Findings.Addf("event %d comes where %d or later is due", e.Seq, expected)
		expected = e.Seq
	}
	s.gaps += e.Seq - expected
	if e.Time.Before(s.time) {
		s.Findings.Addf("event %d is of %v, and the one before of %v", e.Seq, e.Time, s.time)
	}
	s.begun, s.last, s.time = true, e.Seq, e.Time
	s.follow(e)
}

// follow wants e to be the next step in the life of its task, and Info to include it.
func (s *Story) follow(e fxtasks.Event) {
	i := &e.Task
	l := s.lives[i.Seq]
	if l == nil {
		l = &life{id: i.ID}
		s.lives[i.Seq] = l
	}
	to := stages[e.Kind]
	right := to > l.stage || to == running && l.stage == running
	if i.MaxAttempts > 1 { // an attempt or more may have been missed
		right = to > submitted && l.stage < finished || to > l.stage
	}
	if s.whole() {
		right = slices.Contains(next[l.stage], to) && !(l.stage == submitted && to == finished && !i.StartedAt.IsZero())
	}
	twice := e.Kind == fxtasks.EventCancelling && l.cancelling && (s.whole() || i.MaxAttempts <= 1)
	if !right || twice {
		s.Findings.Addf("event %d, %q, cannot come after what was told of its task before, %+v: %s", e.Seq, e.Kind, *l, brief(*i))
	}
	if !includes(i, e) {
		s.Findings.Addf("event %d, %q, is newer than its Info, %s, %v", e.Seq, e.Kind, brief(*i), i.Progress)
	}
	switch e.Kind {
	case fxtasks.EventSubmitted:
		s.queue(l, i)
		s.holders[i.ID] = append(s.holders[i.ID], i.Seq)
	case fxtasks.EventStarted:
		s.checkTurn(e, l)
		l.starts++
		l.queued, l.cancelling = false, false
	case fxtasks.EventRetrying:
		l.retries++
	case fxtasks.EventCancelling:
		l.cancelling = true
	case fxtasks.EventFinished:
		l.queued = false
		s.holders[i.ID] = slices.DeleteFunc(s.holders[i.ID], func(seq uint64) bool { return seq == i.Seq })
		if len(s.holders[i.ID]) == 0 {
			delete(s.holders, i.ID)
		}
	}
	l.stage = to
}

// queue puts a task in line, unless its turn comes when it is due, which no event tells, or it needs none.
func (s *Story) queue(l *life, i *fxtasks.Info) {
	if i.NotBefore.IsZero() && !isRun(i) {
		l.queued = true
		s.pending[i.Group] = append(s.pending[i.Group], i.Seq)
	}
}

// includes says whether i knows of e.
func includes(i *fxtasks.Info, e fxtasks.Event) bool {
	switch e.Kind {
	case fxtasks.EventStarted:
		return (i.Status != fxtasks.Pending || i.MaxAttempts > 1) && i.Attempt > 0 && !i.StartedAt.IsZero()
	case fxtasks.EventProgress:
		return !i.Progress.UpdatedAt.Before(e.Time) || i.MaxAttempts > 1 // of an attempt before
	case fxtasks.EventCancelling:
		return i.CancelCause != nil || i.MaxAttempts > 1
	case fxtasks.EventRetrying:
		return i.Attempt > 0 && i.MaxAttempts > 1 && !i.NotBefore.IsZero()
	case fxtasks.EventFinished:
		return i.Status.Finished() && !i.FinishedAt.IsZero()
	}
	return !i.CreatedAt.IsZero()
}

// checkTurn wants no task of the group to be passed over: first submitted, first started, unless it
// waits for the one that it replaces, or the one that has started was waited for.
func (s *Story) checkTurn(e fxtasks.Event, l *life) {
	i := &e.Task
	line := slices.DeleteFunc(s.pending[i.Group], func(seq uint64) bool { return !s.lives[seq].queued })
	s.pending[i.Group] = line
	if !s.whole() {
		return
	}
	if s.waits(i.Seq) {
		s.Findings.Addf("event %d: started before the task with the same ID has finished, %s", e.Seq, brief(*i))
	}
	if !l.queued || s.Awaited != nil && s.Awaited(i.Seq) {
		return
	}
	for _, seq := range line {
		if seq < i.Seq && !s.waits(seq) {
			s.Findings.Addf("event %d: started before task %d, which was submitted earlier to the same group, %s", e.Seq, seq, brief(*i))
		}
	}
}

// waits says whether a task with the same ID was submitted before and has not finished.
func (s *Story) waits(seq uint64) bool {
	return slices.ContainsFunc(s.holders[s.lives[seq].id], func(other uint64) bool { return other < seq })
}

// End wants Missed, after io.EOF, to be what was left out; last is the Seq of the last event of all. For a story that is whole it wants all
// that is in the history to have been told.
func (s *Story) End(missed, last uint64, h *History) {
	if left := s.gaps + last - s.last; left < missed { // more may be left out: reports of progress that were overwritten do not count as missed
		s.Findings.Addf("events: %d were left out, and Missed says %d in the end", left, missed)
	}
	if !s.whole() || s.After != 0 || s.last != last {
		return
	}
	accepted := h.accepted()
	for _, a := range accepted {
		l := s.lives[a.Info.Seq]
		if l == nil || l.stage != finished || l.starts != a.Attempt || uint64(l.retries) != a.retried() {
			a.complain(s.Findings, "events tell of it %+v, and its function was run %d times", l, a.Attempt)
		}
	}
	if want := len(accepted) + h.unstarted(""); want != len(s.lives) {
		s.Findings.Addf("events tell of %d tasks, want %d", len(s.lives), want)
	}
}
