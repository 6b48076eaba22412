package ordered

import "slices"

const (
	chunkSize      = 128
	firstChunkSize = 8 // a table that never holds much takes little memory
)

// chunk is a sorted part of a table. Its entries lie at first..end-1 of two slices of the same length,
// which is chunkSize, or less while the chunk is the only one that the table has had.
type chunk[V any] struct {
	first, end int
	keys       []uint64
	values     []V // the zero value outside of first..end-1, so that nothing keeps what was removed
}

func newChunk[V any](size int) *chunk[V] {
	return &chunk[V]{keys: make([]uint64, size), values: make([]V, size)}
}

func (c *chunk[V]) len() int { return c.end - c.first }

// search returns where the key lies, or where it would be inserted.
func (c *chunk[V]) search(key uint64) (at int, found bool) {
	if c.first < c.end && c.keys[c.first] == key { // the oldest value leaves first, most often
		return c.first, true
	}
	i, found := slices.BinarySearch(c.keys[c.first:c.end], key)
	return c.first + i, found
}

// append adds an entry after all others. There is room at the end.
func (c *chunk[V]) append(key uint64, v V) {
	c.keys[c.end], c.values[c.end] = key, v
	c.end++
}

// insert adds an entry before the one at the given place. It moves the shorter side. There is room.
func (c *chunk[V]) insert(at int, key uint64, v V) {
	if c.first > 0 && (c.end == len(c.keys) || at-c.first < c.end-at) {
		copy(c.keys[c.first-1:], c.keys[c.first:at])
		copy(c.values[c.first-1:], c.values[c.first:at])
		c.first--
		at--
	} else {
		copy(c.keys[at+1:], c.keys[at:c.end])
		copy(c.values[at+1:], c.values[at:c.end])
		c.end++
	}
	c.keys[at], c.values[at] = key, v
}

// nearFirst is how far a key may lie above the first one to be looked for from there on, one by one: tasks leave
// about in the order in which they came.
const nearFirst = 16

// removeNearFirst removes the entry with a key that is less than nearFirst above that of the first of several
// entries. It returns false if there is none.
func (c *chunk[V]) removeNearFirst(key uint64) (v V, ok bool) {
	at := c.first
	for c.keys[at] < key && at < c.end-1 {
		at++
	}
	if c.keys[at] != key {
		return v, false
	}
	v = c.values[at]
	for ; at > c.first; at-- {
		c.keys[at], c.values[at] = c.keys[at-1], c.values[at-1]
	}
	var none V
	c.values[at] = none
	c.first++
	return v, true
}

// remove removes the entry at the given place. It moves the shorter side.
func (c *chunk[V]) remove(at int) V {
	v := c.values[at]
	var none V
	if at-c.first < c.end-1-at {
		copy(c.keys[c.first+1:], c.keys[c.first:at])
		copy(c.values[c.first+1:], c.values[c.first:at])
		c.values[c.first] = none
		c.first++
	} else {
		copy(c.keys[at:], c.keys[at+1:c.end])
		copy(c.values[at:], c.values[at+1:c.end])
		c.end--
		c.values[c.end] = none
	}
	return v
}

// take appends the entries of from that lie at or after the given place, and removes them there. There
// is room at the end.
func (c *chunk[V]) take(from *chunk[V], at int) {
	copy(c.keys[c.end:], from.keys[at:from.end])
	c.end += copy(c.values[c.end:], from.values[at:from.end])
	clear(from.values[at:from.end])
	from.end = at
}

// slide moves the entries to the beginning of the slices.
func (c *chunk[V]) slide() {
	copy(c.keys, c.keys[c.first:c.end])
	copy(c.values, c.values[c.first:c.end])
	n := c.len()
	clear(c.values[max(n, c.first):c.end])
	c.first, c.end = 0, n
}

// grow gives a chunk that is smaller than others twice the room.
func (c *chunk[V]) grow() {
	larger := newChunk[V](2 * len(c.keys))
	larger.take(c, c.first)
	*c = *larger
}
