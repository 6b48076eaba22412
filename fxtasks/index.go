package fxtasks

import (
	"github.com/fxtasks/background/fxtasks/internal/ids"
	"github.com/fxtasks/background/fxtasks/internal/ordered"
)

// idIndex finds the known tasks by ID.
//
// A generated ID is found by the time in it: no two are the same, and tasks come, and mostly go, in the order of
// these times. To add and remove one takes half the time that a map takes, and with 100,000 tasks a fifth, since
// the places in a map are seldom in the processor's cache.
type idIndex struct {
	generated ordered.Table[*Task] // by ids.TimeOf
	chosen    map[string]*Task     // looked up first, since a chosen ID can look like a generated one
}

func newIDIndex() idIndex { return idIndex{chosen: make(map[string]*Task)} }

// find returns nil for an ID that no task has.
func (x *idIndex) find(id string) *Task {
	if t := x.chosen[id]; t != nil {
		return t
	}
	parsed, ok := ids.Parse(id)
	if !ok {
		return nil
	}
	t, ok := x.generated.Get(ids.TimeOf(parsed))
	if !ok || t.generatedID != parsed {
		return nil
	}
	return t
}

// add makes t's ID mean t.
func (x *idIndex) add(t *Task) {
	if t.opts.idSet {
		x.chosen[t.opts.id] = t
	} else {
		x.generated.Insert(ids.TimeOf(t.generatedID), t)
	}
}

// remove removes t, unless its ID means another task now.
func (x *idIndex) remove(t *Task) {
	switch {
	case !t.opts.idSet:
		x.generated.Remove(ids.TimeOf(t.generatedID))
	case x.chosen[t.opts.id] == t:
		delete(x.chosen, t.opts.id)
	}
}

// restore makes the ID of t mean t again, after another task has had it.
func (x *idIndex) restore(t *Task) {
	delete(x.chosen, t.ID())
	if t.opts.idSet {
		x.chosen[t.opts.id] = t
	}
}
