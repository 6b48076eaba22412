package checks

import (
	"slices"
	"time"

	"github.com/fxtasks/background/fxtasks"
)

// Pages holds the pages that List gives, one after the other, to their filter.
type Pages struct {
	Reader *Reader
	Filter fxtasks.Filter // of the first page
	Still  bool           // no record comes or goes meanwhile

	begun bool
	last  uint64 // Seq of the task before
	seen  int
	total int // on the page before
}

// Finished selects what has ended.
func Finished() []fxtasks.Status {
	return []fxtasks.Status{fxtasks.Completed, fxtasks.Failed, fxtasks.Cancelled, fxtasks.TimedOut}
}

// Add wants p to hold what the filter selects, newest first, and nothing again that a page before
// had. asked is when List was called.
func (p *Pages) Add(page fxtasks.Page, asked time.Time) {
	f := p.Reader.Findings
	limit := min(p.Filter.Limit, 1000)
	if limit <= 0 {
		limit = 100
	}
	if len(page.Tasks) > limit || page.Next != "" && len(page.Tasks) < limit || page.Total < len(page.Tasks) {
		f.Addf("List: a page of %d tasks of %d with Next %q, and the limit is %d", len(page.Tasks), page.Total, page.Next, limit)
	}
	records, age := max(p.Reader.Config.RetainFinished, 0), max(p.Reader.Config.RetainFor, 0)
	if len(p.Filter.Statuses) > 0 && !slices.ContainsFunc(p.Filter.Statuses, unfinished) && page.Total > records {
		f.Addf("List: Total of the finished tasks is %d, and RetainFinished is %d", page.Total, records)
	}
	for _, i := range page.Tasks {
		if p.seen > 0 && i.Seq >= p.last {
			f.Addf("List: Seq %d comes after %d, want the newest first and none twice", i.Seq, p.last)
		}
		if !selects(p.Filter, i) {
			f.Addf("List: the filter %+v does not select %s", p.Filter, brief(i))
		}
		if expires := i.FinishedAt.Add(age); i.Status.Finished() && (expires.Before(asked) || !i.ExpiresAt.Equal(expires)) {
			f.Addf("List: shows at %v a record that expired at %v, and ExpiresAt is %v, %s", asked, expires, i.ExpiresAt, brief(i))
		}
		checkRecord(f, &i)
		p.last = i.Seq
		p.seen++
	}
	still := p.Still || !p.begun // a single page is of one moment
	if still && (page.Total < p.seen || page.Next == "" && page.Total != p.seen || p.begun && page.Total != p.total) {
		f.Addf("List: %d tasks so far, and Total is %d, on the page before %d, and Next %q", p.seen, page.Total, p.total, page.Next)
	}
	p.begun, p.total = true, page.Total
}

// checkRecord wants what a record says of attempts to fit its status.
func checkRecord(f *Findings, i *fxtasks.Info) {
	var right bool
	switch {
	case i.Status == fxtasks.Running:
		right = i.Attempt > 0 && !i.StartedAt.Before(i.NotBefore)
	case i.Status == fxtasks.Pending && i.Attempt > 0: // nothing of the attempt before is left but its error
		right = i.LastErr != nil && !i.NotBefore.IsZero() && i.CancelCause == nil && i.CancelRequestedAt.IsZero() && i.Progress == (fxtasks.Progress{})
	case i.Status == fxtasks.Completed:
		right = i.LastErr == nil
	default:
		right = true
	}
	if !right {
		f.Addf("List: a record disagrees with itself, LastErr %s, %v, %s", show(i.LastErr), i.Progress, brief(*i))
	}
}

func unfinished(s fxtasks.Status) bool { return !s.Finished() }

// selects is the meaning of a Filter: all that is set must match.
func selects(f fxtasks.Filter, i fxtasks.Info) bool {
	for key, value := range f.Metadata {
		if has, ok := i.Metadata[key]; !ok || has != value {
			return false
		}
	}
	return (len(f.Statuses) == 0 || slices.Contains(f.Statuses, i.Status)) &&
		(f.Name == "" || f.Name == i.Name) &&
		(f.Group == "" || f.Group == i.Group) &&
		(f.CreatedAfter.IsZero() || i.CreatedAt.After(f.CreatedAfter)) &&
		(f.CreatedBefore.IsZero() || i.CreatedAt.Before(f.CreatedBefore))
}

// Retained wants the records of the tasks that finished last to be kept: as many as the manager may
// keep, less those whose ID another task has taken over. known says whether the manager knows an ID.
func (h *History) Retained(f *Findings, c fxtasks.Config, known func(id string) bool) {
	list := slices.DeleteFunc(h.accepted(), func(a *Account) bool { return a.Run })
	slices.SortStableFunc(list, func(a, b *Account) int { return b.Info.FinishedAt.Compare(a.Info.FinishedAt) })
	for i, a := range list[:min(len(list), max(0, c.RetainFinished-h.unstarted("")))] {
		tied := i+1 < len(list) && list[i+1].Info.FinishedAt.Equal(a.Info.FinishedAt) // their order is not known
		if !tied && a.ID == "" && !known(a.Info.ID) {
			a.complain(f, "it is among the %d that finished last, and its record is gone", c.RetainFinished)
		}
	}
}
