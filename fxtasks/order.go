package fxtasks

import (
	"strconv"
	"strings"
)

// Order is the order in which List returns tasks.
type Order uint8

const (
	NewestFirst      Order = iota // by submission. This is the default
	OldestFirst                   // by submission
	LatestEndedFirst              // by their end; only tasks that have ended
)

// start returns the key at which the order begins.
func (o Order) start() uint64 {
	if o == OldestFirst {
		return 0
	}
	return Latest
}

// before reports whether key comes before other in the order.
func (o Order) before(key, other uint64) bool {
	if o == OldestFirst {
		return key < other
	}
	return key > other
}

// after returns the key that follows in the order.
func (o Order) after(key uint64) uint64 {
	if o == OldestFirst {
		return key + min(1, Latest-key)
	}
	return key - min(1, key)
}

// walk calls see for each record from a key on, until see returns false. It reports whether see has stopped it.
func (o Order) walk(r *registry, from uint64, see func(key uint64, t *Task) bool) (stopped bool) {
	records := r.records.Descend
	switch o {
	case OldestFirst:
		records = r.records.Ascend
	case LatestEndedFirst:
		records = r.ended.Descend
	}
	for key, t := range records(from) {
		if !see(key, t) {
			return true
		}
	}
	return false
}

// A page token is the key of the last task of the page, marked with its order.
var tokenMarks = [...]string{"before-", "after-", "ended-before-"}

func (o Order) token(last uint64) string { return tokenMarks[o] + strconv.FormatUint(last, 10) }

// parseToken returns the key at which the page begins.
func (o Order) parseToken(token string) (from uint64, ok bool) {
	if int(o) >= len(tokenMarks) {
		return 0, false
	}
	if token == "" {
		return o.start(), true
	}
	digits, _ := strings.CutPrefix(token, tokenMarks[o])
	last, err := strconv.ParseUint(digits, 10, 64)
	return o.after(last), err == nil && token == o.token(last)
}
