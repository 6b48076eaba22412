package ordered

const (
	chunkSize      = 128
	firstChunkSize = 8 // so that a table that never holds much takes little memory
)

// near is how many entries at either end of a table are looked at one by one before a search: tasks come and leave
// about in the order of their keys.
const near = 16

// chunk is a sorted part of a table. Its entries lie at first..end-1 of a slice, whose length is chunkSize, or
// less while the chunk is the only one that the table has had.
type chunk[V any] struct {
	first, end int
	entries    []entry[V] // zero outside of first..end-1, so that nothing keeps what was removed
}

type entry[V any] struct {
	key   uint64
	value V
}

func newChunk[V any](size int) *chunk[V] { return &chunk[V]{entries: make([]entry[V], size)} }

func (c *chunk[V]) len() int { return c.end - c.first }

func (c *chunk[V]) used() []entry[V] { return c.entries[c.first:c.end] }

// search returns where the key lies, or where it would be inserted.
func (c *chunk[V]) search(key uint64) (at int, found bool) {
	low, high := c.first, c.end
	for low < high {
		if middle := int(uint(low+high) / 2); c.entries[middle].key < key {
			low = middle + 1
		} else {
			high = middle
		}
	}
	return low, low < c.end && c.entries[low].key == key
}

// append adds an entry after all others. The chunk must have room at its end.
func (c *chunk[V]) append(e entry[V]) {
	c.entries[c.end] = e
	c.end++
}

// insertNearEnd adds an entry among the last ones. It returns false, and adds nothing, if the entry belongs before
// all of these, or one of them has its key. The chunk must have room at its end.
func (c *chunk[V]) insertNearEnd(e entry[V]) bool {
	used := c.entries[max(c.first, c.end-near):c.end]
	at := len(used)
	for at > 0 && used[at-1].key > e.key {
		at--
	}
	if at == 0 || used[at-1].key == e.key {
		return false
	}
	after := c.entries[c.end-len(used)+at : c.end+1]
	copy(after[1:], after)
	after[0] = e
	c.end++
	return true
}

// removeNearFirst removes the entry with the given key. It returns false if that is not one of the first ones.
func (c *chunk[V]) removeNearFirst(key uint64) (v V, ok bool) {
	used := c.entries[c.first:min(c.end, c.first+near)]
	at := 0
	for at < len(used) && used[at].key < key {
		at++
	}
	if at == len(used) || used[at].key != key {
		return v, false
	}
	v = used[at].value
	for ; at > 0; at-- {
		used[at] = used[at-1]
	}
	used[0] = entry[V]{}
	c.first++
	return v, true
}

// insert adds an entry before the one at the given place. It moves the shorter side. The chunk must
// have room.
func (c *chunk[V]) insert(at int, e entry[V]) {
	if c.first > 0 && (c.end == len(c.entries) || at-c.first < c.end-at) {
		copy(c.entries[c.first-1:], c.entries[c.first:at])
		c.first--
		at--
	} else {
		copy(c.entries[at+1:], c.entries[at:c.end])
		c.end++
	}
	c.entries[at] = e
}

// remove removes the entry at the given place. It moves the shorter side.
func (c *chunk[V]) remove(at int) V {
	v := c.entries[at].value
	if at-c.first < c.end-1-at {
		copy(c.entries[c.first+1:], c.entries[c.first:at])
		c.entries[c.first] = entry[V]{}
		c.first++
	} else {
		copy(c.entries[at:], c.entries[at+1:c.end])
		c.end--
		c.entries[c.end] = entry[V]{}
	}
	return v
}

// take moves the entries of from that lie at or after the given place to the end of c, which must have room there.
func (c *chunk[V]) take(from *chunk[V], at int) {
	moved := from.entries[at:from.end]
	c.end += copy(c.entries[c.end:], moved)
	clear(moved)
	from.end = at
}

// slide moves the entries to the beginning of the slice.
func (c *chunk[V]) slide() {
	n := copy(c.entries, c.used())
	clear(c.entries[max(n, c.first):c.end])
	c.first, c.end = 0, n
}

// grow doubles the room of a chunk that is shorter than chunkSize.
func (c *chunk[V]) grow() {
	larger := newChunk[V](2 * len(c.entries))
	larger.take(c, c.first)
	*c = *larger
}
