package oteladapter

import (
	"sync"
	"sync/atomic"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
)

const (
	keyID      = attribute.Key("background.task.id")
	keyName    = attribute.Key("background.task.name")
	keyGroup   = attribute.Key("background.task.group")
	keyStatus  = attribute.Key("background.task.status")
	keyAttempt = attribute.Key("background.task.attempt")
	keyError   = attribute.Key("error.type")
)

// maxSeries is how many pairs of name and group have series of their own, as names have in Stats.
const maxSeries = 1000

// series are the attribute sets of the tasks of a name and group. Making a set costs more than
// running a task that does nothing, so they are kept.
type series struct {
	span     string // its name; "": of several
	wait     []metric.RecordOption
	duration [outcomes][]metric.RecordOption
}

func newSeries(name, group string) *series {
	base := []attribute.KeyValue{keyName.String(name)}
	if group != "" {
		base = append(base, keyGroup.String(group))
	}
	s := &series{span: spanName(name), wait: options(base)}
	for o := range outcomes {
		all := append(base[:len(base):len(base)], keyStatus.String(o.status().String()))
		if o != completed {
			all = append(all, keyError.String(o.errorType()))
		}
		s.duration[o] = options(all)
	}
	return s
}

func spanName(name string) string { return "run " + name }

// spanName gives the name of the spans of tasks of the name.
func (s *series) spanName(name string) string {
	if s.span == "" {
		return spanName(name)
	}
	return s.span
}

func options(kvs []attribute.KeyValue) []metric.RecordOption {
	return []metric.RecordOption{metric.WithAttributeSet(attribute.NewSet(kvs...))}
}

type pair struct{ name, group string }

// seriesTable keeps the series of the first pairs. All further ones are counted as "other".
type seriesTable struct {
	kept  sync.Map // pair to *series
	count atomic.Int64
	other *series
}

func newSeriesTable() *seriesTable {
	t := &seriesTable{other: newSeries("other", "")}
	t.other.span = ""
	return t
}

func (t *seriesTable) of(name, group string) *series {
	key := pair{name, group}
	if s, ok := t.kept.Load(key); ok {
		return s.(*series)
	}
	if t.count.Add(1) > maxSeries {
		t.count.Add(-1)
		return t.other
	}
	s, loaded := t.kept.LoadOrStore(key, newSeries(name, group))
	if loaded {
		t.count.Add(-1)
	}
	return s.(*series)
}
