package httpapi_test

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fxtasks/background/fxtasks"
	"github.com/fxtasks/background/fxtasks/fxtaskstest"
)

// reporting is a task that reports progress 1 to n, one in every interval, and then waits.
func reporting(n int, interval time.Duration, then fxtasks.Func) fxtasks.Func {
	return func(ctx context.Context) error {
		for i := range n {
			fxtasks.ReportProgress(ctx, fxtasks.Progress{Current: int64(i + 1), Total: int64(n)})
			time.Sleep(interval)
		}
		return then(ctx)
	}
}

func TestProgressIsSentAtMostFourTimesASecond(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := fxtaskstest.New(t)
		s := stream(t, newAPI(t, m, open))
		submit(t, m, "a", reporting(1001, 7*time.Millisecond, untilCancelled), fxtasks.WithID("a"))
		time.Sleep(100 * time.Millisecond)
		submit(t, m, "b", reporting(1001, 3*time.Millisecond, untilCancelled), fxtasks.WithID("b"))
		time.Sleep(10 * time.Second)
		events := named(s.sent(), "progress")
		for _, id := range []string{"a", "b"} {
			var at []time.Duration
			var last progressEvent
			for _, e := range events {
				if p := e.progress(); p.ID == id {
					at = append(at, e.at)
					if p.Progress.Current <= last.Progress.Current {
						t.Errorf("%d after %d", p.Progress.Current, last.Progress.Current)
					}
					if last = p; e.id == "" {
						t.Error("progress without an id")
					}
				}
			}
			for i := range at {
				if i >= 4 && at[i]-at[i-4] < time.Second {
					t.Errorf("5 reports of %s within %v", id, at[i]-at[i-4])
				}
			}
			if len(at) < 8 {
				t.Errorf("%d reports of %s", len(at), id)
			}
			if last.Progress.Current != 1001 || *last.Progress.Percent != 100 {
				t.Errorf("the last report of %s is %+v", id, last)
			}
		}
	})
}

func TestNoProgressAfterTheEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := fxtaskstest.New(t)
		s := stream(t, newAPI(t, m, open))
		for i := range 100 { // ends at all kinds of moments, also right after a report
			submit(t, m, "work", reporting(i%7+1, time.Duration(i%5)*40*time.Millisecond, nothing), fxtasks.WithID(fmt.Sprint(i)))
			time.Sleep(time.Duration(i) * time.Millisecond)
		}
		time.Sleep(10 * time.Second)
		ended := make(map[string]bool)
		for _, e := range named(s.sent(), "task", "progress") {
			if e.name == "progress" {
				if id := e.progress().ID; ended[id] {
					t.Errorf("progress of %s after its end", id)
				}
			} else if body := e.task(); body.Done {
				ended[body.ID] = true
				if body.Progress == nil || body.Progress.Current != body.Progress.Total {
					t.Errorf("%s ended with %s", body.ID, e.data)
				}
			}
		}
		if len(ended) != 100 {
			t.Errorf("%d ends of 100", len(ended))
		}
	})
}

func TestResumingLosesNoReport(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := fxtaskstest.New(t)
		api := newAPI(t, m, open)
		s := stream(t, api)
		submit(t, m, "a", reporting(10, 10*time.Millisecond, untilCancelled), fxtasks.WithID("a"))
		time.Sleep(100 * time.Millisecond)
		submit(t, m, "b", nothing) // its events have later ids than reports that are held back still
		events := s.sent()
		s.cut()
		if got := named(events, "progress"); got[len(got)-1].progress().Progress.Current == 10 {
			t.Fatal("the last report was not held back")
		}
		resumed := stream(t, api, "Last-Event-ID: "+events[len(events)-1].id)
		time.Sleep(time.Second)
		got := named(resumed.sent(), "progress")
		if len(got) != 1 || got[0].progress().ID != "a" || got[0].progress().Progress.Current != 10 {
			t.Errorf("resumed, %d reports came: %+v", len(got), got)
		}
	})
}

func TestResumingLosesNoReportOfManyTasks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := fxtaskstest.New(t)
		api := newAPI(t, m, open)
		report := make(chan int64)
		submit(t, m, "oldest", func(ctx context.Context) error {
			for current := range report {
				fxtasks.ReportProgress(ctx, fxtasks.Progress{Current: current})
			}
			return nil
		})
		for range 1200 {
			submit(t, m, "work", untilCancelled)
		}
		s := stream(t, api)
		for current := range int64(2) { // the first is sent at once, the second is held back
			report <- current + 1
			synctest.Wait()
		}
		submit(t, m, "work", nothing)
		events := s.sent()
		s.cut()
		resumed := stream(t, api, "Last-Event-ID: "+events[len(events)-1].id)
		time.Sleep(time.Second)
		if got := named(resumed.sent(), "progress"); len(got) != 1 || got[0].progress().Progress.Current != 2 {
			t.Errorf("resumed, %d reports came: %+v", len(got), got)
		}
		close(report)
	})
}

func TestResumingRepeatsNoReport(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := fxtaskstest.New(t)
		api := newAPI(t, m, open)
		s := stream(t, api)
		report := make(chan int64)
		submit(t, m, "a", func(ctx context.Context) error {
			for current := range report {
				fxtasks.ReportProgress(ctx, fxtasks.Progress{Current: current})
			}
			return nil
		})
		id := s.tasks()[0].id
		s.cut()
		report <- 1 // while the client is away
		synctest.Wait()
		resumed := stream(t, api, "Last-Event-ID: "+id)
		time.Sleep(time.Second)
		if got := named(resumed.sent(), "progress"); len(got) != 1 {
			t.Errorf("one report, made while the client was away, came %d times: %+v", len(got), got)
		}
		close(report)
	})
}

func TestStatsAreSentOnceASecondWhenChanged(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := fxtaskstest.New(t)
		s := stream(t, newAPI(t, m, open))
		if n := len(named(s.sent(), "stats")); n != 1 {
			t.Errorf("%d at the beginning", n)
		}
		time.Sleep(time.Minute)
		if got := named(s.sent(), "stats"); len(got) > 0 {
			t.Errorf("nothing changed, and %+v came", got)
		}
		for range 500 {
			submit(t, m, "work", nothing)
			time.Sleep(10 * time.Millisecond)
		}
		time.Sleep(time.Second)
		events := named(s.sent(), "stats")
		if len(events) != 5 && len(events) != 6 {
			t.Errorf("%d times in 5 s", len(events))
		}
		for i, e := range events {
			if e.id != "" {
				t.Errorf("with the id %q", e.id)
			}
			if i > 0 && e.at-events[i-1].at < time.Second {
				t.Errorf("%v after the last", e.at-events[i-1].at)
			}
		}
		var last struct{ Completed int }
		answer{t: t, body: []byte(events[len(events)-1].data)}.decodeLenient(&last)
		if last.Completed != 500 {
			t.Errorf("the last has %d completed tasks", last.Completed)
		}
	})
}

func TestAPingEvery15Seconds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := fxtaskstest.New(t)
		api := newAPI(t, m, open)
		idle, busy := stream(t, api), stream(t, api)
		submit(t, m, "work", reporting(300, 199*time.Millisecond, untilCancelled))
		time.Sleep(time.Minute)
		for _, s := range []*bubbleStream{idle, busy} {
			var at []time.Duration
			for _, e := range s.sent() {
				if e.name == "ping" && e.data == "{}" && e.id == "" {
					at = append(at, e.at.Truncate(time.Second))
				}
			}
			if want := []time.Duration{15 * time.Second, 30 * time.Second, 45 * time.Second, time.Minute}; !slices.Equal(at, want) {
				t.Errorf("pings came at %v", at)
			}
		}
	})
}
