// Package ordered provides a table that keeps its values in the order of their keys.
package ordered

import (
	"iter"
	"slices"
)

// Table keeps values in the order of their keys. The zero value is an empty table. It is not safe for
// concurrent use, and must not be changed during an iteration.
//
// To add at the end and to remove from either end takes constant time. To add or remove anywhere
// takes a binary search and moves at most half a chunk. Memory follows the number of values: empty
// chunks are dropped and sparse neighbours are merged. The last chunk of a table stays when it
// empties, so that a table that holds one value now and then does not allocate each time, and one spare
// chunk is kept, so that a queue of a steady length does not allocate either.
//
// A doubly linked list is as fast at its ends, but it cannot search; a balanced tree takes a node with
// its pointers for each value and several cache misses for each step of an iteration.
type Table[V any] struct {
	chunks []*chunk[V] // in order of their keys; only the sole chunk of a table can be empty
	// lows separates the chunks: the keys of chunks[i] are at least lows[i] and below lows[i+1]. It is a
	// slice of its own so that a binary search stays within few cache lines.
	lows  []uint64
	len   int
	spare *chunk[V] // empty, of full size; nil: none
}

// Len returns the number of values.
func (t *Table[V]) Len() int { return t.len }

// Insert adds a value, or replaces the one that has the same key.
func (t *Table[V]) Insert(key uint64, v V) {
	if t.len > 0 {
		c := t.chunks[len(t.chunks)-1]
		switch {
		case c.end == len(c.entries):
		case c.entries[c.end-1].key < key:
			c.entries[c.end] = entry[V]{key, v}
			c.end++
			t.len++
			return
		case c.insertNearEnd(entry[V]{key, v}):
			t.len++
			return
		}
	}
	t.insert(key, v)
}

// insert is the part of Insert that is seldom needed. Like remove it is a function of its own because new
// goroutines have a small stack, and to grow it takes longer than all else.
//
//go:noinline
func (t *Table[V]) insert(key uint64, v V) {
	if t.len == 0 {
		t.insertFirst(key, v)
		return
	}
	if c := t.chunks[len(t.chunks)-1]; key > c.entries[c.end-1].key {
		t.append(c, entry[V]{key, v})
		return
	}
	i := t.chunkOf(key)
	c := t.chunks[i]
	at, found := c.search(key)
	if found {
		c.entries[at].value = v
		return
	}
	if c.len() == len(c.entries) {
		if c.len() < chunkSize {
			c.grow()
		} else if right := t.split(i); key >= t.lows[i+1] {
			c = right
		}
		at, _ = c.search(key)
	}
	t.lows[i] = min(t.lows[i], key)
	c.insert(at, entry[V]{key, v})
	t.len++
}

func (t *Table[V]) insertFirst(key uint64, v V) {
	if len(t.chunks) == 0 {
		t.addChunk(0, newChunk[V](firstChunkSize), key)
	}
	t.lows[0] = key
	t.chunks[0].append(entry[V]{key, v})
	t.len = 1
}

// append adds a value to the last chunk, or to a new one after it.
func (t *Table[V]) append(last *chunk[V], e entry[V]) {
	if last.end == len(last.entries) {
		switch {
		case last.len() <= len(last.entries)/2:
			last.slide() // this frees at least as many places as it moves values
		case len(last.entries) < chunkSize:
			last.grow()
		default:
			last = t.takeSpare()
			t.addChunk(len(t.chunks), last, e.key)
		}
	}
	last.append(e)
	t.len++
}

// Remove removes the value with the given key and returns it. It returns false if there is none.
func (t *Table[V]) Remove(key uint64) (v V, ok bool) {
	if t.len > 0 {
		if c := t.chunks[0]; c.len() > 1 || len(t.chunks) == 1 {
			if v, ok = c.removeNearFirst(key); ok {
				t.len--
				switch {
				case t.len == 0:
					c.first, c.end = 0, 0
				case c.len() <= chunkSize/4 && t.sparse(0):
					t.merge(0)
				}
				return v, true
			}
		}
	}
	return t.remove(key)
}

//go:noinline
func (t *Table[V]) remove(key uint64) (v V, ok bool) {
	if t.len == 0 {
		return v, false
	}
	i := t.chunkOf(key)
	at, ok := t.chunks[i].search(key)
	if !ok {
		return v, false
	}
	return t.removeAt(i, at), true
}

// Get returns the value with the given key. It returns false if there is none.
func (t *Table[V]) Get(key uint64) (v V, ok bool) {
	if t.len == 0 {
		return v, false
	}
	c := t.chunks[t.chunkOf(key)]
	at, ok := c.search(key)
	if !ok {
		return v, false
	}
	return c.entries[at].value, true
}

// First returns the lowest key and its value. It returns false if the table is empty.
func (t *Table[V]) First() (key uint64, v V, ok bool) {
	if t.len == 0 {
		return 0, v, false
	}
	c := t.chunks[0]
	return c.entries[c.first].key, c.entries[c.first].value, true
}

// Last returns the highest key and its value. It returns false if the table is empty.
func (t *Table[V]) Last() (key uint64, v V, ok bool) {
	if t.len == 0 {
		return 0, v, false
	}
	c := t.chunks[len(t.chunks)-1]
	return c.entries[c.end-1].key, c.entries[c.end-1].value, true
}

// PopFirst removes the value with the lowest key and returns both. It returns false if the table is empty.
func (t *Table[V]) PopFirst() (key uint64, v V, ok bool) {
	if t.len == 0 {
		return 0, v, false
	}
	c := t.chunks[0]
	first := &c.entries[c.first]
	key, v = first.key, first.value
	if c.len() <= chunkSize/4 {
		t.removeAt(0, c.first)
		return key, v, true
	}
	*first = entry[V]{}
	c.first++
	t.len--
	return key, v, true
}

// Ascend iterates over the keys that are at least from, lowest first.
func (t *Table[V]) Ascend(from uint64) iter.Seq2[uint64, V] {
	return func(yield func(uint64, V) bool) {
		if t.len == 0 {
			return
		}
		i := t.chunkOf(from)
		at, _ := t.chunks[i].search(from)
		for {
			for c := t.chunks[i]; at < c.end; at++ {
				if !yield(c.entries[at].key, c.entries[at].value) {
					return
				}
			}
			i++
			if i == len(t.chunks) {
				return
			}
			at = t.chunks[i].first
		}
	}
}

// Descend iterates over the keys that are at most from, highest first.
func (t *Table[V]) Descend(from uint64) iter.Seq2[uint64, V] {
	return func(yield func(uint64, V) bool) {
		if t.len == 0 {
			return
		}
		i := t.chunkOf(from)
		at, found := t.chunks[i].search(from)
		if !found {
			at--
		}
		for {
			for c := t.chunks[i]; at >= c.first; at-- {
				if !yield(c.entries[at].key, c.entries[at].value) {
					return
				}
			}
			i--
			if i < 0 {
				return
			}
			at = t.chunks[i].end - 1
		}
	}
}

// chunkOf returns the index of the chunk that has the key, if any has. The table is not empty.
func (t *Table[V]) chunkOf(key uint64) int {
	i, found := slices.BinarySearch(t.lows, key)
	if !found {
		i = max(i-1, 0)
	}
	return i
}

// removeAt removes the entry at the given place of chunks[i], which it then merges or drops if it should be.
func (t *Table[V]) removeAt(i, at int) V {
	c := t.chunks[i]
	v := c.remove(at)
	t.len--
	switch {
	case c.len() > 0:
		t.mergeIfSparse(i)
	case len(t.chunks) > 1:
		t.dropChunk(i)
	default:
		c.first, c.end = 0, 0
	}
	return v
}

// split moves the upper half of a full chunk to a new one after it, and returns that.
func (t *Table[V]) split(i int) *chunk[V] {
	left, right := t.chunks[i], t.takeSpare()
	middle := left.first + left.len()/2
	right.take(left, middle)
	t.addChunk(i+1, right, right.entries[0].key)
	return right
}

// mergeIfSparse merges chunks[i] with a neighbour, if both together fill at most half a chunk. So two neighbours
// hold more than that, and neither splits soon after.
func (t *Table[V]) mergeIfSparse(i int) {
	switch {
	case t.chunks[i].len() > chunkSize/4:
	case i > 0 && t.sparse(i-1):
		t.merge(i - 1)
	case t.sparse(i):
		t.merge(i)
	}
}

// sparse reports whether chunks[i] and the next chunk fill at most half a chunk.
func (t *Table[V]) sparse(i int) bool {
	return i+1 < len(t.chunks) && t.chunks[i].len()+t.chunks[i+1].len() <= chunkSize/2
}

// merge appends the chunk after chunks[i] to chunks[i].
//
//go:noinline
func (t *Table[V]) merge(i int) {
	l, r := t.chunks[i], t.chunks[i+1]
	l.slide()
	l.take(r, r.first)
	t.dropChunk(i + 1)
}

func (t *Table[V]) addChunk(i int, c *chunk[V], low uint64) {
	t.chunks = insertAt(t.chunks, i, c)
	t.lows = insertAt(t.lows, i, low)
}

// takeSpare returns an empty chunk of full size: the spare one, or a new one.
func (t *Table[V]) takeSpare() *chunk[V] {
	c := t.spare
	if c == nil {
		return newChunk[V](chunkSize)
	}
	t.spare = nil
	return c
}

// dropChunk removes an empty chunk, and keeps it as the spare one.
func (t *Table[V]) dropChunk(i int) {
	if c := t.chunks[i]; len(c.entries) == chunkSize {
		c.first, c.end = 0, 0
		t.spare = c
	}
	if i == 0 { // in constant time: this is how a queue empties
		t.chunks[0] = nil
		t.chunks, t.lows = t.chunks[1:], t.lows[1:]
		return
	}
	t.chunks = slices.Delete(t.chunks, i, i+1)
	t.lows = slices.Delete(t.lows, i, i+1)
}

// insertAt inserts v at s[i]. slices.Insert does more, and adds 12 KB to each program.
func insertAt[T any](s []T, i int, v T) []T {
	s = append(s, v)
	copy(s[i+1:], s[i:])
	s[i] = v
	return s
}
