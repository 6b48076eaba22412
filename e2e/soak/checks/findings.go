// Package checks knows what the contract of fxtasks says, and compares it with what a round of the
// soak program has seen from outside. What it is given are plain values, so that tests can feed it
// histories in which something went wrong.
package checks

import (
	"fmt"
	"sync"
)

// Findings collects what was seen that must not be. Its methods may be called by any number of
// goroutines.
type Findings struct {
	mu   sync.Mutex // protects what follows
	list []string
	more int // that were not kept
}

// maxFindings is how many are kept: one fault can break a promise to each of a thousand tasks.
const maxFindings = 25

// Addf notes what was expected and what was seen.
func (f *Findings) Addf(format string, args ...any) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.list) == maxFindings {
		f.more++
		return
	}
	f.list = append(f.list, fmt.Sprintf(format, args...))
}

// List gives what was found, in that order.
func (f *Findings) List() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	list := append([]string(nil), f.list...)
	if f.more > 0 {
		list = append(list, fmt.Sprintf("and %d more", f.more))
	}
	return list
}

// Any says whether anything was found.
func (f *Findings) Any() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return len(f.list) > 0
}
