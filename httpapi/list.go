package httpapi

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/fxtasks/background/fxtasks"
)

type listBody struct {
	Tasks         []taskBody `json:"tasks"`
	NextPageToken string     `json:"next_page_token"` // "": the last page
	TotalSize     int        `json:"total_size"`      // counts tasks that the caller may not view, too
}

// serveList answers GET /tasks.
func (a *API) serveList(w http.ResponseWriter, r *http.Request, _ string) {
	if !a.mayWatch(w, r) {
		return
	}
	query, ok := parseQuery(w, r, []string{"status"},
		[]string{"name", "group", metadataParameter, "created_after", "created_before", "q", "order", "page_size", "page_token"})
	if !ok {
		return
	}
	filter, err := parseFilter(query)
	if err != nil {
		badRequest(w, err.Error())
		return
	}
	body := listBody{Tasks: []taskBody{}}
	if a.probes(filter) {
		writeJSON(w, jsonType, http.StatusOK, body)
		return
	}
	page := a.m.List(filter)
	if filter.After != "" && page.Seq == 0 { // the zero Page: there was no such page to go on from
		badRequest(w, fmt.Sprintf("page_token %q is malformed, or of another order", filter.After))
		return
	}
	body.NextPageToken, body.TotalSize = page.Next, page.Total
	for _, info := range page.Tasks {
		if a.allows(r, ActionView, &info) {
			body.Tasks = append(body.Tasks, a.listedTask(mount(r), &info))
		}
	}
	writeJSON(w, jsonType, http.StatusOK, body)
}

// probes says whether f asks for a metadata value that is not shown: what matched it would tell.
func (a *API) probes(f fxtasks.Filter) bool {
	for key, value := range f.Metadata {
		if a.redact(key, value) != value {
			return true
		}
	}
	return false
}

var orders = map[string]fxtasks.Order{
	"": fxtasks.NewestFirst, "newest": fxtasks.NewestFirst, "oldest": fxtasks.OldestFirst, "ended": fxtasks.LatestEndedFirst,
}

// parseFilter reads the query of a list of tasks. Its errors are for the client.
func parseFilter(query url.Values) (f fxtasks.Filter, err error) {
	f = fxtasks.Filter{
		Name:  query.Get("name"),
		Group: query.Get("group"),
		Text:  query.Get("q"),
		After: query.Get("page_token"),
	}
	var known bool
	if f.Order, known = orders[query.Get("order")]; !known {
		return f, fmt.Errorf("order %q is none of newest, oldest and ended", query.Get("order"))
	}
	for parameter, values := range query {
		if key, ok := strings.CutPrefix(parameter, metadataParameter); ok {
			if f.Metadata == nil {
				f.Metadata = make(map[string]string)
			}
			f.Metadata[key] = values[0]
		}
	}
	if f.Statuses, err = parseStatuses(query); err != nil {
		return f, err
	}
	if f.CreatedAfter, err = parseTime(query, "created_after"); err != nil {
		return f, err
	}
	if f.CreatedBefore, err = parseTime(query, "created_before"); err != nil {
		return f, err
	}
	f.Limit, err = parsePageSize(query)
	return f, err
}
