package main

import (
	"time"

	"github.com/fxtasks/background/e2e/soak/checks"
	"github.com/fxtasks/background/fxtasks"
)

// audit compares what everyone has seen with what the manager says in the end.
func (r *round) audit() {
	r.auditSchedules()
	h := r.ledger.History()
	h.Check(r.findings)
	stats := r.manager.Stats()
	h.Final(r.findings, stats)
	h.Outcomes(r.findings, r.manager.History(), stats)
	if r.lines != nil {
		r.lines.End(stats, h)
	}
	for i := range h.Accounts {
		if h.Accounts[i].Undue() {
			r.tally.fault("end before it was due")
		}
	}
	whole := false
	for _, t := range r.stories {
		t.story.End(t.missed, t.last, h)
		if t.missed == 0 {
			whole = true
		} else {
			r.tally.fault("subscriber that fell behind")
		}
	}
	r.auditRecords(h)
	r.tally.round(stats, whole)
}

// auditRecords wants the records to be those that are to be kept, and Cleanup to forget them.
func (r *round) auditRecords(h *checks.History) {
	config := r.manager.Config()
	reader := &checks.Reader{Findings: r.findings, Config: config, Groups: r.groups, Retries: r.retries > 0}
	reader.Stats(r.manager.Stats())
	if config.RetainFor < time.Minute { // they go while one looks
		return
	}
	r.readPages(checks.Pages{Reader: reader, Filter: fxtasks.Filter{Limit: 70}, Still: true})
	r.readPages(checks.Pages{Reader: reader, Filter: fxtasks.Filter{Statuses: checks.Finished(), Limit: 70}, Still: true})
	h.Unrecorded(r.findings, func(id string) bool {
		_, ok := r.manager.Task(id)
		return ok
	})
	if !r.cleanups {
		h.Retained(r.findings, config, func(id string) bool {
			_, ok := r.manager.Task(id)
			return ok
		})
	}
	records := r.manager.List(fxtasks.Filter{}).Total
	if n := r.manager.Cleanup(); n != records {
		r.findings.Addf("Cleanup gave %d, want %d records", n, records)
	}
	if page := r.manager.List(fxtasks.Filter{}); page.Total != 0 || len(page.Tasks) != 0 {
		r.findings.Addf("List gave %+v after Cleanup", page)
	}
}
