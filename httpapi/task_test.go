package httpapi_test

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"reflect"
	"runtime"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fxtasks/background/fxtasks"
	"github.com/fxtasks/background/fxtasks/fxtaskstest"
)

// atNoon gives a bubble's clock, which begins at midnight, a moment that is not a whole second.
func atNoon() time.Time {
	time.Sleep(12*time.Hour + 1234567*time.Nanosecond)
	return time.Now()
}

func TestATaskAsItGoesThroughItsLife(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := fxtaskstest.NewWithConfig(t, fxtasks.Config{MaxRunning: 1})
		reports, err := m.Group("reports", fxtasks.GroupConfig{})
		if err != nil {
			t.Fatal(err)
		}
		ask := inBubble(t, newAPI(t, m, open))
		noon := atNoon().UTC()
		at := func(after time.Duration) string { return noon.Add(after).Format(time.RFC3339Nano) }
		first := submit(t, m, "first", func(context.Context) error { time.Sleep(2 * time.Second); return nil })
		submit(t, reports, "build-report", func(ctx context.Context) error {
			fxtasks.ReportProgress(ctx, fxtasks.Progress{Current: 1, Total: 8, Unit: "pages", Message: "rendering"})
			time.Sleep(1500 * time.Millisecond)
			return errors.New("no paper")
		}, fxtasks.WithID("7"), fxtasks.WithTimeout(time.Minute), fxtasks.WithMetadata(map[string]string{"customer": "42"}))
		synctest.Wait()

		want := map[string]any{
			"id": "7", "name": "build-report", "group": "reports", "status": "pending", "done": false,
			"metadata": map[string]any{"customer": "42"}, "created_at": at(0), "timeout_seconds": 60.0,
			"attempt": 0.0, "max_attempts": 1.0,
			"links": map[string]any{"self": "/background/tasks/7"},
		}
		check := func() {
			t.Helper()
			if got := ask("GET", "/tasks/7", "").want(http.StatusOK).members(); !reflect.DeepEqual(got, want) {
				t.Errorf("the task is\n%v, want\n%v", got, want)
			}
		}
		check()

		finished(t, first)
		synctest.Wait()
		want["status"], want["attempt"] = "running", 1.0
		want["started_at"], want["deadline_at"], want["wait_seconds"] = at(2*time.Second), at(62*time.Second), 2.0
		want["progress"] = map[string]any{"current": 1.0, "total": 8.0, "percent": 12.5, "unit": "pages",
			"message": "rendering", "updated_at": at(2 * time.Second)}
		check()

		time.Sleep(time.Second)
		want["cancel"] = map[string]any{"requested_at": at(3 * time.Second), "reason": "too late"}
		ask("DELETE", "/tasks/7", `{"reason": "too late"}`)
		check()

		time.Sleep(time.Minute)
		want["status"], want["done"], want["run_seconds"] = "cancelled", true, 1.5
		want["finished_at"] = at(3500 * time.Millisecond)
		want["expires_at"] = at(time.Hour + 3500*time.Millisecond)
		want["error"] = map[string]any{"type": "cancelled", "message": "too late: no paper"}
		check()

		time.Sleep(time.Hour)
		ask("GET", "/tasks/7", "").wantProblem(http.StatusNotFound)
	})
}

func TestATaskThatNeverStartedHasWaitedAndNotRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := fxtaskstest.NewWithConfig(t, fxtasks.Config{MaxRunning: 1})
		ask := inBubble(t, newAPI(t, m, open))
		submit(t, m, "first", untilCancelled)
		task := submit(t, m, "second", nothing)
		time.Sleep(3 * time.Second)
		task.Cancel(nil)
		got := ask("GET", pathOf(task), "").want(http.StatusOK).task()
		if got.WaitSeconds == nil || *got.WaitSeconds != 3 || got.RunSeconds != nil || got.StartedAt != "" || got.FinishedAt == "" {
			t.Errorf("the task is %+v", got)
		}
	})
}

func TestProgress(t *testing.T) {
	percent := func(p float64) *float64 { return &p }
	for name, test := range map[string]struct {
		current, total int64
		percent        *float64
	}{
		"unknown total": {5, 0, nil},
		"negative":      {5, -3, nil},
		"none":          {0, 4, percent(0)},
		"some":          {3, 4, percent(75)},
		"all":           {4, 4, percent(100)},
		"more than all": {5, 4, percent(100)},
	} {
		t.Run(name, func(t *testing.T) {
			m := fxtaskstest.New(t)
			task := submit(t, m, "work", func(ctx context.Context) error {
				fxtasks.ReportProgress(ctx, fxtasks.Progress{Current: test.current, Total: test.total})
				return nil
			})
			a := serveNew(t, m).get(pathOf(finished(t, task))).want(http.StatusOK)
			got := a.task().Progress
			if got.Current != test.current || got.Total != test.total || !reflect.DeepEqual(got.Percent, test.percent) {
				t.Errorf("the progress is %s", a.body)
			}
			if _, ok := a.members()["progress"].(map[string]any)["percent"]; !ok {
				t.Errorf("%s has no percent", a.body)
			}
		})
	}
}

// brokenError panics as a nil pointer in an error interface does.
type brokenError struct{ text string }

func (e *brokenError) Error() string { return e.text }

func TestErrorTypes(t *testing.T) {
	errCause := errors.New("no longer wanted")
	for name, test := range map[string]struct {
		fn      fxtasks.Func
		cancel  error // nil: not cancelled
		typ     string
		message string
		stack   bool
	}{
		"completed":          {fn: nothing},
		"error":              {fn: func(context.Context) error { return errors.New("no paper") }, typ: "error", message: "no paper"},
		"panic":              {fn: func(context.Context) error { panic("no paper") }, typ: "panic", message: "no paper", stack: true},
		"panic with error":   {fn: func(context.Context) error { panic(errCause) }, typ: "panic", message: "no longer wanted", stack: true},
		"panic after cancel": {fn: func(ctx context.Context) error { <-ctx.Done(); panic("late") }, cancel: errCause, typ: "panic", message: "late", stack: true},
		"goexit":             {fn: func(context.Context) error { runtime.Goexit(); return nil }, typ: "goexit", message: "Goexit"},
		"timeout":            {fn: untilCancelled, typ: "timeout", message: "timed out"},
		"cancelled":          {fn: untilCancelled, cancel: errCause, typ: "cancelled", message: "no longer wanted"},
		"own cancel":         {fn: func(context.Context) error { return context.Canceled }, typ: "error", message: "canceled"},
		"completed although": {fn: func(ctx context.Context) error { <-ctx.Done(); return nil }, cancel: errCause},
		"broken error":       {fn: func(context.Context) error { return (*brokenError)(nil) }, typ: "error", message: "brokenError"},
	} {
		t.Run(name, func(t *testing.T) {
			m := fxtaskstest.New(t)
			var opts []fxtasks.TaskOption
			if test.typ == "timeout" {
				opts = append(opts, fxtasks.WithTimeout(time.Millisecond))
			}
			task := submit(t, m, "work", test.fn, opts...)
			if test.cancel != nil {
				fxtaskstest.WaitForStatus(t, m, task, fxtasks.Running)
				task.Cancel(test.cancel)
			}
			a := serveNew(t, m).get(pathOf(finished(t, task))).want(http.StatusOK)
			got := a.task()
			if test.typ == "" {
				if got.Error != nil || got.Status != "completed" {
					t.Errorf("a completed task is %s", a.body)
				}
				return
			}
			if got.Error == nil || got.Error.Type != test.typ || !strings.Contains(got.Error.Message, test.message) {
				t.Fatalf("the error is %s, want %q with %q", a.body, test.typ, test.message)
			}
			if stack := strings.Contains(got.Error.Stack, "TestErrorTypes"); stack != test.stack {
				t.Errorf("the stack is %q", got.Error.Stack)
			}
		})
	}
}

func TestETagChangesWithTheTaskOnly(t *testing.T) {
	m := fxtaskstest.New(t)
	c := serveNew(t, m)
	report, reported := make(chan struct{}), make(chan struct{})
	task := submit(t, m, "work", func(ctx context.Context) error {
		<-report
		fxtasks.ReportProgress(ctx, fxtasks.Progress{Current: 1})
		close(reported)
		return untilCancelled(ctx)
	})
	fxtaskstest.WaitForStatus(t, m, task, fxtasks.Running)
	var tags []string
	check := func(retryAfter string) {
		t.Helper()
		tag := c.get(pathOf(task)).want(http.StatusOK).wantHeader("Retry-After", retryAfter).header.Get("ETag")
		for _, known := range []string{tag, "W/" + tag, `"x", ` + tag, "*"} {
			a := c.get(pathOf(task), "If-None-Match: "+known).want(http.StatusNotModified).
				wantHeader("ETag", tag).wantHeader("Cache-Control", "no-store")
			if len(a.body) > 0 {
				t.Errorf("304 with the body %s", a.body)
			}
		}
		c.get(pathOf(task), `If-None-Match: "x"`).want(http.StatusOK).wantHeader("ETag", tag)
		c.get(pathOf(task), `If-None-Match: "x"`, "If-None-Match: "+tag).want(http.StatusNotModified)
		c.do("HEAD", pathOf(task), "").want(http.StatusOK).wantHeader("ETag", tag)
		if !strings.HasPrefix(tag, `"`) || !strings.HasSuffix(tag, `"`) || len(tag) < 10 || slices.Contains(tags, tag) {
			t.Errorf("the ETag is %s, after %v", tag, tags)
		}
		tags = append(tags, tag)
	}
	check("1")
	close(report)
	<-reported
	check("1")
	task.Cancel(nil)
	finished(t, task)
	check("")
}

func TestIDsOfAllKinds(t *testing.T) {
	m := fxtaskstest.New(t)
	c := serveNew(t, m)
	c.get("/tasks/no%2Fbody").wantProblem(http.StatusNotFound)
	proxied := c.behindProxy("/ops/tasks")
	for _, id := range []string{"a", "a/b", "/a/", "//", "a b", "100%", "%2F", "%", "a+b&c=d;e,f", "?", "#", "ümlaut", "日本", "a:b@c",
		"../stats", "a/../b", "...", `"\`, "<script>", "tasks", strings.Repeat("ü", 64)} {
		task := submit(t, m, "work", untilCancelled, fxtasks.WithID(id))
		for _, c := range []*client{c, proxied} {
			got := c.get(pathOf(task)).want(http.StatusOK).task()
			if got.ID != id {
				t.Errorf("asked for %q, got %q", id, got.ID)
			}
			if want := mount + "/tasks/" + url.PathEscape(id); got.Links.Self != want {
				t.Errorf("the link to itself is %q, want %q", got.Links.Self, want)
			}
		}
		task.Cancel(nil)
		if status := c.do("DELETE", pathOf(task), "").status; status != http.StatusOK && status != http.StatusAccepted {
			t.Errorf("cancelling %q: %d", id, status)
		}
	}
}

func TestUnknownTasks(t *testing.T) {
	c := serveNew(t, fxtaskstest.New(t))
	for path, id := range map[string]string{"/tasks/7": "7", "/tasks/a%2Fb": "a/b", "/tasks/..": "", "/tasks/%FF": "\uFFFD"} {
		for _, method := range []string{"GET", "DELETE"} {
			if id == "" { // the mux redirects
				continue
			}
			if p := c.do(method, path, "").wantProblem(http.StatusNotFound); p.TaskID != id {
				t.Errorf("the problem is about %q, want %q", p.TaskID, id)
			}
		}
	}
}
