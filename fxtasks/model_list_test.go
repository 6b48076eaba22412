package fxtasks_test

import (
	"slices"
	"time"

	"pgregory.net/rapid"

	"github.com/fxtasks/background/fxtasks"
)

// stepList asks for a page: the first of a new list, or the one after the last, whatever has happened
// since.
func (md *model) stepList(rt *rapid.T) {
	f := md.filter
	if f.After == "" || rapid.Bool().Draw(rt, "new list") {
		f = md.drawFilter(rt)
	}
	var want []*modelTask // on this page and those after it
	total, reached := 0, f.After == ""
	for _, t := range slices.Backward(md.tasks) {
		if t.known && t.matches(f) {
			total++
			if reached {
				want = append(want, t)
			}
		}
		reached = reached || t == md.pageEnd
	}
	more := len(want) > f.Limit
	want = want[:min(f.Limit, len(want))]

	page := md.m.List(f)
	if page.Total != total || page.Seq != uint64(md.events) || (page.Next != "") != more || len(page.Tasks) != len(want) {
		rt.Fatalf("List(%+v) gave %+v, want %v of %d", f, page, want, total)
	}
	for i, t := range want {
		md.checkInfo(rt, t, page.Tasks[i])
		md.pageEnd = t
	}
	f.After = page.Next
	md.filter = f
	if page := md.m.List(fxtasks.Filter{After: "nonsense"}); len(page.Tasks) > 0 || page.Next != "" {
		rt.Errorf("List after nonsense gave %+v", page)
	}
}

func (md *model) drawFilter(rt *rapid.T) fxtasks.Filter {
	f := fxtasks.Filter{
		Statuses: rapid.SliceOfN(rapid.SampledFrom([]fxtasks.Status{
			fxtasks.Pending, fxtasks.Running, fxtasks.Completed, fxtasks.Failed, fxtasks.Cancelled, fxtasks.TimedOut,
		}), 0, 3).Draw(rt, "statuses"),
		Name:  rapid.SampledFrom([]string{"", "work", "none"}).Draw(rt, "name"),
		Group: rapid.SampledFrom([]string{"", "a", "none"}).Draw(rt, "group"),
		Limit: rapid.IntRange(1, 4).Draw(rt, "limit"),
	}
	if key := rapid.SampledFrom([]string{"", "key", "none"}).Draw(rt, "metadata"); key != "" {
		f.Metadata = map[string]string{key: "first"}
	}
	if t := md.pick(rt, "task", (*modelTask).hasHandle); t != nil {
		switch rapid.IntRange(0, 3).Draw(rt, "created") {
		case 1:
			f.CreatedAfter = t.created
		case 2:
			f.CreatedBefore = t.created
		case 3:
			f.CreatedAfter, f.CreatedBefore = t.created.Add(-time.Second), t.created.Add(time.Second)
		}
	}
	return f
}

// matches says whether the filter is for t.
func (t *modelTask) matches(f fxtasks.Filter) bool {
	for key, value := range f.Metadata {
		if t.metadata[key] != value {
			return false
		}
	}
	return (len(f.Statuses) == 0 || slices.Contains(f.Statuses, t.status)) &&
		(f.Name == "" || f.Name == t.name) &&
		(f.Group == "" || f.Group == t.group.name) &&
		(f.CreatedAfter.IsZero() || t.created.After(f.CreatedAfter)) &&
		(f.CreatedBefore.IsZero() || t.created.Before(f.CreatedBefore))
}
