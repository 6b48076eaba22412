package httpapi_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fxtasks/background/fxtasks"
	"github.com/fxtasks/background/fxtasks/fxtaskstest"
	"github.com/fxtasks/background/httpapi"
)

type list struct {
	Tasks         []task
	NextPageToken string `json:"next_page_token"`
	TotalSize     int    `json:"total_size"`
}

func (a answer) list() list {
	a.t.Helper()
	var body list
	a.want(http.StatusOK).wantHeader("Content-Type", "application/json").wantHeader("Cache-Control", "no-store").decode(&body)
	return body
}

func (l list) ids() []string {
	ids := []string{}
	for _, task := range l.Tasks {
		ids = append(ids, task.ID)
	}
	return ids
}

func TestAnEmptyListHasAllItsMembers(t *testing.T) {
	c := serveNew(t, fxtaskstest.New(t))
	if got := strings.TrimSpace(string(c.get("/tasks").want(http.StatusOK).body)); got != `{"tasks":[],"next_page_token":"","total_size":0}` {
		t.Errorf("the list is %s", got)
	}
}

func TestATaskInAListIsAsItIsAlone(t *testing.T) {
	m := fxtaskstest.New(t)
	c := serveNew(t, m)
	task := finished(t, submit(t, m, "work", func(context.Context) error { return errors.New("no paper") },
		fxtasks.WithMetadata(map[string]string{"customer": "7"})))
	alone := strings.TrimSpace(string(c.get(pathOf(task)).body))
	if list := string(c.get("/tasks").body); !strings.Contains(list, alone) {
		t.Errorf("the list is %s, without %s", list, alone)
	}
}

func TestFilters(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := fxtaskstest.NewWithConfig(t, fxtasks.Config{MaxRunning: 1})
		group, err := m.Group("reports", fxtasks.GroupConfig{})
		if err != nil {
			t.Fatal(err)
		}
		ask := inBubble(t, newAPI(t, m, open))
		at := func(d time.Duration) string { return url.QueryEscape(time.Now().Add(d).Format(time.RFC3339Nano)) }
		metadata := func(kv ...string) fxtasks.TaskOption {
			return fxtasks.WithMetadata(map[string]string{kv[0]: kv[1], kv[2]: kv[3]})
		}
		finished(t, submit(t, m, "import", nothing, fxtasks.WithID("1"), metadata("customer", "7", "a b&c=", "x/y")))
		time.Sleep(time.Second)
		finished(t, submit(t, group, "report", func(context.Context) error { panic("no paper") }, fxtasks.WithID("2"), metadata("customer", "8", "empty", "")))
		time.Sleep(time.Second)
		submit(t, group, "report", untilCancelled, fxtasks.WithID("3"), metadata("customer", "7", "region", "eu"))
		synctest.Wait()
		submit(t, m, "mail", untilCancelled, fxtasks.WithID("4"))

		for query, want := range map[string]string{
			"":                 "4 3 2 1",
			"status=pending":   "4",
			"status=running":   "3",
			"status=failed":    "2",
			"status=completed": "1",
			"status=cancelled": "",
			"status=timed_out&status=running&status=pending": "4 3",
			"name=report":                            "3 2",
			"name=Report":                            "",
			"group=reports":                          "3 2",
			"group=others":                           "",
			"metadata.customer=7":                    "3 1",
			"metadata.customer=7&metadata.region=eu": "3",
			"metadata.customer=":                     "",
			"metadata.empty=":                        "2",
			"metadata.unknown=":                      "",
			"metadata.a+b%26c%3D=x%2Fy":              "1",
			"name=report&status=failed":              "2",
			"group=reports&metadata.customer=7":      "3",
			"created_after=" + at(-time.Second):      "4 3",
			"created_after=" + at(-time.Second-1):    "4 3 2",
			"created_before=" + at(-time.Second):     "1",
			"created_before=" + at(-time.Second+1):   "2 1",
			"created_after=" + at(-2*time.Second) + "&created_before=" + at(0):                                                 "2",
			"created_after=" + url.QueryEscape(time.Now().Add(-time.Second).In(time.FixedZone("", 3600)).Format(time.RFC3339)): "4 3",
			"name=&group=&page_token=&page_size=":                                                                              "4 3 2 1",
			"page_size=2":                                                                                                      "4 3",
		} {
			got := ask("GET", "/tasks?"+query, "").list()
			if ids := strings.Join(got.ids(), " "); ids != want {
				t.Errorf("?%s gives %q, want %q", query, ids, want)
			}
			if n := len(strings.Fields(want)); got.TotalSize != n && query != "page_size=2" {
				t.Errorf("?%s counts %d, want %d", query, got.TotalSize, n)
			}
		}
	})
}

func TestQueriesThatAreRefused(t *testing.T) {
	m := fxtaskstest.New(t)
	finished(t, submit(t, m, "work", nothing))
	c := serveNew(t, m)
	for _, query := range []string{
		"page_size=0", "page_size=-1", "page_size=-99999999999999999999", "page_size=1.5", "page_size=x", "page_size=1e3",
		"page_token=x", "page_token=1", "page_token=before-", "page_token=before--1", "page_token=before-01", "page_token=%00",
		"status=lost", "status=Running", "status=", "status=running&status=lost", "status=running,failed",
		"created_after=yesterday", "created_after=2026-01-01", "created_before=2026-13-01T00:00:00Z", "created_before=1",
		"name=%zz", "%", "a;b", "unknown=1", "Name=work", "name=work&name=other", "page_size=1&page_size=2", "metadata.a=1&metadata.a=2", "metadata=1",
	} {
		if p := c.get("/tasks?" + query).wantProblem(http.StatusBadRequest); p.TaskID != "" {
			t.Errorf("?%s is about task %q", query, p.TaskID)
		}
	}
}

func TestPages(t *testing.T) {
	const n = 25
	m := fxtaskstest.New(t)
	c := serveNew(t, m)
	var want []string
	for i := range n {
		id := fmt.Sprint(i)
		finished(t, submit(t, m, "work", nothing, fxtasks.WithID(id)))
		want = append([]string{id}, want...)
	}
	var got []string
	token := ""
	for page := 0; page == 0 || token != ""; page++ {
		l := c.get("/tasks?page_size=10&name=work&page_token=" + url.QueryEscape(token)).list()
		if l.TotalSize != n+page || len(l.Tasks) > 10 {
			t.Fatalf("page %d has %d of %d tasks", page, len(l.Tasks), l.TotalSize)
		}
		got = append(got, l.ids()...)
		token = l.NextPageToken
		finished(t, submit(t, m, "work", nothing, fxtasks.WithID(fmt.Sprint("later", page)))) // shifts nothing
	}
	if !slices.Equal(got, want) {
		t.Errorf("the pages give %v, want %v", got, want)
	}
}

func TestPageSizes(t *testing.T) {
	m := fxtaskstest.NewWithConfig(t, fxtasks.Config{RetainFinished: 1100})
	for range 1010 {
		finished(t, submit(t, m, "work", nothing))
	}
	c := serveNew(t, m)
	for query, want := range map[string]int{"": 100, "page_size=1": 1, "page_size=1000": 1000, "page_size=1001": 1000,
		"page_size=99999999999999999999": 1000} {
		l := c.get("/tasks?" + query).list()
		if len(l.Tasks) != want || l.TotalSize != 1010 || l.NextPageToken == "" {
			t.Errorf("?%s gives %d of %d tasks and the token %q, want %d", query, len(l.Tasks), l.TotalSize, l.NextPageToken, want)
		}
	}
}

func TestRedactedMetadataIsNeitherShownNorFound(t *testing.T) {
	m := fxtaskstest.New(t)
	c := serve(t, newAPI(t, m, httpapi.Config{AllowUnauthenticated: true, Redact: func(key, value string) string {
		switch key {
		case "token":
			return "***"
		case "email":
			_, domain, _ := strings.Cut(value, "@")
			return domain
		}
		return value
	}}))
	task := finished(t, submit(t, m, "work", nothing, fxtasks.WithMetadata(map[string]string{
		"token": "s3cret", "email": "ann@example.org", "customer": "7"})))
	for _, a := range []answer{c.get("/tasks"), c.get(pathOf(task)), c.do("DELETE", pathOf(task), "")} {
		if body := string(a.body); strings.Contains(body, "s3cret") || strings.Contains(body, "ann@") ||
			!strings.Contains(body, `"metadata":{"customer":"7","email":"example.org","token":"***"}`) {
			t.Errorf("%s: %s", a.request, body)
		}
	}
	for query, want := range map[string]int{
		"metadata.customer=7": 1, "metadata.token=s3cret": 0, "metadata.token=***": 0, "metadata.token=": 0,
		"metadata.customer=7&metadata.token=s3cret": 0, "metadata.email=ann@example.org": 0, "metadata.token=s3cret&status=completed": 0,
	} {
		if l := c.get("/tasks?" + query).list(); l.TotalSize != want || len(l.Tasks) != want || l.NextPageToken != "" {
			t.Errorf("?%s finds %+v", query, l)
		}
	}
}
