package fxtasks_test

import (
	"context"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/fxtasks/background/fxtasks"
)

func (p *program) errorf(format string, args ...any) {
	p.failed.Store(true)
	p.t.Errorf("%v: %s", p, fmt.Sprintf(format, args...))
}

// limited says whether no more than the limit may work at once: of the manager, and of its groups.
func (p *program) limited() (manager, groups bool) {
	manager = !(p.may.giveUp || p.may.cancel || p.may.block || p.may.share || p.may.background ||
		p.may.awaitGroup || p.may.closeGroup || p.may.replace || p.may.shutDown)
	return manager, manager && (p.may.lock || !p.may.leave)
}

func (p *program) beginWork(a *actor) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if a.outside {
		return
	}
	p.working[a.group]++
	all := 0
	for _, n := range p.working {
		all += n
	}
	manager, groups := p.limited()
	if manager && p.cfg.MaxRunning > 0 && all > p.cfg.MaxRunning {
		p.errorf("%d work at once", all)
	}
	if n, limit := p.working[a.group], p.limits[a.group].MaxRunning; groups && limit > 0 && n > limit {
		p.errorf("%d of group %d work at once", n, a.group)
	}
}

func (p *program) endWork(a *actor) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !a.outside {
		p.working[a.group]--
	}
}

// recount compares the manager's counters with the program's, and looks for waits that last too long and for
// tasks that should have started.
func (p *program) recount() {
	p.mu.Lock()
	defer p.mu.Unlock()
	stats := p.m.Stats()
	running, waiting := make([]int, len(p.groups)), 0
	slots, works := make([]int, len(p.groups)), make([]int, len(p.groups))
	allSlots, allWork := 0, 0
	for _, a := range p.actors {
		if !a.running {
			continue
		}
		running[a.group]++
		if len(a.calls) > 0 {
			waiting++
		}
		if !a.outside {
			slots[a.group]++
			allSlots++
			if len(a.calls) == 0 {
				works[a.group]++
				allWork++
			}
		}
		for c := range a.calls {
			p.checkCall(a, c)
		}
	}
	all := 0
	for i, n := range running {
		all += n
		if g := p.groups[i]; g != nil && g.Stats().Running != n {
			p.errorf("group %d has %d running, want %d", i, g.Stats().Running, n)
		}
	}
	if stats.Running != all || stats.Waiting != waiting {
		p.errorf("%d running, %d waiting, want %d and %d: %s", stats.Running, stats.Waiting, all, waiting, p.state())
	}
	for _, status := range []fxtasks.Status{fxtasks.Pending, fxtasks.Running} {
		page := p.m.List(fxtasks.Filter{Statuses: []fxtasks.Status{status}, Limit: 1000})
		if n := map[fxtasks.Status]int{fxtasks.Pending: stats.Pending, fxtasks.Running: stats.Running}[status]; page.Total != n {
			p.errorf("List has %d %v, Stats %d", page.Total, status, n)
		}
	}
	if all > waiting && stats.Running > 0 && waiting > 0 {
		p.met["waiting beside working"]++
	}
	if limit := p.cfg.MaxRunning; limit > 0 && allSlots > limit {
		p.met["more run than there are slots"]++
	}
	p.checkStarts(works, slots, allWork, allSlots)
}

// checkCall sees to it that what the call waits for has not happened, and that its context has not ended.
func (p *program) checkCall(a *actor, c *call) {
	switch {
	case c.target != nil && c.target.task.Status().Finished():
		p.errorf("%s waits for a task that has ended", a.name)
	case c.target == nil && !c.room && p.groups[c.group].Stats().Pending+p.groups[c.group].Stats().Running == 0:
		p.errorf("%s waits for a group that has nothing to do", a.name)
	case c.ctx.Err() != nil && (c.target != nil || c.room):
		p.errorf("%s waits though its context has ended", a.name)
	}
}

// checkStarts looks for pending tasks that have their turn or that a task waits for, and could have started.
func (p *program) checkStarts(works, slots []int, allWork, allSlots int) {
	free := func(limit, n int) bool { return limit == 0 || n < limit }
	for _, t := range p.actors {
		if t.task == nil || t.chosenID || p.may.shutDown || p.may.closeGroup {
			continue // whether it waits for the one that it replaces, or may not start any more, is not known here
		}
		info := t.task.Info()
		if info.Status != fxtasks.Pending || info.NotBefore.After(time.Now()) {
			continue
		}
		if free(p.cfg.MaxRunning, allSlots) && free(p.limits[t.group].MaxRunning, slots[t.group]) {
			p.errorf("%s is pending though there is a slot: %s", t.name, p.state())
		}
		for _, a := range p.actors {
			if a.running && !a.outside && a.starvedFor(t) && free(p.cfg.MaxRunning, allWork) && free(p.limits[t.group].MaxRunning, works[t.group]) &&
				(a.group == t.group || p.limits[t.group].MaxRunning == 0) {
				p.errorf("%s is pending though %s waits for it and one more may work: %s", t.name, a.name, p.state())
			}
		}
	}
}

// starvedFor says whether a waits for t, and nothing runs of all that it waits for.
func (a *actor) starvedFor(t *actor) (starved bool) {
	for c := range a.calls {
		switch {
		case c.target == t:
			starved = true
		case c.target == nil || c.target.task.Status() == fxtasks.Running:
			return false
		}
	}
	return starved
}

// checkTurns looks at tasks for which no task has waited: they start in their turn, and not while as many run
// as there are slots.
func (p *program) checkTurns(events *fxtasks.Subscription) {
	if p.may.awaitGroup || p.may.closeGroup || p.may.block || p.may.retry {
		return
	}
	_, _ = p.m.Shutdown(context.Background())
	actors := make(map[string]*actor)
	for _, a := range p.actors {
		actors[a.name] = a
	}
	all, running, last := 0, make([]int, len(p.groups)), make([]uint64, len(p.groups))
	for {
		e, err := events.Next(context.Background())
		if err == io.EOF {
			return
		}
		a := actors[e.Task.Name]
		if a.outside {
			continue
		}
		switch {
		case e.Kind == fxtasks.EventStarted:
			if !a.awaited {
				p.met["a start in turn"]++
				limit := p.limits[a.group].MaxRunning
				if p.cfg.MaxRunning > 0 && all >= p.cfg.MaxRunning || limit > 0 && running[a.group] >= limit {
					p.errorf("%s started in its turn while %d ran, %d of its group", a.name, all, running[a.group])
				}
				if e.Task.Seq < last[a.group] && !a.chosenID {
					p.errorf("%s started after one that was submitted later", a.name)
				}
				last[a.group] = max(last[a.group], e.Task.Seq)
			}
			all++
			running[a.group]++
		case e.Kind == fxtasks.EventFinished && !e.Task.StartedAt.IsZero():
			all--
			running[a.group]--
		}
	}
}

// state shows what all are doing.
func (p *program) state() string {
	var b strings.Builder
	for _, a := range p.actors {
		if a.task == nil && !a.running || a.task != nil && a.task.Status().Finished() {
			continue
		}
		fmt.Fprintf(&b, "\n  %s of group %d", a.name, a.group)
		if a.task != nil {
			fmt.Fprintf(&b, ", %v", a.task.Status())
		}
		for c := range a.calls {
			if c.target != nil {
				fmt.Fprintf(&b, ", waits for %s", c.target.name)
			} else {
				fmt.Fprintf(&b, ", waits for group %d (room: %v)", c.group, c.room)
			}
		}
	}
	return b.String()
}
