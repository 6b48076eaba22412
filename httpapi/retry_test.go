package httpapi_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"runtime"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fxtasks/background/fxtasks"
	"github.com/fxtasks/background/fxtasks/fxtaskstest"
)

// failingTimes fails so many times, each attempt taking d, and then completes.
func failingTimes(times int, d time.Duration) fxtasks.Func {
	attempt := 0
	return func(context.Context) error {
		attempt++
		time.Sleep(d)
		if attempt <= times {
			return fmt.Errorf("attempt %d: no answer", attempt)
		}
		return nil
	}
}

func retries(attempts int, delay time.Duration) fxtasks.TaskOption {
	return fxtasks.WithRetry(fxtasks.Retry{MaxAttempts: attempts, Delay: func(int) time.Duration { return delay }})
}

func TestARetryingTask(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := fxtaskstest.New(t)
		ask := inBubble(t, newAPI(t, m, open))
		task := submit(t, m, "deliver", failingTimes(2, 3*time.Second), retries(3, time.Minute), fxtasks.WithID("x"), fxtasks.WithTimeout(time.Hour))
		begin := time.Now()
		at := func(d time.Duration) string { return begin.Add(d).UTC().Format(time.RFC3339Nano) }
		check := func(after time.Duration, want map[string]any, absent ...string) {
			t.Helper()
			time.Sleep(time.Until(begin.Add(after)))
			synctest.Wait()
			got := ask("GET", "/tasks/x", "").want(http.StatusOK).members()
			for member, value := range want {
				if fmt.Sprint(got[member]) != fmt.Sprint(value) {
					t.Errorf("after %v %s is %v, want %v", after, member, got[member], value)
				}
			}
			for _, member := range absent {
				if value, there := got[member]; there {
					t.Errorf("after %v %s is %v", after, member, value)
				}
			}
		}
		lastError := func(n int) map[string]any {
			return map[string]any{"type": "error", "message": fmt.Sprintf("attempt %d: no answer", n)}
		}
		check(time.Second, map[string]any{"status": "running", "attempt": 1, "max_attempts": 3, "wait_seconds": 0, "deadline_at": at(time.Hour)},
			"last_error", "not_before", "run_seconds", "error")
		check(10*time.Second, map[string]any{"status": "pending", "done": false, "attempt": 1, "not_before": at(63 * time.Second), "last_error": lastError(1)},
			"error", "wait_seconds", "run_seconds", "deadline_at", "finished_at")
		check(64*time.Second, map[string]any{"status": "running", "attempt": 2, "started_at": at(63 * time.Second), "wait_seconds": 0,
			"last_error": lastError(1), "deadline_at": at(time.Hour + 63*time.Second)}, "error", "run_seconds")
		check(70*time.Second, map[string]any{"status": "pending", "attempt": 2, "not_before": at(126 * time.Second), "last_error": lastError(2)}, "wait_seconds", "run_seconds")
		if stats := ask("GET", "/stats", "").members(); stats["retried"] != 2.0 || stats["failed"] != 0.0 ||
			stats["by_name"].(map[string]any)["deliver"].(map[string]any)["retried"] != 2.0 {
			t.Errorf("the statistics are %v", stats)
		}
		finished(t, task)
		check(130*time.Second, map[string]any{"status": "completed", "done": true, "attempt": 3, "not_before": at(126 * time.Second),
			"wait_seconds": 0, "run_seconds": 3}, "error", "last_error")
	})
}

func TestATaskWhoseAttemptsAllFail(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := fxtaskstest.New(t)
		ask := inBubble(t, newAPI(t, m, open))
		finished(t, submit(t, m, "deliver", failingTimes(9, 0), retries(2, time.Second), fxtasks.WithID("x")))
		got := ask("GET", "/tasks/x", "").want(http.StatusOK).members()
		message := func(member string) any { return got[member].(map[string]any)["message"] }
		if got["status"] != "failed" || got["attempt"] != 2.0 || message("error") != "attempt 2: no answer" || message("last_error") != "attempt 1: no answer" {
			t.Errorf("it is %v", got)
		}
	})
}

func TestTheKindOfTheLastError(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := fxtaskstest.New(t)
		ask := inBubble(t, newAPI(t, m, open))
		for want, fn := range map[string]fxtasks.Func{
			"timeout": untilCancelled,
			"panic":   func(context.Context) error { panic("no paper") },
			"error":   func(context.Context) error { return errors.New(strings.Repeat("é", 600)) },
		} {
			task := submit(t, m, want, fn, retries(2, time.Hour), fxtasks.WithID(want), fxtasks.WithTimeout(time.Second))
			time.Sleep(2 * time.Second)
			last := ask("GET", "/tasks/"+want, "").members()["last_error"].(map[string]any)
			if last["type"] != want || last["stack"] != nil {
				t.Errorf("it is %v, want the type %s and no stack", last, want)
			}
			task.Cancel(nil)
			finished(t, task)
		}
		var page struct {
			Tasks []struct {
				Name      string
				LastError struct{ Message string } `json:"last_error"`
			}
		}
		if err := json.Unmarshal(ask("GET", "/tasks?name=error", "").body, &page); err != nil {
			t.Fatal(err)
		}
		if got := []rune(page.Tasks[0].LastError.Message); len(got) != 500 {
			t.Errorf("the list shows %d characters", len(got))
		}
	})
}

// toldOnce is an error whose text may be asked for one time only.
type toldOnce struct {
	asked atomic.Int32
	text  string
}

func (e *toldOnce) Error() string {
	if e.asked.Add(1) > 1 {
		runtime.Goexit() // and with it the goroutine of a request
	}
	return e.text
}

func TestTextsOfErrorsAreNotMadeForARequest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := fxtaskstest.New(t)
		ask := inBubble(t, newAPI(t, m, open))
		attempt := 0
		failing := submit(t, m, "failing", func(context.Context) error {
			attempt++
			return &toldOnce{text: fmt.Sprintf("attempt %d", attempt)}
		}, retries(2, time.Minute), fxtasks.WithID("failing"))
		holds := submit(t, m, "holds", func(ctx context.Context) error { time.Sleep(2 * time.Minute); return nil }, fxtasks.WithID("holds"))
		holds.Cancel(&toldOnce{text: "no longer wanted"})
		text := func(id, member, of string) {
			t.Helper()
			for range 2 {
				body, _ := ask("GET", "/tasks/"+id, "").members()[member].(map[string]any)
				if list := string(ask("GET", "/tasks", "").body); body[of] == nil || !strings.Contains(list, body[of].(string)) {
					t.Errorf("%s of %s has the %s %v, and the list is %s", member, id, of, body[of], list)
				}
			}
		}
		synctest.Wait()
		text("failing", "last_error", "message")
		text("holds", "cancel", "reason")
		finished(t, failing)
		text("failing", "last_error", "message")
		text("failing", "error", "message")
		finished(t, holds)
		text("holds", "cancel", "reason")
		ask("GET", "/failures", "")
	})
}

func TestADelayedTask(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := fxtaskstest.New(t)
		ask := inBubble(t, newAPI(t, m, open))
		due := time.Now().Add(time.Hour).UTC().Format(time.RFC3339Nano)
		task := submit(t, m, "remind", nothing, fxtasks.WithDelay(time.Hour), fxtasks.WithID("x"))
		got := ask("GET", "/tasks/x", "").want(http.StatusOK).members()
		if got["status"] != "pending" || got["not_before"] != due || got["attempt"] != 0.0 || got["wait_seconds"] != nil {
			t.Errorf("at first it is %v", got)
		}
		finished(t, task)
		if got = ask("GET", "/tasks/x", "").members(); got["not_before"] != due || got["wait_seconds"] != 0.0 || got["attempt"] != 1.0 {
			t.Errorf("in the end it is %v", got)
		}
	})
}

func TestTheStreamTellsOfEachAttempt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := fxtaskstest.New(t)
		api := newAPI(t, m, open)
		s := stream(t, api)
		task := submit(t, m, "deliver", failingTimes(2, time.Second), retries(3, time.Minute), fxtasks.WithID("x"))
		var got []string
		for range 140 {
			time.Sleep(time.Second)
			for _, e := range named(s.sent(), "task") {
				var body struct {
					Status    string
					Attempt   int
					LastError *struct{ Message string } `json:"last_error"`
				}
				if err := json.Unmarshal([]byte(e.data), &body); err != nil {
					t.Fatal(err)
				}
				what := fmt.Sprint(body.Status, " ", body.Attempt)
				if body.LastError != nil {
					what += " after " + body.LastError.Message[:len("attempt 1")]
				}
				if len(got) == 0 || got[len(got)-1] != what {
					got = append(got, what)
				}
			}
		}
		finished(t, task)
		want := []string{"running 1", "pending 1 after attempt 1", "running 2 after attempt 1", "pending 2 after attempt 2", "running 3 after attempt 2", "completed 3"}
		if !slices.Equal(slices.DeleteFunc(got, func(s string) bool { return s == "pending 0" }), want) {
			t.Errorf("it tells\n%q, want\n%q", got, want)
		}
	})
}
