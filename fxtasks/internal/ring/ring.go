// Package ring keeps the most recent events for readers that each have their own pace.
package ring

import "sort"

// Size is how many reports are kept, and how many other events.
const Size = 1024

// Ring keeps the most recent events. The zero value is an empty ring. It is not safe for concurrent use.
//
// Events are numbered 1, 2, 3, … Reports of progress are events that later ones make worthless, and there
// can be very many of them. So they have a track of their own: they overwrite only older reports, other
// events overwrite only other events, and only other events that were overwritten are counted as missed.
// A reader gets both in the order of their numbers.
type Ring[E any] struct {
	last    uint64
	others  track[E]
	reports track[E]
}

// Cursor is the place of a reader in a ring. Make one with Ring.From.
type Cursor struct {
	other, report uint64 // the indexes of the next entry in both tracks
	missed        uint64
}

// Missed returns how many events other than reports the reader could not get, because they were
// overwritten or dropped before it came to them.
func (c *Cursor) Missed() uint64 { return c.missed }

// Publish adds an event and returns its number.
func (r *Ring[E]) Publish(e E) (seq uint64) {
	r.last++
	r.others.add(r.last, e)
	return r.last
}

// Report adds a report of progress and returns its number.
func (r *Ring[E]) Report(e E) (seq uint64) {
	r.last++
	r.reports.add(r.last, e)
	return r.last
}

// Last returns the number of the newest event, which is 0 if there was none.
func (r *Ring[E]) Last() uint64 { return r.last }

// From returns a cursor for the events with numbers above after. If there has been no event with that
// number yet, it is of another ring, and the cursor is for all events.
func (r *Ring[E]) From(after uint64) Cursor {
	if after > r.last {
		after = 0
	}
	c := Cursor{other: r.others.indexAfter(after), report: r.reports.indexAfter(after)}
	if c.other == r.others.oldest() { // the reader may have missed some of those that were overwritten
		c.other = min(c.other, after-r.fewestReportsUpTo(after, c.report))
	}
	return c
}

// fewestReportsUpTo returns how many reports have numbers up to after. The place of overwritten reports is
// not known exactly. Then it returns the lowest possible number, so that nothing is counted as missed that
// was not. next is the index of the first kept report above after.
func (r *Ring[E]) fewestReportsUpTo(after, next uint64) uint64 {
	oldest := r.reports.oldest()
	if oldest == 0 || next > oldest {
		return next
	}
	between := r.reports.at(oldest).seq - 1 - after // this many of the overwritten ones can be above after
	return oldest - min(oldest, between)
}

// Next returns the next event and its number, and moves the cursor past it. It returns false if the reader
// has had all events.
func (r *Ring[E]) Next(c *Cursor) (seq uint64, e E, ok bool) {
	slot, index := r.skip(c)
	if slot == nil {
		return 0, e, false
	}
	*index++
	return slot.seq, slot.event, true
}

// Skip moves a cursor that lies before the oldest event that is kept up to it, and counts what it missed.
func (r *Ring[E]) Skip(c *Cursor) { r.skip(c) }

// skip moves the cursor to the next event that is kept. It returns that event and the index in the cursor that
// Next has to move past it, or nil if there is none.
func (r *Ring[E]) skip(c *Cursor) (*slot[E], *uint64) {
	if oldest := r.others.oldest(); c.other < oldest {
		c.missed += oldest - c.other
		c.other = oldest
	}
	c.report = max(c.report, r.reports.oldest())
	for {
		other, report := r.others.at(c.other), r.reports.at(c.report)
		switch {
		case other == nil && report == nil:
			return nil, nil
		case report == nil || other != nil && other.seq < report.seq:
			if !other.dropped {
				return other, &c.other
			}
			c.other++
			c.missed++
		default:
			if !report.dropped {
				return report, &c.report
			}
			c.report++
		}
	}
}

// Drop forgets the events for which drop returns true, as if they had been overwritten.
func (r *Ring[E]) Drop(drop func(E) bool) {
	r.others.drop(drop)
	r.reports.drop(drop)
}

// track is a ring of events of one kind. It grows up to Size.
type track[E any] struct {
	slots []slot[E] // the entry with index i lies at i%Size
	count uint64    // of all entries, also those that were overwritten: the index of the next one
}

type slot[E any] struct {
	seq     uint64
	dropped bool
	event   E
}

func (t *track[E]) add(seq uint64, e E) {
	if len(t.slots) < Size {
		t.grow()
	}
	s := &t.slots[t.count%Size]
	s.seq, s.dropped, s.event = seq, false, e
	t.count++
}

// grow is a function of its own because new goroutines have a small stack, and to grow that takes longer than all else.
//
//go:noinline
func (t *track[E]) grow() { t.slots = append(t.slots, slot[E]{}) }

// oldest returns the index of the oldest entry that is kept.
func (t *track[E]) oldest() uint64 { return t.count - uint64(len(t.slots)) }

// at returns the entry with the given index, which must not have been overwritten, or nil if there is none yet.
func (t *track[E]) at(index uint64) *slot[E] {
	if index >= t.count {
		return nil
	}
	return &t.slots[index%Size]
}

// indexAfter returns the index of the first kept entry with a number above seq.
func (t *track[E]) indexAfter(seq uint64) uint64 {
	oldest := t.oldest()
	return oldest + uint64(sort.Search(len(t.slots), func(i int) bool { return t.at(oldest+uint64(i)).seq > seq }))
}

func (t *track[E]) drop(drop func(E) bool) {
	for i := range t.slots {
		if s := &t.slots[i]; !s.dropped && drop(s.event) {
			*s = slot[E]{seq: s.seq, dropped: true}
		}
	}
}
