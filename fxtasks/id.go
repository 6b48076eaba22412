package fxtasks

import (
	"encoding/binary"
	"math/rand/v2"
	"time"

	"github.com/google/uuid"
)

// newID makes a UUIDv7: 48 bits of Unix milliseconds, 12 bits of fractions of one, 62 random bits.
//
// uuid.NewV7 makes the same, but it reads the clock that Submit has read already, and draws from a
// reader, under a lock each: that took a tenth of the time of a task. The random bits come from the
// runtime's ChaCha8, which the operating system seeds, and which has a state per thread.
func newID(now time.Time) (id uuid.UUID) {
	nanos := uint64(now.UnixNano())
	ms, fraction := nanos/1e6, nanos%1e6*(1<<12)/1e6
	binary.BigEndian.PutUint64(id[:8], ms<<16|7<<12|fraction)
	binary.BigEndian.PutUint64(id[8:], 2<<62|rand.Uint64()>>2)
	return id
}

// idIndex finds the known tasks by ID.
type idIndex struct {
	// The tasks whose IDs newID made, in a hash table that is threaded through them: such an ID is its
	// own hash. A map took five times as long, a tenth of the time of a task. len(made) is a power of 2, and like that of a
	// map it does not shrink.
	made   []*Task
	tasks  int              // in made
	chosen map[string]*Task // comes first: one can look like one that was made
}

func newIDIndex() idIndex {
	return idIndex{made: make([]*Task, 64), chosen: make(map[string]*Task)}
}

// find gives nil for an ID that no task has.
func (x *idIndex) find(id string) *Task {
	if t := x.chosen[id]; t != nil {
		return t
	}
	made, err := uuid.Parse(id)
	if err != nil || made.String() != id { // Parse takes other spellings
		return nil
	}
	t := *x.bucket(made)
	for t != nil && t.madeID != made {
		t = t.nextByID
	}
	return t
}

// add makes t's ID mean t.
func (x *idIndex) add(t *Task) {
	if t.opts.idSet {
		x.chosen[t.opts.id] = t
		return
	}
	if x.tasks == len(x.made) {
		x.grow()
	}
	x.tasks++
	x.insert(t)
}

// remove does nothing to a task that has come to have the same ID.
func (x *idIndex) remove(t *Task) {
	if t.opts.idSet {
		if x.chosen[t.opts.id] == t {
			delete(x.chosen, t.opts.id)
		}
		return
	}
	at := x.bucket(t.madeID)
	for *at != t {
		at = &(*at).nextByID
	}
	*at, t.nextByID = t.nextByID, nil
	x.tasks--
}

// giveBack makes an ID mean t again, after another task has had it.
func (x *idIndex) giveBack(t *Task) {
	delete(x.chosen, t.ID())
	if t.opts.idSet {
		x.chosen[t.opts.id] = t
	}
}

func (x *idIndex) bucket(made uuid.UUID) **Task {
	return &x.made[binary.LittleEndian.Uint64(made[8:])>>8&uint64(len(x.made)-1)] // less the byte with the variant
}

func (x *idIndex) insert(t *Task) {
	first := x.bucket(t.madeID)
	t.nextByID, *first = *first, t
}

func (x *idIndex) grow() {
	old := x.made
	x.made = make([]*Task, 4*len(old))
	for _, t := range old {
		for t != nil {
			next := t.nextByID
			x.insert(t)
			t = next
		}
	}
}
