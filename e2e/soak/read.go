package main

import (
	"time"

	"github.com/fxtasks/background/e2e/soak/checks"
	"github.com/fxtasks/background/fxtasks"
)

// reader asks for all that can be asked for.
func (r *round) reader(l luck) {
	reader := &checks.Reader{Findings: r.findings, Config: r.manager.Config(), Groups: r.groups, Retries: r.retries > 0}
	for !r.closing.Load() {
		time.Sleep(l.upTo(3 * time.Millisecond))
		reader.State(r.manager.State())
		few := r.isOfOneMoment()
		before := r.manager.List(checks.Active())
		stats := r.manager.Stats()
		reader.Moment(before, stats, r.manager.List(checks.Active()))
		if few && r.isOfOneMoment() {
			reader.Room(before)
		}
		reader.Stats(stats)
		for name, group := range r.group {
			reader.Group(name, group.Stats())
		}
		r.readPages(checks.Pages{Reader: reader, Filter: r.filter(l)})
		if e := r.anyOf(l); e != nil {
			r.readTask(e.Task())
		}
		if r.cleanups && l.oneIn(50) {
			r.manager.Cleanup()
		}
	}
}

// isOfOneMoment says whether List looks at all records in one step.
func (r *round) isOfOneMoment() bool { return r.manager.List(fxtasks.Filter{Limit: 1}).Total < 500 }

// readTask wants an active task to be found by its ID, or a newer one that has it and is active too. To
// have finished counts if it was so before the second look.
func (r *round) readTask(t *fxtasks.Task) {
	first, ok := r.manager.Task(t.ID())
	finished := ok && first.Status().Finished()
	second, known := r.manager.Task(t.ID())
	if t.Status().Finished() {
		return
	}
	if !ok || !known || first.ID() != t.ID() || finished && second == first {
		r.findings.Addf("Task(%q) gave %v, %v, which has finished: %v, and a task with this ID is active: %+v",
			t.ID(), first, ok, finished, t.Info())
	}
}

// filter gives one that selects something, as a rule.
func (r *round) filter(l luck) fxtasks.Filter {
	f := fxtasks.Filter{Limit: pick(l, 0, 1, 7, 50, 1000)}
	switch l.IntN(8) {
	case 0:
		f.Statuses = []fxtasks.Status{pick(l, fxtasks.Pending, fxtasks.Running, fxtasks.Completed, fxtasks.Failed), fxtasks.Cancelled}
	case 1:
		f.Statuses = checks.Finished()
	case 2:
		f.Name = nameOf(pick(l, taskNames...), pick(l, r.targets...))
	case 3:
		f.Group = pick(l, r.targets...)
	case 4:
		f.Metadata = checks.Order{N: l.IntN(1000)}.Metadata()
	case 5:
		f.CreatedAfter = time.Now().Add(-l.upTo(50 * time.Millisecond))
	case 6:
		f.CreatedBefore = time.Now().Add(-l.upTo(50 * time.Millisecond))
	}
	return f
}

// readPages reads some pages of what the filter selects.
func (r *round) readPages(pages checks.Pages) {
	f := pages.Filter
	for range 20 {
		asked := time.Now()
		page := r.manager.List(f)
		pages.Add(page, asked)
		for _, i := range page.Tasks {
			clear(i.Metadata) // a reader's own
		}
		if f.After = page.Next; f.After == "" {
			return
		}
	}
}
