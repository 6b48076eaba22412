package ids

import (
	"slices"
	"testing"
	"time"

	"github.com/google/uuid"
	"pgregory.net/rapid"
)

type value struct {
	Node[value]
}

func newIndex() *Index[value] {
	return NewIndex(func(v *value) *Node[value] { return &v.Node })
}

func TestIndexAgreesWithAMap(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		x := newIndex()
		model := make(map[uuid.UUID]*value)
		var in, out []*value // out: those that were removed
		var g Generator
		same := rapid.Bool().Draw(t, "random bits are the same") // all in one chain
		t.Repeat(map[string]func(*rapid.T){
			"add": func(t *rapid.T) {
				for range rapid.IntRange(1, 150).Draw(t, "n") {
					v := new(value)
					v.ID = g.New(time.Unix(1e9, 0))
					if same {
						clear(v.ID[8:])
					}
					x.Add(v)
					model[v.ID] = v
					in = append(in, v)
				}
			},
			"remove": func(t *rapid.T) {
				step := rapid.IntRange(0, 10).Draw(t, "step")
				for n := range rapid.IntRange(1, 150).Draw(t, "n") {
					if len(in) == 0 {
						return
					}
					i := n * step % len(in)
					x.Remove(in[i])
					delete(model, in[i].ID)
					out = append(out, in[i])
					in = slices.Delete(in, i, i+1)
				}
			},
			"remove again": func(t *rapid.T) {
				for _, v := range out {
					x.Remove(v)
				}
			},
			"": func(t *rapid.T) {
				if x.Len() != len(model) {
					t.Fatalf("Len is %d, want %d", x.Len(), len(model))
				}
				for _, v := range in[:min(len(in), 100)] {
					if x.Find(v.ID) != v {
						t.Fatalf("Find(%s) does not find it", v.ID)
					}
				}
				for _, v := range out[max(len(out)-100, 0):] {
					if x.Find(v.ID) != nil || v.next != nil {
						t.Fatalf("Find(%s) finds what was removed, or it keeps the next one", v.ID)
					}
				}
			},
		})
	})
}

func TestIndexSpreadsItsValues(t *testing.T) {
	x := newIndex()
	var g Generator
	now := time.Now()
	for range 100_000 {
		v := new(value)
		v.ID = g.New(now)
		x.Add(v)
	}
	longest := 0
	for bucket := range x.buckets {
		n := 0
		for v := *x.bucket(bucket); v != nil; v = v.next {
			n++
		}
		longest = max(longest, n)
	}
	if longest > 20 || x.buckets < 100_000 {
		t.Errorf("100,000 values lie in %d buckets with up to %d in one", x.buckets, longest)
	}
}

// doubling is the table that Index is compared with: it grows in one go.
type doubling struct {
	buckets []*value
	len     int
}

func (d *doubling) bucket(id uuid.UUID) **value {
	return &d.buckets[hash(&id)&uint64(len(d.buckets)-1)]
}

func (d *doubling) Find(id uuid.UUID) *value {
	v := *d.bucket(id)
	for v != nil && v.ID != id {
		v = v.next
	}
	return v
}

func (d *doubling) insert(v *value) {
	first := d.bucket(v.ID)
	v.next, *first = *first, v
}

func (d *doubling) Add(v *value) {
	if d.len == len(d.buckets) {
		old := d.buckets
		d.buckets = make([]*value, max(64, 4*len(old)))
		for _, v := range old {
			for v != nil {
				next := v.next
				d.insert(v)
				v = next
			}
		}
	}
	d.len++
	d.insert(v)
}

func (d *doubling) Remove(v *value) {
	at := d.bucket(v.ID)
	for *at != v {
		at = &(*at).next
	}
	*at, v.next = v.next, nil
	d.len--
}

type goMap map[uuid.UUID]*value

func (m goMap) Find(id uuid.UUID) *value { return m[id] }
func (m goMap) Add(v *value)             { m[v.ID] = v }
func (m goMap) Remove(v *value)          { delete(m, v.ID) }

type table interface {
	Find(uuid.UUID) *value
	Add(*value)
	Remove(*value)
}

var tables = []struct {
	name string
	make func() table
}{
	{"index", func() table { return newIndex() }},
	{"map", func() table { return make(goMap) }},
	{"doubling", func() table { return new(doubling) }},
}

// BenchmarkAddFindRemove has a table of a steady size: the oldest value leaves it for each that comes.
func BenchmarkAddFindRemove(b *testing.B) {
	for _, size := range []struct {
		name string
		n    int
	}{{"1000", 1000}, {"1000000", 1_000_000}} {
		for _, kind := range tables {
			b.Run(size.name+"/"+kind.name, func(b *testing.B) {
				var g Generator
				now := time.Now()
				x := kind.make()
				values := make([]value, size.n)
				for i := range values {
					values[i].ID = g.New(now)
					x.Add(&values[i])
				}
				i := 0
				for b.Loop() {
					v := &values[i]
					x.Remove(v)
					v.ID = g.New(now)
					x.Add(v)
					if x.Find(v.ID) != v {
						b.Fatal("not found")
					}
					if i++; i == len(values) {
						i = 0
					}
				}
			})
		}
	}
}

// BenchmarkGrow adds 1,000,000 values to an empty table, and reports how long the slowest 64 Adds in a row
// took, in the round in which they took least: what recurs in each round is the table, not the machine.
func BenchmarkGrow(b *testing.B) {
	const n = 1_000_000
	for _, kind := range tables {
		b.Run(kind.name, func(b *testing.B) {
			var g Generator
			now := time.Now()
			slowest := time.Hour
			for b.Loop() {
				var longest time.Duration
				x := kind.make()
				values := make([]value, n)
				for i := range values {
					values[i].ID = g.New(now)
				}
				last := time.Now()
				for i := range values {
					x.Add(&values[i])
					if i%64 == 63 { // the clock would take longer than an Add
						next := time.Now()
						longest = max(longest, next.Sub(last))
						last = next
					}
				}
				slowest = min(slowest, longest)
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/n, "ns/value")
			b.ReportMetric(float64(slowest.Microseconds()), "µs/slowest-64")
		})
	}
}
