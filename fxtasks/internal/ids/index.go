package ids

import (
	"encoding/binary"
	"math/bits"

	"github.com/google/uuid"
)

const (
	segmentSize     = 1024
	bucketsPerValue = 2 // with one, a tenth of the time of a task under a limit went into longer chains
)

type segment[T any] [segmentSize]*T

// Index finds values by their UUIDs, which a Generator has made. It is not safe for concurrent use.
//
// It is a hash table with linear hashing: each Add that fills it splits buckets, each in two, so no Add
// takes long, as doubling a table of 1,000,000 values in one go would. The buckets are chains through the
// values themselves, and the random bits of a UUID are its hash. Like a map, it does not shrink.
type Index[T any] struct {
	node func(*T) *Node[T]

	segments []*segment[T]
	buckets  uint64 // in use
	mask     uint64 // the least 2^n-1 that all numbers of buckets fit into
	len      int
}

// Node is the part of a value that the index needs.
type Node[T any] struct {
	ID   uuid.UUID // must not change while the value is in the index
	next *T        // in its chain
}

// NewIndex makes an empty index. node returns where a value keeps its Node.
func NewIndex[T any](node func(*T) *Node[T]) *Index[T] {
	return &Index[T]{node: node, segments: []*segment[T]{new(segment[T])}, buckets: 1}
}

// Len returns the number of values.
func (x *Index[T]) Len() int { return x.len }

// Find returns the value with the given UUID, or nil if there is none.
func (x *Index[T]) Find(id uuid.UUID) *T {
	t := *x.bucketOf(hash(&id))
	for t != nil {
		n := x.node(t)
		if n.ID == id {
			break
		}
		t = n.next
	}
	return t
}

// Add adds a value whose UUID no value in the index has.
func (x *Index[T]) Add(t *T) {
	n := x.node(t)
	prepend(x.bucketOf(hash(&n.ID)), t, n)
	x.len++
	for range bucketsPerValue {
		if bucketsPerValue*uint64(x.len) > x.buckets {
			x.split()
		}
	}
}

// Remove removes a value. It does nothing if the value is not in the index.
func (x *Index[T]) Remove(t *T) {
	n := x.node(t)
	at := x.bucketOf(hash(&n.ID))
	for *at != t {
		if *at == nil {
			return
		}
		at = &x.node(*at).next
	}
	*at, n.next = n.next, nil
	x.len--
}

// hash returns the last 56 bits of a UUID. The 8 bits before them hold its variant.
func hash(id *uuid.UUID) uint64 { return binary.LittleEndian.Uint64(id[8:]) >> 8 }

// bucketOf returns the head of the chain for a hash. A bucket that is not in use yet is part of the one
// whose number lacks the highest bit.
func (x *Index[T]) bucketOf(hash uint64) **T {
	bucket := hash & x.mask
	if bucket >= x.buckets {
		bucket &= x.mask >> 1
	}
	return x.bucket(bucket)
}

func (x *Index[T]) bucket(n uint64) **T { return &x.segments[n/segmentSize][n%segmentSize] }

func prepend[T any](bucket **T, t *T, n *Node[T]) { n.next, *bucket = *bucket, t }

// split takes one more bucket into use, and moves to it what belongs there.
func (x *Index[T]) split() {
	added := x.buckets
	if added%segmentSize == 0 {
		x.segments = append(x.segments, new(segment[T]))
	}
	x.buckets++
	x.mask = 1<<bits.Len64(added) - 1
	from, to := x.bucket(added&(x.mask>>1)), x.bucket(added)
	t := *from
	*from = nil
	for t != nil {
		n := x.node(t)
		next := n.next
		if hash(&n.ID)&x.mask == added {
			prepend(to, t, n)
		} else {
			prepend(from, t, n)
		}
		t = next
	}
}
