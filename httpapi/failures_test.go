package httpapi_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fxtasks/background/fxtasks"
	"github.com/fxtasks/background/fxtasks/fxtaskstest"
	"github.com/fxtasks/background/httpapi"
)

type failure struct {
	Name, Message string
	Count         int
	LastAt        string `json:"last_at"`
	LastID        string `json:"last_id"`
}

func (a answer) failures() []failure {
	a.t.Helper()
	var body struct{ Failures []failure }
	a.want(http.StatusOK).decode(&body)
	if body.Failures == nil {
		a.t.Errorf("%s has no list", a.body)
	}
	return body.Failures
}

func failing(message string) fxtasks.Func {
	return func(context.Context) error { return errors.New(message) }
}

func TestFailures(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := fxtaskstest.New(t)
		ask := inBubble(t, newAPI(t, m, httpapi.Config{Authorize: (&rules{denied: []string{"view hidden"}}).authorize}))
		if got := ask("GET", "/failures", "").failures(); len(got) != 0 {
			t.Errorf("nothing has failed, and there are %+v", got)
		}
		slow := submit(t, m, "slow", func(context.Context) error { time.Sleep(time.Minute); return errors.New("late") }, fxtasks.WithID("slow"))
		for i := range 40 {
			finished(t, submit(t, m, "sync", failing(fmt.Sprintf("order %d: 502 Bad Gateway", i)), fxtasks.WithID(fmt.Sprint(i))))
		}
		finished(t, submit(t, m, "sync", failing("no paper")))
		finished(t, submit(t, m, "mail", failing("no paper")))
		finished(t, submit(t, m, "mail", nothing))
		finished(t, submit(t, m, "mail", failing("secret"), fxtasks.WithID("hidden")))
		finished(t, submit(t, m, "report", untilCancelled, fxtasks.WithTimeout(time.Second)))
		finished(t, slow)
		var got []string
		for _, f := range ask("GET", "/failures", "").failures() {
			got = append(got, fmt.Sprintf("%s ×%d: %s", f.Name, f.Count, f.Message))
			if f.LastAt == "" || f.LastID == "" {
				t.Errorf("%+v does not say which was the last", f)
			}
		}
		// The latest end comes first, though 40 were submitted after it (mission_control-jobs#246).
		want := []string{"slow ×1: late", "report ×1: " + got[1][len("report ×1: "):], "mail ×1: no paper", "sync ×1: no paper", "sync ×40: order 39: 502 Bad Gateway"}
		if !slices.Equal(got, want) {
			t.Errorf("the failures are %q, want %q", got, want)
		}
		ask("GET", "/failures?x=1", "").wantProblem(http.StatusBadRequest)
	})
}

func TestManyLongFailuresAreFewBytes_bullboard808(t *testing.T) {
	m := fxtaskstest.New(t)
	for i := range 1000 {
		finished(t, submit(t, m, fmt.Sprint("name-", i%100), failing(fmt.Sprint(i, strings.Repeat("x", 64<<10)))))
	}
	c := serveNew(t, m)
	a := c.get("/failures")
	if got := a.failures(); len(got) != 50 || got[0].Count != 10 || len(a.body) > 64<<10 {
		t.Errorf("%d kinds in %d bytes", len(got), len(a.body))
	}
}

func TestOrdersAndSearch(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := fxtaskstest.New(t)
		ask := inBubble(t, newAPI(t, m, open))
		long := submit(t, m, "import", func(context.Context) error { time.Sleep(time.Minute); return errors.New("502 Bad Gateway") }, fxtasks.WithID("long"))
		for _, id := range []string{"b25jZQ==", "Report-7"} {
			finished(t, submit(t, m, "work", nothing, fxtasks.WithID(id)))
		}
		finished(t, long)
		submit(t, m, "work", untilCancelled, fxtasks.WithID("running"))
		for query, want := range map[string]string{
			"": "running Report-7 b25jZQ== long", "order=newest": "running Report-7 b25jZQ== long", "order=oldest": "long b25jZQ== Report-7 running",
			"order=ended": "long Report-7 b25jZQ==", "order=ended&status=completed": "Report-7 b25jZQ==",
			"q=b25jZQ==": "b25jZQ==", "q=REPORT": "Report-7", "q=bad+gateway": "long", "q=IMP": "long", "q=nothing": "", "q=5&order=oldest": "long b25jZQ==",
		} {
			a := ask("GET", "/tasks?"+query, "").want(http.StatusOK)
			if got := strings.Join(a.list().ids(), " "); got != want {
				t.Errorf("?%s gives %q, want %q", query, got, want)
			}
		}
		tokens := make(map[string]string)
		for _, order := range []string{"newest", "oldest", "ended"} {
			first := ask("GET", "/tasks?page_size=1&order="+order, "").list()
			tokens[order] = first.NextPageToken
			if second := ask("GET", "/tasks?page_size=1&order="+order+"&page_token="+first.NextPageToken, "").list(); second.ids()[0] == first.ids()[0] {
				t.Errorf("%s: the second page is the first", order)
			}
		}
		for of, token := range tokens {
			for order := range tokens {
				if order != of {
					ask("GET", "/tasks?order="+order+"&page_token="+token, "").wantProblem(http.StatusBadRequest)
				}
			}
		}
		ask("GET", "/tasks?order=random", "").wantProblem(http.StatusBadRequest)
	})
}

// unspeakable cannot be encoded.
type unspeakable struct{ err error }

func (u unspeakable) MarshalJSON() ([]byte, error) {
	if u.err == nil {
		panic("no form")
	}
	return nil, u.err
}

func TestResults(t *testing.T) {
	m := fxtaskstest.New(t)
	r := &rules{denied: []string{"view_result hidden"}}
	c := serve(t, newAPI(t, m, httpapi.Config{Authorize: r.authorize}))
	for id, test := range map[string]struct {
		value any
		want  string
	}{
		"object": {map[string]int{"pages": 7}, `{"pages":7}`}, "null": {nil, "null"}, "text": {"x", `"x"`}, "hidden": {7, ""},
		"channel": {make(chan int), ""}, "panics": {unspeakable{}, ""}, "fails": {unspeakable{errDenied}, ""},
		"large": {strings.Repeat("x", 64<<10-2), `"` + strings.Repeat("x", 64<<10-2) + `"`}, "too large": {strings.Repeat("x", 64<<10-1), ""},
	} {
		result, err := fxtasks.SubmitResult(t.Context(), m, "work", func(context.Context) (any, error) { return test.value, nil }, fxtasks.WithID(id))
		if err != nil {
			t.Fatal(err)
		}
		finished(t, result.Task)
		if got := c.get(pathOf(result.Task)).want(http.StatusOK).task(); string(got.Result) != test.want {
			t.Errorf("%s: the result is %.40s, want %.40s", id, got.Result, test.want)
		}
	}
	finished(t, submit(t, m, "work", nothing, fxtasks.WithID("plain")))
	r.questions()
	if got := c.get("/tasks/plain").task(); got.Result != nil || slices.Contains(r.questions(), "view_result plain") {
		t.Errorf("a task without a result has %s", got.Result)
	}
	if list := string(c.get("/tasks").body); strings.Contains(list, `"result"`) {
		t.Error("a list has results")
	}
	if asked := r.questions(); slices.ContainsFunc(asked, func(q string) bool { return strings.HasPrefix(q, "view_result") }) {
		t.Errorf("a list asks %q", asked)
	}
}
