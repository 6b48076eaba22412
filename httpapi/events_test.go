package httpapi_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fxtasks/background/fxtasks"
	"github.com/fxtasks/background/fxtasks/fxtaskstest"
	"github.com/fxtasks/background/httpapi"
)

func TestAStreamBegins(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := fxtaskstest.New(t)
		finished(t, submit(t, m, "before", nothing))
		api := newAPI(t, m, open)
		s := stream(t, api)
		if s.status != http.StatusOK {
			t.Errorf("the status is %d", s.status)
		}
		for name, want := range map[string]string{"Content-Type": "text/event-stream", "Cache-Control": "no-store, no-transform", "X-Accel-Buffering": "no"} {
			if got := s.header.Get(name); got != want {
				t.Errorf("%s is %q, want %q", name, got, want)
			}
		}
		events := s.sent()
		if len(events) != 2 || events[0].retry != "2000" || events[1].name != "stats" || events[1].id != "" {
			t.Fatalf("it begins with %+v", events)
		}
		var streamed map[string]any
		events[1].decode(&streamed)
		want := inBubble(t, api)("GET", "/stats", "").members()
		delete(want, "by_name") // can be large, and is sent each second
		if !reflect.DeepEqual(streamed, want) {
			t.Errorf("the statistics are %v, want %v", streamed, want)
		}
	})
}

func TestTaskEvents(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := fxtaskstest.NewWithConfig(t, fxtasks.Config{MaxRunning: 1})
		api := newAPI(t, m, open)
		ask := inBubble(t, api)
		first := submit(t, m, "first", func(context.Context) error { time.Sleep(time.Second); return nil })
		s := stream(t, api)
		s.sent()
		task := submit(t, m, "second", func(ctx context.Context) error {
			<-ctx.Done()
			time.Sleep(time.Second)
			return context.Cause(ctx)
		})
		var last string
		check := func(status string, cancelling bool) {
			t.Helper()
			var about []event
			for _, e := range s.tasks() {
				if e.task().ID == task.ID() {
					about = append(about, e)
				}
			}
			if len(about) != 1 {
				t.Fatalf("%d events of one change: %+v", len(about), about)
			}
			e := about[0]
			if want := strings.TrimSpace(string(ask("GET", pathOf(task), "").body)); e.data != want {
				t.Errorf("the event has\n%s, want\n%s", e.data, want)
			}
			if got := e.task(); got.Status != status || (got.Cancel != nil) != cancelling {
				t.Errorf("the task is %s, want %s", e.data, status)
			}
			if !regexp.MustCompile(`^[a-z0-9]+-[0-9]+$`).MatchString(e.id) || e.id == last {
				t.Errorf("the id is %q after %q", e.id, last)
			}
			last = e.id
		}
		check("pending", false)
		finished(t, first)
		check("running", false)
		task.Cancel(errors.New("no longer wanted"))
		check("running", true)
		finished(t, task)
		check("cancelled", true)
	})
}

func TestWhatHappensAfterTheHeadersIsOnTheStream(t *testing.T) {
	m := fxtaskstest.New(t)
	c := serveNew(t, m)
	for range 50 {
		s := c.stream()
		task := submit(t, m, "work", nothing)
		for s.next().id == "" {
		}
		for e := s.last; e.name != "task" || e.task().ID != task.ID() || !e.task().Done; {
			e = s.next()
		}
		s.close()
	}
}

// history makes things happen that are worth several events.
func history(t *testing.T, m *fxtasks.Manager) {
	t.Helper()
	for range 3 {
		task := submit(t, m, "work", func(ctx context.Context) error {
			<-ctx.Done()
			time.Sleep(time.Millisecond) // so that a stream tells of the cancelling before the end
			return context.Cause(ctx)
		})
		synctest.Wait()
		task.Cancel(nil)
		finished(t, task)
		synctest.Wait()
	}
}

func TestAKnownIDGetsEveryLaterEventOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := fxtaskstest.New(t)
		api := newAPI(t, m, open)
		submit(t, m, "work", nothing)
		synctest.Wait()
		s := stream(t, api)
		history(t, m)
		all := s.tasks()
		if len(all) != 12 {
			t.Fatalf("%d events, want 12", len(all))
		}
		for i, e := range all {
			resumed := stream(t, api, "Last-Event-ID: "+e.id)
			events := resumed.sent()
			if got, want := ids(named(events, "task")), ids(ends(all[i+1:])); !slices.Equal(got, want) || len(named(events, "reset")) > 0 {
				t.Errorf("after %s come %v, want %v", e.id, got, want)
			}
			resumed.cut()
		}
		history(t, m)
		if got := s.tasks(); len(got) != 12 {
			t.Errorf("%d later events, want 12", len(got))
		}
	})
}

// ends gives those of the task events by which a task has ended: all that is told of it later.
func ends(events []event) (some []event) {
	for _, e := range events {
		if e.task().Done {
			some = append(some, e)
		}
	}
	return some
}

func TestUnknownIDsGetAReset(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := fxtaskstest.New(t)
		api, restarted := newAPI(t, m, open), newAPI(t, fxtaskstest.New(t), open)
		s, other := stream(t, api), stream(t, restarted, "Last-Event-ID: x")
		history(t, m)
		known := s.tasks()[2].id
		boot, _, _ := strings.Cut(known, "-")
		otherReset := named(other.sent(), "reset")
		if len(otherReset) != 1 || strings.HasPrefix(otherReset[0].id, boot+"-") {
			t.Fatalf("another manager's events are %+v", otherReset)
		}
		for _, id := range []string{"x", "1", "-1", boot, boot + "-", boot + "-x", boot + "--1", boot + "-01", boot + "-+1",
			boot + "-1000000", boot + "-99999999999999999999", strings.ToUpper(boot) + "-1x", otherReset[0].id, strings.Repeat("9", 1000)} {
			s := stream(t, api, "Last-Event-ID: "+id)
			events := named(s.sent(), "reset", "task")
			if len(events) != 1 || events[0].name != "reset" || !strings.HasPrefix(events[0].id, boot+"-") || events[0].data == "" {
				t.Errorf("after %q come %+v", id, events)
				continue
			}
			s.cut()
			history(t, m)
			resumed := stream(t, api, "Last-Event-ID: "+events[0].id)
			if later := named(resumed.sent(), "reset", "task"); len(later) != 3 || later[0].name != "task" {
				t.Errorf("after the reset come %d events: %+v", len(later), later)
			}
			resumed.cut()
		}
	})
}

// many makes more events than are kept.
func many(t *testing.T, m *fxtasks.Manager) {
	t.Helper()
	for range 400 {
		submit(t, m, "work", nothing)
		synctest.Wait() // so that the three events of each are in a row
	}
}

func TestOverwrittenEventsGetAReset(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := fxtaskstest.New(t)
		api := newAPI(t, m, open)
		s := stream(t, api)
		history(t, m)
		id := s.tasks()[0].id
		many(t, m)
		boot, _, _ := strings.Cut(id, "-")
		events := named(stream(t, api, "Last-Event-ID: "+id).sent(), "reset", "task")
		want := []string{}
		for seq := 1212 - 1024; seq <= 1212; seq++ { // the reset, and then the ends that are kept of 12 and 1200 events
			if seq == 1212-1024 || (seq-12)%3 == 0 {
				want = append(want, fmt.Sprint(boot, "-", seq))
			}
		}
		if !slices.Equal(ids(events), want) || events[0].name != "reset" || len(named(events, "reset")) != 1 {
			t.Errorf("after 1200 events come %d: %+v …", len(events), events[:min(len(events), 2)])
		}
		if next := named(stream(t, api, "Last-Event-ID: "+events[0].id).sent(), "reset", "task"); len(next) != len(want)-1 || next[0].name != "task" {
			t.Errorf("after the reset's id come %d events", len(next))
		}
	})
}

func TestTwoManagersHaveDifferentBoots(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		seen := make(map[string]bool)
		for range 20 {
			id := named(stream(t, newAPI(t, fxtaskstest.New(t), open), "Last-Event-ID: x").sent(), "reset")[0].id
			if seen[id] {
				t.Errorf("%s for two managers", id)
			}
			seen[id] = true
		}
	})
}

func TestHiddenTasksAreNotOnTheStream(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := fxtaskstest.New(t)
		api := newAPI(t, m, httpapi.Config{Authorize: (&rules{denied: []string{"view b", "view_stack c"}}).authorize,
			Redact: func(string, string) string { return "***" }})
		streams := []*bubbleStream{stream(t, api), stream(t, api, "Last-Event-ID: x")}
		reports := func(ctx context.Context) error {
			fxtasks.ReportProgress(ctx, fxtasks.Progress{Current: 1})
			time.Sleep(time.Second)
			panic("no paper")
		}
		for _, id := range []string{"a", "b", "c"} {
			submit(t, m, "work", reports, fxtasks.WithID(id), fxtasks.WithMetadata(map[string]string{"token": "s3cret"}))
		}
		time.Sleep(2 * time.Second)
		for _, s := range streams {
			kinds := make(map[string]int)
			for _, e := range named(s.sent(), "task", "progress") {
				if e.name == "progress" {
					kinds["progress "+e.progress().ID]++
					continue
				}
				body := e.task()
				kinds["task "+body.ID]++
				if body.Metadata["token"] != "***" {
					t.Errorf("%s is not redacted", e.data)
				}
				if body.Done && body.Error.Stack != "" {
					t.Errorf("%s comes with its stack", body.ID)
				}
			}
			if want := map[string]int{"task a": 3, "task c": 3, "progress a": 1, "progress c": 1}; !reflect.DeepEqual(kinds, want) {
				t.Errorf("the stream had %v, want %v", kinds, want)
			}
		}
	})
}

func TestAStreamOutlivesTheManager(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, err := fxtasks.New(fxtasks.Config{ShutdownTimeout: time.Second})
		if err != nil {
			t.Fatal(err)
		}
		api := newAPI(t, m, open)
		s := stream(t, api)
		submit(t, m, "work", func(context.Context) error { time.Sleep(time.Minute); return nil }) // ignores its context
		if _, err := m.Shutdown(t.Context()); err == nil {
			t.Fatal("it was not stuck")
		}
		time.Sleep(5 * time.Second)
		stats := named(s.sent(), "stats")
		if last := stats[len(stats)-1]; !strings.Contains(last.data, `"state":"stopped"`) || !strings.Contains(last.data, `"running":1`) {
			t.Errorf("the last statistics are %s", last.data)
		}
		time.Sleep(time.Minute)
		if events := s.tasks(); len(events) != 1 || !events[0].task().Done {
			t.Errorf("of the stuck task's end came %+v", events)
		}
	})
}
