package checks

import (
	"context"
	"testing"
	"time"

	"github.com/fxtasks/background/fxtasks"
)

// stats gives what agrees with itself: one task pending, one running, one of each end, and a reject.
func stats() fxtasks.Stats {
	c := fxtasks.Counts{Pending: 1, Running: 1, Submitted: 6, Completed: 1, Failed: 1, Cancelled: 1, TimedOut: 1, Rejected: 1}
	return fxtasks.Stats{
		Counts:        c,
		OldestPending: time.Second, MaxRunning: 1, MaxPending: 1,
		ByName: map[string]fxtasks.Counts{"send": c}, ByGroup: map[string]fxtasks.Counts{"mail": c},
	}
}

func reader() *Reader {
	return &Reader{
		Findings: new(Findings),
		Config:   fxtasks.Config{MaxRunning: 1, MaxPending: 1, RetainFinished: 2, RetainFor: time.Minute},
		Groups:   map[string]fxtasks.GroupConfig{"mail": {MaxPending: 1}},
	}
}

func TestReaderStats(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(*fxtasks.Stats)
		found  string
	}{
		{"nothing", func(*fxtasks.Stats) {}, ""},
		{"no group", func(s *fxtasks.Stats) { s.ByGroup = nil }, ""},
		{"a reject of a bad name", func(s *fxtasks.Stats) { s.Rejected++ }, ""},
		{"lost by the counters", func(s *fxtasks.Stats) { s.Running = 0 }, "want submitted to be the sum"},
		{"lost by name", func(s *fxtasks.Stats) { s.ByName = nil }, "the sum of ByName"},
		{"more rejects by name", func(s *fxtasks.Stats) { s.Rejected = 0 }, "the sum of ByName"},
		{"more in groups", func(s *fxtasks.Stats) { s.ByGroup["images"] = s.ByGroup["mail"] }, "the sum of ByGroup"},
		{"too many pending", func(s *fxtasks.Stats) { s.Pending, s.Submitted = 2, 7 }, "2 pending, and MaxPending is 1"},
		{"other limits", func(s *fxtasks.Stats) { s.MaxRunning = 3 }, "want them to fit"},
		{"older than none", func(s *fxtasks.Stats) { s.Pending, s.Submitted = 0, 5 }, "want them to fit"},
	} {
		t.Run(c.name, func(t *testing.T) {
			r, s := reader(), stats()
			c.change(&s)
			r.Stats(s)
			expect(t, r.Findings, c.found)
		})
	}
}

func TestReaderRemembers(t *testing.T) {
	r, s := reader(), stats()
	r.Stats(s)
	s.Pending, s.Running, s.Completed, s.OldestPending = 0, 0, 3, 0 // both went on, which by itself is fine
	s.ByName, s.ByGroup = map[string]fxtasks.Counts{"send": Total(s)}, nil
	r.Stats(s)
	r.State(fxtasks.Draining)
	expect(t, r.Findings, "")
	r.Stats(stats())
	expect(t, r.Findings, "want no counter to go back")
	r.State(fxtasks.Open)
	expect(t, r.Findings, "open came after draining")
}

func TestReaderGroup(t *testing.T) {
	r := reader()
	r.Group("mail", fxtasks.Counts{Pending: 1, Submitted: 1})
	expect(t, r.Findings, "")
	r.Group("mail", fxtasks.Counts{Pending: 2, Submitted: 2})
	expect(t, r.Findings, "2 pending, and MaxPending is 1")
}

// Tasks between attempts take no room.
func TestReaderRoom(t *testing.T) {
	r := reader()
	r.Retries = true
	r.Group("mail", fxtasks.Counts{Pending: 2, Submitted: 2})
	pending := fxtasks.Info{Status: fxtasks.Pending, Group: "mail"}
	failed := pending
	failed.Attempt = 1
	r.Room(fxtasks.Page{Tasks: []fxtasks.Info{pending, failed, {Status: fxtasks.Running, Attempt: 1}}})
	expect(t, r.Findings, "")
	r.Room(fxtasks.Page{Tasks: []fxtasks.Info{pending, pending}})
	expect(t, r.Findings, "List of group mail: 2 pending, and MaxPending is 1")
}

func TestReaderMoment(t *testing.T) {
	page := fxtasks.Page{Seq: 9, Tasks: []fxtasks.Info{{Status: fxtasks.Running}, {Status: fxtasks.Pending}}}
	r := reader()
	r.Moment(page, stats(), page)
	r.Moment(page, fxtasks.Stats{}, fxtasks.Page{Seq: 10}) // something happened meanwhile
	expect(t, r.Findings, "")
	r.Moment(page, fxtasks.Stats{Counts: fxtasks.Counts{Pending: 2}}, page)
	expect(t, r.Findings, "Stats of the same moment")
}

func TestFinal(t *testing.T) {
	h := good()
	right := fxtasks.Stats{Counts: fxtasks.Counts{Submitted: 18, Completed: 7, Failed: 4, Cancelled: 6, TimedOut: 1, Retried: 3, Rejected: 5},
		ByName: make(map[string]fxtasks.Counts), ByGroup: map[string]fxtasks.Counts{"mail": {Submitted: 1, Completed: 1}}}
	for i := range h.Accounts {
		right.ByName[h.Accounts[i].Name] = plus(right.ByName[h.Accounts[i].Name], h.Accounts[i].counts())
	}
	f := new(Findings)
	h.Check(f)
	h.Final(f, right)
	expect(t, f, "")

	f = new(Findings)
	wrong := right
	wrong.Failed--
	h.Final(f, wrong)
	expect(t, f, "in the end Stats are")

	f = new(Findings)
	right.ByGroup = nil
	h.Final(f, right)
	expect(t, f, "Stats.ByGroup[mail]")

	f = new(Findings)
	delete(right.ByName, "full")
	h.Final(f, right)
	expect(t, f, "Stats.ByName[full]")
}

func TestPages(t *testing.T) {
	info := func(seq uint64) fxtasks.Info {
		return fxtasks.Info{Seq: seq, Name: "send", CreatedAt: at(1), Metadata: map[string]string{"a": "b"}}
	}
	done := func(seq uint64, expires time.Time) fxtasks.Info {
		i := info(seq)
		i.Status, i.FinishedAt, i.ExpiresAt = fxtasks.Completed, expires.Add(-time.Minute), expires
		return i
	}
	list := func(infos ...fxtasks.Info) []fxtasks.Info { return infos }
	early, asked := info(5), info(5)
	early.Status, early.Attempt, early.StartedAt, early.NotBefore = fxtasks.Running, 1, at(2), at(3)
	asked.Attempt, asked.LastErr, asked.NotBefore, asked.CancelCause = 1, errBoom, at(3), fxtasks.ErrTimeout
	two := fxtasks.Filter{Limit: 2}
	for _, c := range []struct {
		name   string
		filter fxtasks.Filter
		pages  []fxtasks.Page
		found  string
	}{
		{"two pages", two, []fxtasks.Page{{Tasks: list(info(5), info(4)), Next: "x", Total: 3}, {Tasks: list(info(2)), Total: 3}}, ""},
		{"retained", two, []fxtasks.Page{{Tasks: list(done(5, at(20))), Total: 1}}, ""},
		{"again on the next page", two, []fxtasks.Page{{Tasks: list(info(5), info(4)), Next: "x", Total: 3}, {Tasks: list(info(4)), Total: 3}}, "none twice"},
		{"oldest first", two, []fxtasks.Page{{Tasks: list(info(4), info(5)), Total: 2}}, "want the newest first"},
		{"over the limit", two, []fxtasks.Page{{Tasks: list(info(5), info(4), info(3)), Total: 3}}, "and the limit is 2"},
		{"over the default limit", fxtasks.Filter{}, []fxtasks.Page{{Tasks: make([]fxtasks.Info, 101), Total: 101}}, "and the limit is 100"},
		{"short, and another follows", two, []fxtasks.Page{{Tasks: list(info(5)), Next: "x", Total: 2}}, "and the limit is 2"},
		{"fewer in all", two, []fxtasks.Page{{Tasks: list(info(5)), Total: 0}}, "a page of 1 tasks of 0"},
		{"more in all", two, []fxtasks.Page{{Tasks: list(info(5)), Total: 2}}, "1 tasks so far, and Total is 2"},
		{"too many kept", fxtasks.Filter{Statuses: Finished()}, []fxtasks.Page{{Total: 3}}, "RetainFinished is 2"},
		{"kept too long", two, []fxtasks.Page{{Tasks: list(done(5, at(9))), Total: 1}}, "a record that expired"},
		{"another name", fxtasks.Filter{Name: "build"}, []fxtasks.Page{{Tasks: list(info(5)), Total: 1}}, "does not select"},
		{"another group", fxtasks.Filter{Group: "mail"}, []fxtasks.Page{{Tasks: list(info(5)), Total: 1}}, "does not select"},
		{"another status", fxtasks.Filter{Statuses: []fxtasks.Status{fxtasks.Running}}, []fxtasks.Page{{Tasks: list(info(5)), Total: 1}}, "does not select"},
		{"other metadata", fxtasks.Filter{Metadata: map[string]string{"a": "c"}}, []fxtasks.Page{{Tasks: list(info(5)), Total: 1}}, "does not select"},
		{"too early", fxtasks.Filter{CreatedAfter: at(1)}, []fxtasks.Page{{Tasks: list(info(5)), Total: 1}}, "does not select"},
		{"runs before it is due", two, []fxtasks.Page{{Tasks: list(early), Total: 1}}, "disagrees with itself"},
		{"between attempts, and asked", two, []fxtasks.Page{{Tasks: list(asked), Total: 1}}, "disagrees with itself"},
		{"too late", fxtasks.Filter{CreatedBefore: at(1)}, []fxtasks.Page{{Tasks: list(info(5)), Total: 1}}, "does not select"},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := Pages{Reader: reader(), Filter: c.filter}
			for _, page := range c.pages {
				p.Add(page, at(10))
			}
			expect(t, p.Reader.Findings, c.found)
		})
	}
}

// Where nothing comes or goes, Total is the same on all pages.
func TestPagesOfStillRecords(t *testing.T) {
	p := Pages{Reader: reader(), Filter: fxtasks.Filter{Limit: 1}, Still: true}
	p.Add(fxtasks.Page{Tasks: []fxtasks.Info{{Seq: 2}}, Next: "x", Total: 2}, at(1))
	expect(t, p.Reader.Findings, "")
	p.Add(fxtasks.Page{Tasks: []fxtasks.Info{{Seq: 1}}, Total: 1}, at(1))
	expect(t, p.Reader.Findings, "2 tasks so far, and Total is 1")

	p = Pages{Reader: reader(), Filter: fxtasks.Filter{Limit: 1}, Still: true}
	p.Add(fxtasks.Page{Tasks: []fxtasks.Info{{Seq: 3}}, Next: "x", Total: 3}, at(1))
	p.Add(fxtasks.Page{Tasks: []fxtasks.Info{{Seq: 2}}, Total: 2}, at(1))
	expect(t, p.Reader.Findings, "Total is 2, on the page before 3")
}

func TestRetained(t *testing.T) {
	h := good()
	kept := map[string]bool{"stuck": true, "graced": true, "undue": true, "retried": true, "between": true, "delayed": true, "tick 1": true, "tick 2": true} // these finished last; the next two have a chosen ID
	f := new(Findings)
	h.Check(f)
	h.Retained(f, fxtasks.Config{RetainFinished: 10}, func(id string) bool { return kept[id] })
	expect(t, f, "")
	h.Retained(f, fxtasks.Config{RetainFinished: 11}, func(id string) bool { return kept[id] })
	expect(t, f, "its record is gone")
}

func TestCancelled(t *testing.T) {
	running := fxtasks.Info{ID: "x", Status: fxtasks.Running}
	done := fxtasks.Info{ID: "x", Status: fxtasks.Cancelled}
	for _, c := range []struct {
		name   string
		info   fxtasks.Info
		err    error
		ctxErr error
		took   time.Duration
		legal  bool
	}{
		{"it returned", done, nil, nil, 0, true},
		{"it had returned", done, fxtasks.ErrFinished, nil, 0, true},
		{"unknown", fxtasks.Info{}, fxtasks.ErrNotFound, nil, 0, true},
		{"still running", running, fxtasks.ErrStillRunning, nil, 6, true},
		{"its ctx ended", running, context.Canceled, context.Canceled, 0, true},
		{"it did not return", running, nil, nil, 0, false},
		{"it had not finished", running, fxtasks.ErrFinished, nil, 0, false},
		{"unknown, and here it is", done, fxtasks.ErrNotFound, nil, 0, false},
		{"gave up too early", running, fxtasks.ErrStillRunning, nil, 4, false},
		{"its ctx has not ended", running, context.Canceled, nil, 0, false},
		{"another error", running, errBoom, nil, 0, false},
	} {
		f := new(Findings)
		f.Cancelled(c.info, c.err, c.ctxErr, c.took, 5)
		if legal := len(f.List()) == 0; legal != c.legal {
			t.Errorf("%s: found %q, want it to be legal: %v", c.name, f.List(), c.legal)
		}
	}
}

func TestAsked(t *testing.T) {
	f := new(Findings)
	f.Asked(fxtasks.Info{Status: fxtasks.Completed}, false)
	f.Asked(fxtasks.Info{Status: fxtasks.Running, CancelRequestedAt: at(1)}, false)
	f.Asked(fxtasks.Info{Status: fxtasks.Running}, true)
	expect(t, f, "")
	f.Asked(fxtasks.Info{Status: fxtasks.Pending}, false)
	expect(t, f, "left as it was")
}
