package fxtasks

import (
	"context"
	"io"
	"iter"
	"math"
	"time"
)

// EventKind says what happened to a task.
type EventKind string

// The kinds of events.
const (
	EventSubmitted  EventKind = "submitted"
	EventStarted    EventKind = "started"
	EventProgress   EventKind = "progress"
	EventCancelling EventKind = "cancelling" // a running task was asked to end
	EventFinished   EventKind = "finished"
)

// Event tells that something happened to a task.
type Event struct {
	Seq  uint64 // 1, 2, 3, … in the order in which it happened
	Time time.Time
	Kind EventKind
	Task Info // as it is when read: never older than the event
}

// Latest makes Subscribe begin with the next event that happens.
const Latest uint64 = math.MaxUint64

// ringSize is how many recent events are kept. They lie in one ring that every subscription reads
// at its own pace: publishing costs the same for none and for a thousand of them, none can hold up
// the others, and resuming by Seq comes for free.
const ringSize = 1024

// ring is protected by the registry's mutex.
type ring struct {
	events []ringEvent // grows to ringSize; event seq lies at (seq-1)%ringSize
	last   uint64      // Seq of the newest
	wake   chan struct{}
}

type ringEvent struct {
	task *Task
	at   moment // of the task
	kind uint8  // an index of eventKinds
}

// eventKinds are there because a record of a string and a time.Time takes twice as long to write.
var eventKinds = [...]EventKind{EventSubmitted, EventStarted, EventProgress, EventCancelling, EventFinished}

const (
	submitted uint8 = iota
	started
	progress
	cancelling
	finished
)

// first gives the Seq of the oldest event that is kept.
func (r *ring) first() uint64 { return r.last - uint64(len(r.events)) + 1 }

func (r *registry) publishLocked(kind uint8, t *Task, at moment) {
	e := ringEvent{t, at, kind}
	if len(r.events.events) < ringSize {
		r.events.events = append(r.events.events, e)
	} else {
		r.events.events[r.events.last%ringSize] = e
	}
	r.events.last++
	r.wakeReadersLocked()
}

// watchLocked arranges for readers to be woken. It can find that there is something to read.
func (r *registry) watchLocked() {
	if r.events.wake != nil {
		return
	}
	r.events.wake = make(chan struct{})
	r.watched.Store(true)
	r.takeInLocked() // who submits after this sees that somebody watches
}

func (r *registry) wakeReadersLocked() {
	if r.events.wake != nil {
		go close(r.events.wake) // not here: to wake a thousand readers takes longer than all else that a submit does
		r.events.wake = nil
		r.watched.Store(false)
	}
}

// Subscription reads a manager's events. It is a cursor: it holds nothing that needs closing. It
// is for one goroutine at a time.
type Subscription struct {
	m      *Manager
	next   uint64 // Seq of the event to read next
	missed uint64
}

// Subscribe gives the events with a Seq above after, as far as they are still kept: 0 for all,
// Latest for those from now on, Page.Seq for those that a page does not include. It does not block.
func (m *Manager) Subscribe(after uint64) *Subscription {
	if after == Latest {
		m.reg.lock()
		after = m.reg.events.last
		m.reg.mu.Unlock()
	}
	return &Subscription{m: m, next: after + 1}
}

// Next gives the next event, and blocks until there is one. It gives ctx's error when ctx has
// ended, and io.EOF when the manager has stopped and all its events have been read.
func (s *Subscription) Next(ctx context.Context) (Event, error) {
	if ctx == nil {
		return Event{}, invalid("ctx is nil")
	}
	for {
		if err := ctx.Err(); err != nil {
			return Event{}, err
		}
		e, wake := s.read()
		if wake == nil {
			e.Task = e.Task.own()
			return e, nil
		}
		if wake == closedChan {
			return Event{}, io.EOF
		}
		if err := await(ctx, wake); err != nil {
			return Event{}, err
		}
	}
}

// read gives the next event, or a channel that is closed when it is worth trying again, which is
// closedChan when there will be none.
func (s *Subscription) read() (Event, chan struct{}) {
	r := s.m.reg
	r.lock()
	defer r.mu.Unlock()
	if s.next > r.events.last {
		if r.all.state == Stopped {
			return Event{}, closedChan
		}
		r.watchLocked()
	}
	if s.next > r.events.last {
		return Event{}, r.events.wake
	}
	s.skipLocked()
	e := r.events.events[(s.next-1)%ringSize]
	seq := s.next
	s.next++
	return Event{Seq: seq, Time: e.task.at(e.at), Kind: eventKinds[e.kind], Task: e.task.infoLocked()}, nil
}

// skipLocked moves on to the oldest event that is kept, if that is ahead.
func (s *Subscription) skipLocked() {
	if first := s.m.reg.events.first(); s.next < first {
		s.missed += first - s.next
		s.next = first
	}
}

// All gives the events as Next does, until ctx ends or the manager has stopped and all are read.
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

// Missed gives how many events were overwritten before this subscription read them.
func (s *Subscription) Missed() uint64 {
	s.m.reg.lock()
	defer s.m.reg.mu.Unlock()
	s.skipLocked()
	return s.missed
}
