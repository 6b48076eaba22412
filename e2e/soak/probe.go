package main

import (
	"context"
	"errors"
	"time"

	"github.com/fxtasks/background/fxtasks"
)

// probe fills the manager, or a group of it, while nothing else is active: it must take as many tasks
// as its limits say, and not one more. A slot or a place that was not given back is missing here.
func (r *round) probe(group string) {
	p := &hall{r: r, arrived: make(chan struct{}), open: make(chan struct{})}
	limits := r.limits(group)
	running := limits.running
	if running == 0 {
		running = 5 // will do
	}
	if !p.fill(group, running) {
		return
	}
	r.probeRun(group)
	if limits.running > 0 {
		r.probeRoom(group, limits.pending, p)
	}
	if group != "" { // it is full now, and must hold up nobody else
		rest := 3
		if r.config.MaxRunning > 0 {
			rest = r.config.MaxRunning - running
		}
		p.fill("", rest)
	}
	close(p.open)
	r.settle()
}

// hall is where the functions of tasks meet. They do not leave before it is open.
type hall struct {
	r       *round
	arrived chan struct{}
	open    chan struct{}
}

func (h *hall) visit(*stage) error {
	select {
	case h.arrived <- struct{}{}:
	case <-h.open:
	}
	<-h.open
	return nil
}

// visitor gives a submission of one who visits.
func (h *hall) visitor(group string) submission {
	sub := h.r.plain(group, &act{name: "meet the others", play: h.visit})
	sub.order.Timeout = 0
	sub.opts = append(sub.opts, fxtasks.WithTimeout(0))
	return sub
}

// fill submits n tasks, and wants all of them to run at once. It reports false for a group that was
// shut down.
func (h *hall) fill(group string, n int) bool {
	late := time.After(h.r.patience)
	for i := range n {
		p := h.r.place(context.Background(), h.visitor(group))
		if group != "" && errors.Is(p.Refusal(), fxtasks.ErrShuttingDown) {
			return false
		}
		if p.Task() == nil {
			h.r.findings.Addf("probe of group %q: task %d of %d gave %v, and nothing else is active", group, i+1, n, p.Refusal())
		}
	}
	for i := range n {
		select {
		case <-h.arrived:
		case <-late:
			h.r.stall("probe of group %q: %d tasks run at once, want %d", group, i, n)
			return true
		}
	}
	return true
}

// probeRoom wants as many tasks to be able to wait as the limit says, now that all slots are taken.
func (r *round) probeRoom(group string, limit int, h *hall) {
	room := max(limit, 0)
	if limit == 0 {
		room = 3 // of any number
	}
	for i := range room {
		if p := r.place(context.Background(), h.visitor(group)); p.Task() == nil {
			r.findings.Addf("probe of group %q: task %d of %d that may wait gave %v", group, i+1, room, p.Refusal())
		}
	}
	if limit == 0 {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Millisecond)
	defer cancel()
	soon, late := h.visitor(group), h.visitor(group)
	late.block() // it gives up with ctx
	for _, sub := range []submission{soon, late} {
		if p := r.place(ctx, sub); p.Task() != nil {
			r.findings.Addf("probe of group %q: %d tasks wait, and one more was accepted", group, room)
		}
	}
}
