package httpapi

import (
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/fxtasks/background/fxtasks"
)

type listBody struct {
	Tasks         []taskBody `json:"tasks"`
	NextPageToken string     `json:"next_page_token"` // "": the last page
	TotalSize     int        `json:"total_size"`      // counts tasks that the caller may not view, too
}

// maxPageSize is what a larger page_size is coerced to.
const maxPageSize = 1000

// serveList answers GET /tasks.
func (a *API) serveList(w http.ResponseWriter, r *http.Request, _ string) {
	if !a.mayWatch(w, r) {
		return
	}
	query, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		newProblem(http.StatusBadRequest, "the query string is malformed").write(w)
		return
	}
	filter, err := parseFilter(query)
	if err != nil {
		newProblem(http.StatusBadRequest, err.Error()).write(w)
		return
	}
	body := listBody{Tasks: []taskBody{}}
	if a.probes(filter) {
		writeJSON(w, jsonType, http.StatusOK, body)
		return
	}
	page := a.m.List(filter)
	if filter.After != "" && page.Seq == 0 { // the zero Page: there was no such page to go on from
		newProblem(http.StatusBadRequest, fmt.Sprintf("page_token %q is malformed", filter.After)).write(w)
		return
	}
	body.NextPageToken, body.TotalSize = page.Next, page.Total
	for _, info := range page.Tasks {
		if a.allows(r, ActionView, &info) {
			body.Tasks = append(body.Tasks, a.taskBody(r, mount(r), &info))
		}
	}
	writeJSON(w, jsonType, http.StatusOK, body)
}

// probes says whether f asks for a metadata value that is not shown: what matched it would tell.
func (a *API) probes(f fxtasks.Filter) bool {
	for key, value := range f.Metadata {
		if a.cfg.Redact(key, value) != value {
			return true
		}
	}
	return false
}

const metadataParameter = "metadata."

// parseFilter reads the query of a list. Its errors are for the client.
func parseFilter(query url.Values) (fxtasks.Filter, error) {
	f := fxtasks.Filter{
		Name:  query.Get("name"),
		Group: query.Get("group"),
		After: query.Get("page_token"),
	}
	for _, text := range query["status"] {
		var s fxtasks.Status
		if err := s.UnmarshalText([]byte(text)); err != nil {
			return f, fmt.Errorf("status %q is none that tasks have", text)
		}
		f.Statuses = append(f.Statuses, s)
	}
	for parameter, values := range query {
		if key, ok := strings.CutPrefix(parameter, metadataParameter); ok {
			if f.Metadata == nil {
				f.Metadata = make(map[string]string)
			}
			f.Metadata[key] = values[0]
		}
	}
	var err error
	if f.CreatedAfter, err = parseTime(query, "created_after"); err != nil {
		return f, err
	}
	if f.CreatedBefore, err = parseTime(query, "created_before"); err != nil {
		return f, err
	}
	f.Limit, err = parsePageSize(query)
	return f, err
}

func parseTime(query url.Values, parameter string) (time.Time, error) {
	text := query.Get(parameter)
	if text == "" {
		return time.Time{}, nil
	}
	t, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return t, fmt.Errorf("%s %q is not a time as in RFC 3339", parameter, text)
	}
	return t, nil
}

func parsePageSize(query url.Values) (int, error) {
	text := query.Get("page_size")
	if text == "" {
		return 0, nil
	}
	n, err := strconv.Atoi(text)
	if err != nil && !strings.Contains(err.Error(), "out of range") || n < 1 {
		return 0, fmt.Errorf("page_size %q is not a number from 1 to %d", text, maxPageSize)
	}
	return min(n, maxPageSize), nil
}
