package fxtasks

import (
	"context"
	"io"
	"iter"
	"math"
	"time"

	"github.com/fxtasks/background/fxtasks/internal/ring"
)

// EventKind says what happened to a task.
type EventKind string

// The kinds of events.
const (
	EventSubmitted  EventKind = "submitted"
	EventStarted    EventKind = "started"
	EventProgress   EventKind = "progress"
	EventCancelling EventKind = "cancelling" // a running task was asked to end
	EventRetrying   EventKind = "retrying"   // an attempt has failed, and another is to follow
	EventFinished   EventKind = "finished"
)

// Event tells that something happened to a task.
type Event struct {
	Seq  uint64 // 1, 2, 3, … in the order in which it happened; reports of progress that were overwritten leave gaps
	Time time.Time
	Kind EventKind
	Task Info // as it is when read: never older than the event
}

// Latest makes Subscribe begin with the next event that happens.
const Latest uint64 = math.MaxUint64

// event is how the ring keeps an Event. With a string and a time.Time it would take twice as long to write.
type event struct {
	task *Task
	at   sinceCreated
	kind eventKind
}

type eventKind uint8

const (
	kindSubmitted eventKind = iota
	kindStarted
	kindProgress
	kindCancelling
	kindRetrying
	kindFinished
)

var eventKinds = [...]EventKind{EventSubmitted, EventStarted, EventProgress, EventCancelling, EventRetrying, EventFinished}

// publish adds an event. It is called in a section. All events lie in one ring that every subscription reads at its own
// pace: publishing costs the same for none and for a thousand of them.
func (r *registry) publish(kind eventKind, t *Task, at sinceCreated) {
	e := event{t, at, kind}
	if kind == kindProgress {
		r.events.Report(e)
	} else {
		r.events.Publish(e)
	}
	r.wakeReaders()
}

// wakeReaders wakes the subscriptions that wait for an event.
func (r *registry) wakeReaders() {
	if r.wake != nil {
		go close(r.wake) // on a goroutine: to wake a thousand readers takes longer than all else that a submit does
		r.wake = nil
		r.watched.Store(false)
	}
}

// awaitEvent returns a channel that is closed at the next event. It can itself publish events, of tasks that
// it records, so the caller has to look again.
func (cs *section) awaitEvent() chan struct{} {
	r := cs.r
	if r.wake == nil {
		r.wake = make(chan struct{})
		r.watched.Store(true)
	}
	wake := r.wake
	cs.recordSubmitted() // a submit that is not in the inbox by now finds watched set
	return wake
}

// Subscription reads a manager's events. It is a cursor: it holds nothing that needs closing. It
// is for one goroutine at a time.
type Subscription struct {
	m      *Manager
	cursor ring.Cursor
}

// Subscribe returns a subscription to the events with a Seq above after, as far as they are still kept: 0 for all,
// Latest for those from now on, Page.Seq for those that a page does not include. A Seq that this
// manager has not reached yet must be one of another manager: the subscription then begins with all that
// is kept, and counts what is no longer kept as missed. It does not block.
func (m *Manager) Subscribe(after uint64) *Subscription {
	cs := m.reg.enter()
	defer cs.leave()
	if after == Latest {
		after = cs.r.events.Last()
	}
	return &Subscription{m: m, cursor: cs.r.events.From(after)}
}

// Next returns the next event, and blocks until there is one. It returns ctx's error when ctx has
// ended, and io.EOF when the manager has stopped and all its events have been read.
func (s *Subscription) Next(ctx context.Context) (Event, error) {
	if ctx == nil {
		return Event{}, invalid("ctx is nil")
	}
	for {
		if err := ctx.Err(); err != nil {
			return Event{}, err
		}
		e, ok, wake := s.read()
		switch {
		case ok:
			return e, nil
		case wake == nil:
			return Event{}, io.EOF
		}
		if err := awaitClosed(ctx, wake); err != nil {
			return Event{}, err
		}
	}
}

// read returns the next event, or a channel that is closed when there may be one. The channel is nil when
// there will be no more.
func (s *Subscription) read() (e Event, ok bool, wake chan struct{}) {
	cs := s.m.reg.enter()
	seq, kept, ok := cs.r.events.Next(&s.cursor)
	if !ok && cs.r.all.state != Stopped {
		wake = cs.awaitEvent()
		seq, kept, ok = cs.r.events.Next(&s.cursor)
	}
	if ok {
		e = Event{Seq: seq, Time: kept.task.at(kept.at), Kind: eventKinds[kept.kind]}
		e.Task.fill(kept.task)
	}
	cs.leave()
	if ok {
		e.Task.complete(kept.task)
	}
	return e, ok, wake
}

// All returns the events as Next does, until ctx ends or the manager has stopped and all are read.
func (s *Subscription) All(ctx context.Context) iter.Seq[Event] {
	return func(yield func(Event) bool) {
		for {
			e, err := s.Next(ctx)
			if err != nil || !yield(e) {
				return
			}
		}
	}
}

// Missed returns how many events were overwritten before this subscription read them. Reports of
// progress overwrite only each other, and do not count.
func (s *Subscription) Missed() uint64 {
	cs := s.m.reg.enter()
	defer cs.leave()
	cs.r.events.Skip(&s.cursor)
	return s.cursor.Missed()
}
