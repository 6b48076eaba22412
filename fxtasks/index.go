package fxtasks

import (
	"github.com/fxtasks/background/fxtasks/internal/ids"
)

// idIndex finds the known tasks by ID.
type idIndex struct {
	generated *ids.Index[Task] // those whose IDs were made here
	chosen    map[string]*Task // comes first: one can look like one that was made
}

func newIDIndex() idIndex {
	return idIndex{
		generated: ids.NewIndex(func(t *Task) *ids.Node[Task] { return &t.idNode }),
		chosen:    make(map[string]*Task),
	}
}

// find gives nil for an ID that no task has.
func (x *idIndex) find(id string) *Task {
	if t := x.chosen[id]; t != nil {
		return t
	}
	made, ok := ids.Parse(id)
	if !ok {
		return nil
	}
	return x.generated.Find(made)
}

// add makes t's ID mean t.
func (x *idIndex) add(t *Task) {
	if t.opts.idSet {
		x.chosen[t.opts.id] = t
	} else {
		x.generated.Add(t)
	}
}

// remove does nothing when t's ID has come to mean another task.
func (x *idIndex) remove(t *Task) {
	switch {
	case !t.opts.idSet:
		x.generated.Remove(t)
	case x.chosen[t.opts.id] == t:
		delete(x.chosen, t.opts.id)
	}
}

// restore makes an ID mean t again, after another task has had it.
func (x *idIndex) restore(t *Task) {
	delete(x.chosen, t.ID())
	if t.opts.idSet {
		x.chosen[t.opts.id] = t
	}
}
