package checks

import (
	"slices"
	"time"

	"github.com/fxtasks/background/fxtasks"
)

func (h *History) indexIDs() {
	h.byID = make(map[string][]*Account)
	for _, a := range h.accepted() {
		if a.ID != "" {
			h.byID[a.ID] = append(h.byID[a.ID], a)
		}
	}
}

// checkIDs wants a chosen ID to have belonged to one task at a time: a submit that does not replace
// gets it when all before have finished, and the task of one that does starts when they have.
func (h *History) checkIDs(f *Findings) {
	for id, list := range h.byID {
		last := list[0] // of those before a, the one that finished last
		for _, a := range list[1:] {
			at, what := a.Info.CreatedAt, "was accepted"
			if a.Policy == fxtasks.Replace {
				at, what = a.firstStart(), "started"
			}
			if !at.IsZero() && at.Before(last.Info.FinishedAt) {
				a.complain(f, "it %s before another with the ID %q returned, %s", what, id, brief(last.Info))
			}
			if a.Info.FinishedAt.After(last.Info.FinishedAt) {
				last = a
			}
		}
	}
}

// firstStart gives when the first attempt of a started, or a moment later.
func (a *Account) firstStart() time.Time {
	if len(a.Earlier) > 0 {
		return a.Earlier[0].Began
	}
	return a.Info.StartedAt
}

// held says whether another task may have been active under the ID while a was submitted.
func (h *History) held(a *Account) bool {
	return slices.ContainsFunc(h.byID[a.ID], func(b *Account) bool {
		return !b.Info.CreatedAt.After(a.Answered) && !b.Info.FinishedAt.Before(a.Called)
	})
}

// replaced says whether a later submit has replaced the task of a.
func (h *History) replaced(a *Account) bool {
	return slices.ContainsFunc(h.byID[a.ID], func(b *Account) bool {
		return b.Policy == fxtasks.Replace && b.Info.Seq > a.Info.Seq
	})
}
