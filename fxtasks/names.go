package fxtasks

import (
	"context"
	"maps"
	"runtime/pprof"
)

// nameStats is what is kept per task name: counters, and the labels of the goroutines, prebuilt
// because to build them for each task would cost it three allocations.
type nameStats struct {
	tally
	labels context.Context
}

const (
	maxNames  = 1000
	otherName = "other"
)

func newNameStats(name string) *nameStats {
	return &nameStats{labels: pprof.WithLabels(context.Background(), pprof.Labels("task_name", name))}
}

// label gives what is kept for a name; nil when nothing is yet.
func (r *registry) label(name string) *nameStats { return (*r.names.Load())[name] }

func (r *registry) labelLocked(name string) *nameStats {
	if n := r.label(name); n != nil {
		return n
	}
	names := *r.names.Load()
	if len(names) == maxNames {
		return r.otherNames
	}
	n := newNameStats(name)
	names = maps.Clone(names)
	names[name] = n
	r.names.Store(&names)
	return n
}
