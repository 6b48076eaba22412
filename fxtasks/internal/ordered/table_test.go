package ordered

import (
	"container/list"
	"iter"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

func collect(all iter.Seq2[uint64, *uint64]) (keys []uint64) {
	for key, v := range all {
		if *v != key {
			panic("a key has the value of another")
		}
		keys = append(keys, key)
	}
	return keys
}

// check holds what makes a table sound inside: order, separation, cleared places, no sparse neighbours.
func check(t *rapid.T, table *Table[*uint64]) {
	count := 0
	for i, c := range table.chunks {
		count += c.len()
		if c.len() == 0 && len(table.chunks) > 1 {
			t.Fatalf("chunk %d of %d is empty", i, len(table.chunks))
		}
		for at, e := range c.entries {
			key, v := e.key, e.value
			inside := at >= c.first && at < c.end
			if inside != (v != nil) {
				t.Fatalf("chunk %d has %v at %d, its entries are at %d to %d", i, v, at, c.first, c.end)
			}
			if inside && (key < table.lows[i] || i+1 < len(table.lows) && key >= table.lows[i+1]) {
				t.Fatalf("chunk %d has the key %d, lows are %v", i, key, table.lows)
			}
		}
	}
	if count != table.Len() {
		t.Fatalf("Len is %d, there are %d values", table.Len(), count)
	}
}

func TestTableAgreesWithASortedMap(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var table Table[*uint64]
		model := make(map[uint64]bool)
		next := uint64(1000)
		highest := rapid.SampledFrom([]uint64{20, 2000, 1 << 63}).Draw(t, "highest")
		anyKey := rapid.Uint64Range(0, highest)
		insert := func(key uint64) {
			table.Insert(key, &key)
			model[key] = true
		}
		known := func(t *rapid.T) uint64 { // a key of the table, or one that need not be
			if len(model) == 0 || rapid.IntRange(0, 5).Draw(t, "unknown") == 0 {
				return anyKey.Draw(t, "key")
			}
			return rapid.SampledFrom(slices.Sorted(maps.Keys(model))).Draw(t, "key")
		}
		remove := func(t *rapid.T, key uint64) {
			v, ok := table.Remove(key)
			if ok != model[key] || ok && *v != key {
				t.Fatalf("Remove(%d) gave %v, want %v", key, ok, model[key])
			}
			delete(model, key)
		}
		sorted := func() []uint64 { return slices.Sorted(maps.Keys(model)) }
		t.Repeat(map[string]func(*rapid.T){
			"insert": func(t *rapid.T) { insert(known(t)) },
			"insert many": func(t *rapid.T) {
				for range rapid.IntRange(1, 300).Draw(t, "n") {
					insert(anyKey.Draw(t, "key"))
				}
			},
			"append many": func(t *rapid.T) {
				for range rapid.IntRange(1, 500).Draw(t, "n") {
					next++
					insert(next)
				}
			},
			"prepend many": func(t *rapid.T) {
				lowest := uint64(1000)
				if key, _, ok := table.First(); ok {
					lowest = key
				}
				for range min(lowest, rapid.Uint64Range(1, 300).Draw(t, "n")) {
					lowest--
					insert(lowest)
				}
			},
			"remove": func(t *rapid.T) { remove(t, known(t)) },
			"remove many": func(t *rapid.T) {
				keys := sorted()
				step := rapid.IntRange(1, 5).Draw(t, "step")
				from := rapid.IntRange(0, len(keys)).Draw(t, "from")
				for i := from; i < len(keys); i += step {
					remove(t, keys[i])
				}
			},
			"remove from the end": func(t *rapid.T) {
				for range rapid.IntRange(1, 300).Draw(t, "n") {
					if key, _, ok := table.Last(); ok {
						remove(t, key)
					}
				}
			},
			"pop": func(t *rapid.T) {
				for range rapid.IntRange(1, 300).Draw(t, "n") {
					want := sorted()
					key, v, ok := table.PopFirst()
					if ok != (len(want) > 0) || ok && (key != want[0] || *v != key) {
						t.Fatalf("PopFirst gave %d, %v", key, ok)
					}
					if !ok {
						break
					}
					delete(model, key)
				}
			},
			"get": func(t *rapid.T) {
				key := known(t)
				v, ok := table.Get(key)
				if ok != model[key] || ok && *v != key {
					t.Fatalf("Get(%d) gave %v, want %v", key, ok, model[key])
				}
			},
			"iterate": func(t *rapid.T) {
				from := known(t)
				keys := sorted()
				at, found := slices.BinarySearch(keys, from)
				if got := collect(table.Ascend(from)); !slices.Equal(got, keys[at:]) {
					t.Fatalf("Ascend(%d) gave %v, want %v", from, got, keys[at:])
				}
				if found {
					at++
				}
				want := slices.Clone(keys[:at])
				slices.Reverse(want)
				if got := collect(table.Descend(from)); !slices.Equal(got, want) {
					t.Fatalf("Descend(%d) gave %v, want %v", from, got, want)
				}
			},
			"": func(t *rapid.T) {
				check(t, &table)
				keys := sorted()
				first, _, ok := table.First()
				last, _, ok2 := table.Last()
				if ok != (len(keys) > 0) || ok2 != ok || ok && (first != keys[0] || last != keys[len(keys)-1]) {
					t.Fatalf("First and Last gave %d and %d of %v", first, last, keys)
				}
			},
		})
	})
}

func TestIterationCanStopEarly(t *testing.T) {
	var table Table[int]
	for key := range uint64(300) {
		table.Insert(key, 0)
	}
	for key := range table.Ascend(100) {
		if key == 250 {
			break
		}
	}
	for key := range table.Descend(250) {
		if key == 100 {
			break
		}
	}
}

// Of a table in which few values are left, whatever order the others went in, little memory is left.
func TestMemoryFollowsTheNumberOfValues(t *testing.T) {
	const n = 100_000
	for name, order := range map[string][]int{"ascending": ascending(n), "random": rand.Perm(n)} {
		t.Run(name, func(t *testing.T) {
			var table Table[int]
			for key := range n {
				table.Insert(uint64(key), key)
			}
			for left := n; left > 100; left-- {
				table.Remove(uint64(order[n-left]))
				if limit := left/(chunkSize/4) + 4; len(table.chunks) > limit {
					t.Fatalf("%d values lie in %d chunks, want at most %d", left, len(table.chunks), limit)
				}
			}
		})
	}
}

func ascending(n int) []int {
	order := make([]int, n)
	for i := range order {
		order[i] = i
	}
	return order
}

func TestTableThatHoldsOneValueNowAndThenDoesNotAllocate(t *testing.T) {
	var table Table[*int]
	key, v := uint64(0), new(int)
	if n := testing.AllocsPerRun(1000, func() {
		key++
		table.Insert(key, v)
		table.PopFirst()
	}); n != 0 {
		t.Errorf("an Insert and a PopFirst allocate %v times", n)
	}
}

const many = 1_000_000

func BenchmarkQueue(b *testing.B) { // of 1,000
	b.Run("table", func(b *testing.B) {
		var table Table[*int]
		v := new(int)
		for key := uint64(0); b.Loop(); key++ {
			table.Insert(key, v)
			if table.Len() > 1000 {
				table.PopFirst()
			}
		}
	})
	b.Run("list", func(b *testing.B) {
		l := list.New()
		v := new(int)
		for b.Loop() {
			l.PushBack(v)
			if l.Len() > 1000 {
				l.Remove(l.Front())
			}
		}
	})
}

func BenchmarkRemoveInAnyOrder(b *testing.B) {
	order := rand.Perm(many)
	b.Run("table", func(b *testing.B) {
		for b.Loop() {
			var table Table[*int]
			v := new(int)
			for key := range uint64(many) {
				table.Insert(key, v)
			}
			for _, key := range order {
				table.Remove(uint64(key))
			}
		}
		b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/many, "ns/value")
	})
	b.Run("list", func(b *testing.B) { // its user knows the element, and need not search
		for b.Loop() {
			l := list.New()
			elements := make([]*list.Element, many)
			v := new(int)
			for key := range elements {
				elements[key] = l.PushBack(v)
			}
			for _, key := range order {
				l.Remove(elements[key])
			}
		}
		b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/many, "ns/value")
	})
}

func BenchmarkInsertInAnyOrder(b *testing.B) {
	for b.Loop() {
		var table Table[*int]
		v := new(int)
		for _, key := range rand.Perm(many) {
			table.Insert(uint64(key), v)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/many, "ns/value")
}
