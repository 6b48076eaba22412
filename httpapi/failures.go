package httpapi

import (
	"net/http"
	"strings"

	"github.com/fxtasks/background/fxtasks"
)

const (
	maxFailures      = 1000 // that are looked at
	maxFailureGroups = 50
)

type failuresBody struct {
	Failures []failureBody `json:"failures"`
}

// failureBody is what failures of one name and message have in common.
type failureBody struct {
	Name    string    `json:"name"`
	Message string    `json:"message"` // of the latest
	Count   int       `json:"count"`
	LastAt  timestamp `json:"last_at"`
	LastID  string    `json:"last_id"`
}

// serveFailures answers GET /failures: why tasks fail, without one record for each.
func (a *API) serveFailures(w http.ResponseWriter, r *http.Request, _ string) {
	if !a.mayWatch(w, r) {
		return
	}
	if _, ok := parseQuery(w, r, nil, nil); !ok {
		return
	}
	type kind struct{ name, message string }
	groups := make(map[kind]int) // indices of body.Failures
	body := failuresBody{Failures: []failureBody{}}
	a.latestFailures(r, func(info *fxtasks.Info) {
		message := cutText(info.ErrText)
		k := kind{info.Name, withoutNumbers(info.ErrText)}
		if i, ok := groups[k]; ok {
			body.Failures[i].Count++
			return
		}
		groups[k] = len(body.Failures)
		body.Failures = append(body.Failures, failureBody{info.Name, message, 1, newTimestamp(info.FinishedAt), info.ID})
	})
	body.Failures = body.Failures[:min(len(body.Failures), maxFailureGroups)]
	writeJSON(w, jsonType, http.StatusOK, body)
}

// withoutNumbers makes one text of those that differ in their numbers only, "order 7 is away" and "order
// 12 is away", by their beginnings.
func withoutNumbers(text string) string {
	var b strings.Builder
	inNumber := false
	for _, r := range text {
		if b.Len() >= maxText {
			break
		}
		digit := '0' <= r && r <= '9'
		if digit && !inNumber {
			b.WriteByte('0')
		} else if !digit {
			b.WriteRune(r)
		}
		inNumber = digit
	}
	return b.String()
}

// latestFailures gives those that the caller may view to f, the latest first.
func (a *API) latestFailures(r *http.Request, f func(*fxtasks.Info)) {
	filter := fxtasks.Filter{Statuses: []fxtasks.Status{fxtasks.Failed, fxtasks.TimedOut}, Order: fxtasks.LatestEndedFirst, Limit: maxPageSize}
	for n := 0; ; {
		page := a.m.List(filter)
		for _, info := range page.Tasks {
			if a.allows(r, ActionView, &info) {
				f(&info)
				if n++; n == maxFailures {
					return
				}
			}
		}
		if filter.After = page.Next; filter.After == "" {
			return
		}
	}
}
