package httpapi_test

import (
	"net/http"
	"net/url"
	"testing"

	"github.com/fxtasks/background/fxtasks"
	"github.com/fxtasks/background/fxtasks/fxtaskstest"
)

func TestMounts(t *testing.T) {
	m := fxtaskstest.New(t)
	finished(t, submit(t, m, "work", nothing, fxtasks.WithID("a/b")))
	api := newAPI(t, m, open)
	under := func(prefix string) *client {
		mux := http.NewServeMux()
		mux.Handle(prefix+"/", http.StripPrefix(prefix, api))
		return serveHandler(t, api, mux, prefix)
	}
	for name, test := range map[string]struct {
		c      *client
		prefix string // of the links
	}{
		"root":                  {under(""), ""},
		"prefix":                {under("/background"), "/background"},
		"long prefix":           {under("/a/b/tasks"), "/a/b/tasks"},
		"no mux":                {serveHandler(t, api, http.StripPrefix("/x", api), "/x"), "/x"},
		"proxy":                 {under("/background").behindProxy("/ops"), "/background"},
		"proxy with a longer":   {under("/b").behindProxy("/ops/a/b"), "/b"},
		"proxy before the root": {under("").behindProxy("/ops"), ""},
	} {
		t.Run(name, func(t *testing.T) {
			c := *test.c
			c.t = t
			want := test.prefix + "/tasks/a%2Fb"
			if got := c.get("/tasks/a%2Fb?x=/tasks").want(http.StatusOK).task().Links.Self; got != want {
				t.Errorf("the task's link is %q, want %q", got, want)
			}
			if got := c.get("/tasks?name=work").list().Tasks[0].Links.Self; got != want {
				t.Errorf("the list's link is %q, want %q", got, want)
			}
			if got := c.do("DELETE", "/tasks/a%2Fb", "").want(http.StatusOK).task().Links.Self; got != want {
				t.Errorf("the cancel's link is %q, want %q", got, want)
			}
			c.get("/").want(http.StatusOK)
			c.get("/stats").want(http.StatusOK)
			c.get("/nowhere").wantProblem(http.StatusNotFound)
		})
	}
}

func TestTheMountWithoutItsSlashLeadsToThePage(t *testing.T) {
	api := newAPI(t, fxtaskstest.New(t), open)
	c := serveHandler(t, api, http.StripPrefix("/a/tasks", api), "/a/tasks")
	for _, c := range []*client{c, c.behindProxy("/ops/tasks")} { // a proxy that renames it must redirect by itself
		for query, want := range map[string]string{"": "/", "?status=failed": "/?status=failed"} {
			a := c.get(query).want(http.StatusPermanentRedirect)
			asked, err := url.Parse(c.url + query)
			if err != nil {
				t.Fatal(err)
			}
			to, err := asked.Parse(a.header.Get("Location"))
			if err != nil || to.String() != c.url+want {
				t.Errorf("%s leads to %v (%v), want %s", asked, to, err, c.url+want)
			}
		}
	}
}
