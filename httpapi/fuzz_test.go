package httpapi_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/fxtasks/background/fxtasks"
	"github.com/fxtasks/background/fxtasks/fxtaskstest"
	"github.com/fxtasks/background/httpapi"
)

// fuzzed gives an API with some tasks, and a function that asks it with a request that may be as
// bad as can be.
func fuzzed(t testing.TB) (m *fxtasks.Manager, ask func(method, target, body string, header http.Header) answer) {
	m = fxtaskstest.NewWithConfig(t, fxtasks.Config{MaxRunning: 2})
	for _, id := range []string{"running", "a/b", "pending"} {
		submit(t, m, "work", untilCancelled, fxtasks.WithID(id), fxtasks.WithMetadata(map[string]string{"k": "v"}))
	}
	api := newAPI(t, m, httpapi.Config{Authorize: func(_ *http.Request, a httpapi.Action, task *fxtasks.Info) error {
		if a == httpapi.ActionCancel && task.ID == "running" { // so that it stays
			return errors.New("not this one")
		}
		return nil
	}})
	ended, cancel := context.WithCancel(context.Background())
	cancel() // so that streams end
	return m, func(method, target, body string, header http.Header) answer {
		u, err := url.ParseRequestURI(target)
		if err != nil {
			return answer{t: t, status: http.StatusBadRequest} // what a server says by itself
		}
		r := httptest.NewRequest(http.MethodGet, "/", strings.NewReader(body)).WithContext(ended)
		r.Method, r.URL, r.RequestURI, r.Header = method, u, target, header
		w := httptest.NewRecorder()
		api.ServeHTTP(w, r)
		return answer{t, method + " " + target, w.Code, w.Header(), w.Body.Bytes()}
	}
}

// checkAnswer holds any answer against what is true of all.
func checkAnswer(t *rapid.T, a answer) {
	documented := []int{200, 202, 304, 308, 400, 403, 404, 405, 413}
	if !slices.Contains(documented, a.status) {
		t.Fatalf("%s: %d %s", a.request, a.status, a.body)
	}
	if a.status < 400 || a.header == nil {
		return
	}
	var p problem
	if err := json.Unmarshal(a.body, &p); err != nil || p.Status != a.status || a.header.Get("Content-Type") != "application/problem+json" {
		t.Fatalf("%s: %d %s %s (%v) is no problem", a.request, a.status, a.header, a.body, err)
	}
}

func TestRandomRequests(t *testing.T) {
	m, ask := fuzzed(t)
	anything := rapid.OneOf(rapid.String(), rapid.StringN(0, 20, 40), rapid.SampledFrom([]string{"", "0", "-1", "1", "running", "v", "*", `"x"`,
		"2026-01-01T00:00:00Z", "before-1", "wait=1", "null", "{}", `{"reason":"x"}`, "cross-site", "same-origin", "x-1", "%zz", "\x00", "\xff"}))
	paths := rapid.SampledFrom([]string{"/", "/tasks", "/tasks/running", "/tasks/a%2Fb", "/tasks/pending", "/tasks/", "/stats", "/events", "/livez",
		"/readyz", "/openapi.json", "/assets/", "/assets/x.js", "//", "/../tasks", "/tasks/..%2f..", "*"})
	parameters := rapid.SampledFrom([]string{"status", "name", "group", "metadata.k", "metadata.", "created_after", "created_before", "page_size", "page_token", "x"})
	headers := rapid.SampledFrom([]string{"If-None-Match", "Last-Event-Id", "Origin", "Sec-Fetch-Site", "Host", "Content-Type", "Accept", "Range", "Expect"})
	methods := rapid.OneOf(rapid.SampledFrom([]string{"GET", "HEAD", "DELETE"}), rapid.SampledFrom([]string{"POST", "OPTIONS", "BREW", "get", ""}))
	statuses := make(map[int]int)
	rapid.Check(t, func(t *rapid.T) {
		for range 20 {
			target := paths.Draw(t, "path")
			if rapid.Bool().Draw(t, "longer path") {
				target += url.PathEscape(anything.Draw(t, "segment"))
			}
			for i := range rapid.IntRange(0, 3).Draw(t, "parameters") {
				target += string("?&&"[i]) + parameters.Draw(t, "parameter") + "="
				if value := anything.Draw(t, "value"); rapid.Bool().Draw(t, "escaped") {
					target += url.QueryEscape(value)
				} else {
					target += value
				}
			}
			header := make(http.Header)
			for range rapid.IntRange(0, 2).Draw(t, "headers") {
				header.Add(headers.Draw(t, "header"), anything.Draw(t, "header value"))
			}
			a := ask(methods.Draw(t, "method"), target, anything.Draw(t, "body"), header)
			checkAnswer(t, a)
			statuses[a.status]++
		}
	})
	for _, status := range []int{200, 400, 403, 404, 405} {
		if statuses[status] == 0 {
			t.Errorf("the requests were not random enough: %v", statuses)
		}
	}
	if task, ok := m.Task("running"); !ok || !task.Info().CancelRequestedAt.IsZero() {
		t.Error("the task that nobody may cancel was cancelled")
	}
}

func FuzzListQuery(f *testing.F) {
	_, ask := fuzzed(f)
	for _, query := range []string{"", "status=running&status=pending", "name=work&group=", "metadata.k=v", "metadata.=", "page_size=1&page_token=before-3",
		"page_size=-1", "page_size=99999999999999999999", "created_after=2026-01-01T00:00:00%2B01:00&created_before=0001-01-01T00:00:00Z",
		"page_token=before-18446744073709551615", "a;b", "%zz", "=", "&&", "page_size=%00", "status=\xff"} {
		f.Add(query)
	}
	f.Fuzz(func(t *testing.T, query string) {
		a := ask("GET", "/tasks?"+query, "", nil)
		if a.status == http.StatusBadRequest {
			return
		}
		a.t = t
		if l := a.list(); len(l.Tasks) > l.TotalSize || l.TotalSize > 3 {
			t.Errorf("%d tasks of %d", len(l.Tasks), l.TotalSize)
		}
	})
}

func FuzzLastEventID(f *testing.F) {
	_, ask := fuzzed(f)
	stream := func(t testing.TB, id string) []event {
		a := ask("GET", "/events", "", http.Header{"Last-Event-Id": {id}})
		var events []event
		for block := range strings.SplitSeq(strings.TrimSuffix(string(a.body), "\n\n"), "\n\n") {
			events = append(events, parseEvent(t, block))
		}
		return events
	}
	reset := named(stream(f, "x"), "reset")[0].id
	boot, _, _ := strings.Cut(reset, "-")
	for _, suffix := range []string{"", "0", "1", "01", "-1", "18446744073709551615", "18446744073709551616", "1\n", "x", " 1", "\x00"} {
		f.Add(suffix)
	}
	f.Fuzz(func(t *testing.T, suffix string) {
		for _, id := range []string{suffix, boot + "-" + suffix} {
			events := stream(t, id)
			if n := len(named(events, "reset")); n > 1 || n == 0 && id != "" && !strings.HasPrefix(id, boot+"-") {
				t.Errorf("after %q come %d resets", id, n)
			}
			for _, e := range named(events, "reset") {
				if e.id != reset {
					t.Errorf("the reset has the id %q, want %q", e.id, reset)
				}
			}
		}
	})
}

func FuzzCancelBody(f *testing.F) {
	m, ask := fuzzed(f)
	for _, body := range []string{"", "{}", "null", `{"reason":"x"}`, `{"reason":1}`, `{"Reason":"x","reason":null}`, "[]", "{", `{"reason":"\ud800"}`,
		"\xff", `{"reason":"x"}{}`, strings.Repeat("[", 20000), strings.Repeat(" ", 64<<10), strings.Repeat(" ", 64<<10+1)} {
		f.Add(body)
	}
	f.Fuzz(func(t *testing.T, body string) {
		task, err := m.Submit(t.Context(), "work", nothing, fxtasks.WithID("cancel me")) // pending
		if err != nil {
			t.Fatal(err)
		}
		defer task.Cancel(nil)
		a := ask("DELETE", "/tasks/cancel%20me", body, make(http.Header))
		a.t = t
		if cancelled := task.Status() == fxtasks.Cancelled; cancelled != (a.status == http.StatusOK) {
			t.Errorf("%q: %d, and the task is %v", body, a.status, task.Status())
		}
		if a.status == http.StatusOK {
			a.task()
			return
		}
		if p := a.wantProblem(a.status); (p.Status == http.StatusRequestEntityTooLarge) != (len(body) > 64<<10) || p.TaskID != "cancel me" {
			t.Errorf("%d bytes: %+v", len(body), p)
		}
	})
}

func FuzzPrefer(f *testing.F) {
	m := fxtaskstest.New(f)
	api := newAPI(f, m, open)
	task := finished(f, submit(f, m, "work", nothing))
	for _, prefer := range []string{"", "wait=1", "wait=0", "WAIT = \"5\"; x", "respond-async, wait=10", "wait=-1", "wait", "wait=99999999999999999999",
		"wait=1;", ",", "=", `"`, `x="wait=1`, `x="\"", wait=2`} {
		f.Add(prefer)
	}
	f.Fuzz(func(t *testing.T, prefer string) {
		w := httptest.NewRecorder()
		r := newRequest("POST", "/", "")
		r.Header["Prefer"] = []string{prefer}
		api.Accepted(w, r, mount, task)
		applied := w.Header().Get("Preference-Applied")
		if w.Code == http.StatusAccepted && applied == "" {
			return
		}
		var seconds int
		if _, err := fmt.Sscanf(applied, "wait=%d", &seconds); err != nil || w.Code != http.StatusOK ||
			seconds < 0 || time.Duration(seconds)*time.Second > 30*time.Second || !strings.Contains(strings.ToLower(prefer), "wait") {
			t.Errorf("%q is answered with %d and %q", prefer, w.Code, applied)
		}
	})
}

func FuzzIdempotencyKey(f *testing.F) {
	m := fxtaskstest.New(f)
	api := newAPI(f, m, open)
	for _, key := range []string{"", "k", "K", "k ", "1:k", `"k"`, "\x00", "\xff", strings.Repeat("k", 255), strings.Repeat("k", 256)} {
		f.Add("", key)
		f.Add("somebody", key)
	}
	f.Fuzz(func(t *testing.T, caller, key string) {
		request := func(caller, name string) (string, error) {
			r := newRequest("POST", "/", "")
			r.Header["Idempotency-Key"] = []string{key}
			task, err := api.Submit(r, caller, m, name, nothing)
			if err != nil {
				return "", err
			}
			return task.ID(), nil
		}
		id, err := request(caller, "work")
		if tooLong := len(key) > 255; tooLong != errors.Is(err, fxtasks.ErrInvalid) || tooLong != (err != nil) {
			t.Fatalf("a key of %d bytes gives %v", len(key), err)
		}
		if err != nil {
			return
		}
		if again, err := request(caller, "work"); err != nil || (again == id) != (key != "") {
			t.Errorf("the key %q gives %s and %s (%v)", key, id, again, err)
		}
		for _, other := range [][2]string{{caller + "x", "work"}, {caller, "other"}} {
			if another, err := request(other[0], other[1]); err != nil || another == id {
				t.Errorf("the key %q of %q for %q joins that of %q for work (%v)", key, other[0], other[1], caller, err)
			}
		}
		if key != "" && strings.Contains(id, key) && len(key) > 4 {
			t.Errorf("the ID %q tells the key %q", id, key)
		}
		m.Cleanup()
	})
}
