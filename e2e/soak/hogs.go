package main

import (
	"sync"
	"time"
)

// hogs are the tasks that go on until the round lets them go, whatever becomes of their contexts.
type hogs struct {
	mu   sync.Mutex // protects what follows
	most int        // at a time
	held []*hold
	over bool // none is held any more
}

// hold is what a task is held by.
type hold struct {
	over  chan struct{} // closed when the task may go on
	letGo time.Time     // written before that, only read after
}

// hold gives one to wait for, or nil when enough tasks are held.
func (h *hogs) hold() *hold {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.over || len(h.held) >= h.most {
		return nil
	}
	held := &hold{over: make(chan struct{})}
	h.held = append(h.held, held)
	return held
}

// keep holds so many that come from now on, until all are let go.
func (h *hogs) keep(most int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.most, h.over = most, false
}

// letOneGo lets go of the one that is held longest, if there is one.
func (h *hogs) letOneGo() {
	h.mu.Lock()
	defer h.mu.Unlock()
	if len(h.held) > 0 {
		h.letGoLocked(1)
	}
}

// letAllGo lets go of all, and holds none any more.
func (h *hogs) letAllGo() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.letGoLocked(len(h.held))
	h.over = true
}

func (h *hogs) letGoLocked(n int) {
	for _, held := range h.held[:n] {
		held.letGo = time.Now()
		close(held.over)
	}
	h.held = h.held[n:]
}
