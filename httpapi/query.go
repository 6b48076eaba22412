package httpapi

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/fxtasks/background/fxtasks"
)

const (
	defaultPageSize = 100
	maxPageSize     = 1000 // what a larger page_size is coerced to

	metadataParameter = "metadata." // and the key
)

// parseQuery reads a list's query, and refuses, with an answer, parameters that it does not know or
// that are given twice: the client would take the list for narrower than it is. Those of repeatable
// may be repeated; "metadata." in once lets in all that begin so.
func parseQuery(w http.ResponseWriter, r *http.Request, repeatable, once []string) (url.Values, bool) {
	query, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return nil, badRequest(w, "the query string is malformed")
	}
	for parameter, values := range query {
		known := slices.ContainsFunc(once, func(name string) bool {
			return name == parameter || name == metadataParameter && strings.HasPrefix(parameter, name)
		})
		switch {
		case slices.Contains(repeatable, parameter):
		case !known:
			return nil, badRequest(w, fmt.Sprintf("%q is no parameter of this list", parameter))
		case len(values) > 1:
			return nil, badRequest(w, fmt.Sprintf("%q is given more than once", parameter))
		}
	}
	return query, true
}

// badRequest answers with 400, and reports false.
func badRequest(w http.ResponseWriter, detail string) bool {
	newProblem(http.StatusBadRequest, detail).write(w)
	return false
}

func parseStatuses(query url.Values) (statuses []fxtasks.Status, err error) {
	for _, text := range query["status"] {
		var s fxtasks.Status
		if err := s.UnmarshalText([]byte(text)); err != nil {
			return nil, fmt.Errorf("status %q is none that tasks have", text)
		}
		statuses = append(statuses, s)
	}
	return statuses, nil
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
		return defaultPageSize, nil
	}
	n, err := strconv.Atoi(text)
	if err != nil && !strings.Contains(err.Error(), "out of range") || n < 1 {
		return 0, fmt.Errorf("page_size %q is not a number from 1 to %d", text, maxPageSize)
	}
	return min(n, maxPageSize), nil
}
