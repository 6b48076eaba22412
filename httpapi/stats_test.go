package httpapi_test

import (
	"context"
	"errors"
	"net/http"
	"reflect"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fxtasks/background/fxtasks"
	"github.com/fxtasks/background/fxtasks/fxtaskstest"
)

func TestStats(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := fxtaskstest.NewWithConfig(t, fxtasks.Config{MaxRunning: 1, MaxPending: 2})
		group, err := m.Group("reports", fxtasks.GroupConfig{})
		if err != nil {
			t.Fatal(err)
		}
		ask := inBubble(t, newAPI(t, m, open))
		finished(t, submit(t, m, "import", nothing))
		finished(t, submit(t, m, "import", func(context.Context) error { return errors.New("no paper") }))
		finished(t, submit(t, group, "report", untilCancelled, fxtasks.WithTimeout(time.Second)))
		submit(t, m, "import", untilCancelled)
		submit(t, group, "report", nothing).Cancel(nil)
		submit(t, m, "mail", nothing)
		time.Sleep(1500 * time.Millisecond)
		submit(t, m, "mail", nothing)
		if _, err := m.Submit(t.Context(), "mail", nothing); !errors.Is(err, fxtasks.ErrQueueFull) {
			t.Fatal(err)
		}
		counts := func(pending, running, submitted, completed, failed, cancelled, timedOut, rejected float64) map[string]any {
			return map[string]any{"pending": pending, "running": running, "submitted": submitted, "completed": completed,
				"failed": failed, "cancelled": cancelled, "timed_out": timedOut, "rejected": rejected, "retried": 0.0}
		}
		want := counts(2, 1, 7, 1, 1, 1, 1, 1)
		want["max_running"], want["max_pending"], want["oldest_pending_seconds"], want["state"] = 1.0, 2.0, 1.5, "open"
		want["waiting"], want["stuck"], want["oldest_running_seconds"] = 0.0, 0.0, 1.5
		reports := counts(0, 0, 2, 0, 0, 1, 1, 0)
		reports["max_running"], reports["max_pending"] = 0.0, 0.0
		want["by_group"] = map[string]any{"reports": reports}
		want["by_name"] = map[string]any{
			"import": counts(0, 1, 3, 1, 1, 0, 0, 0),
			"report": counts(0, 0, 2, 0, 0, 1, 1, 0),
			"mail":   counts(2, 0, 2, 0, 0, 0, 0, 1),
		}
		got := ask("GET", "/stats", "").want(http.StatusOK).wantHeader("Content-Type", "application/json").members()
		delete(got, "instance") // TestTheInstanceIsThatOfTheProcess
		if !reflect.DeepEqual(got, want) {
			t.Errorf("the statistics are\n%v, want\n%v", got, want)
		}
	})
}

func TestStatsOfAManagerWithoutTasksHaveAllMembers(t *testing.T) {
	body := string(serveNew(t, fxtaskstest.New(t)).get("/stats").want(http.StatusOK).body)
	for _, member := range []string{`"by_name":{}`, `"by_group":{}`, `"oldest_pending_seconds":0`, `"max_running":0`, `"state":"open"`} {
		if !strings.Contains(body, member) {
			t.Errorf("%s has no %s", body, member)
		}
	}
}

func TestStatsTellTheState(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := fxtaskstest.New(t)
		ask := inBubble(t, newAPI(t, m, open))
		state := func() any { return ask("GET", "/stats", "").want(http.StatusOK).members()["state"] }
		submit(t, m, "work", func(context.Context) error { time.Sleep(time.Second); return nil })
		go func() { _, _ = m.Shutdown(context.Background()) }()
		synctest.Wait()
		if got := state(); got != "draining" {
			t.Errorf("while draining it is %v", got)
		}
		time.Sleep(time.Second)
		synctest.Wait()
		if got := state(); got != "stopped" {
			t.Errorf("then it is %v", got)
		}
	})
}
