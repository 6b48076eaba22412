package httpapi_test

import (
	"context"
	"errors"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fxtasks/background/fxtasks"
	"github.com/fxtasks/background/fxtasks/fxtaskstest"
	"github.com/fxtasks/background/httpapi"
)

type minute struct {
	Start                        time.Time
	Completed, Failed, Cancelled int
	TimedOut                     int `json:"timed_out"`
}

func (m minute) outcomes() [4]int { return [4]int{m.Completed, m.Failed, m.Cancelled, m.TimedOut} }

type quantiles struct {
	Count      int
	P50Seconds float64 `json:"p50_seconds"`
	P95Seconds float64 `json:"p95_seconds"`
	MaxSeconds float64 `json:"max_seconds"`
}

type historyBody struct {
	Minutes []minute
	ByName  map[string]struct {
		Minutes   []minute
		Wait, Run quantiles
	} `json:"by_name"`
}

// about says whether got is want within the 10 % that quantiles are good for.
func about(got, want float64) bool { return got >= 0.9*want && got <= 1.1*want }

func TestHistory(t *testing.T) {
	synctest.Test(t, func(t *testing.T) { // begins at midnight, so at the start of a minute
		m := fxtaskstest.NewWithConfig(t, fxtasks.Config{MaxRunning: 1})
		ask := inBubble(t, newAPI(t, m, open))
		takes := func(d time.Duration) fxtasks.Func {
			return func(context.Context) error { time.Sleep(d); return nil }
		}
		first := submit(t, m, "import", takes(8*time.Second))
		finished(t, submit(t, m, "import", takes(2*time.Second))) // after 8 s of waiting
		finished(t, first)
		finished(t, submit(t, m, "mail", func(context.Context) error { return errors.New("no paper") }))
		time.Sleep(6 * time.Minute)
		finished(t, submit(t, m, "mail", untilCancelled, fxtasks.WithTimeout(time.Second)))
		running := submit(t, m, "mail", untilCancelled)
		submit(t, m, "mail", nothing).Cancel(nil) // never runs
		running.Cancel(nil)
		finished(t, running)
		unfinished := submit(t, m, "never ended", untilCancelled)
		synctest.Wait()

		var h historyBody
		ask("GET", "/history", "").want(http.StatusOK).wantHeader("Content-Type", "application/json").wantHeader("Cache-Control", "no-store").decode(&h)
		if len(h.Minutes) != 60 {
			t.Fatalf("%d minutes", len(h.Minutes))
		}
		for i, got := range h.Minutes {
			want := [4]int{}
			switch i {
			case 53:
				want = [4]int{2, 1, 0, 0}
			case 59:
				want = [4]int{0, 0, 2, 1}
			}
			if got.outcomes() != want || !got.Start.Equal(time.Now().Truncate(time.Minute).Add(time.Duration(i-59)*time.Minute)) {
				t.Errorf("minute %d is %+v, want %v", i, got, want)
			}
		}
		if len(h.ByName) != 2 {
			t.Errorf("by name: %+v", h.ByName)
		}
		for name, want := range map[string]map[int][4]int{"import": {10: {2, 0, 0, 0}}, "mail": {10: {0, 1, 0, 0}, 11: {0, 0, 2, 1}}} {
			bins := h.ByName[name].Minutes
			if len(bins) != 12 {
				t.Fatalf("%d bins of %s", len(bins), name)
			}
			for i, got := range bins {
				if got.outcomes() != want[i] || !got.Start.Equal(h.Minutes[5*i].Start) {
					t.Errorf("bin %d of %s is %+v, want %v", i, name, got, want[i])
				}
			}
		}
		imports, mails := h.ByName["import"], h.ByName["mail"]
		if imports.Run.Count != 2 || !about(imports.Run.P50Seconds, 2) || !about(imports.Run.MaxSeconds, 8) || !about(imports.Run.P95Seconds, 8) {
			t.Errorf("the imports ran %+v", imports.Run)
		}
		if imports.Wait.Count != 2 || imports.Wait.P50Seconds > 0.001 || !about(imports.Wait.MaxSeconds, 8) {
			t.Errorf("the imports waited %+v", imports.Wait)
		}
		if mails.Run.Count != 3 || !about(mails.Run.MaxSeconds, 1) { // one never ran
			t.Errorf("the mails ran %+v", mails.Run)
		}
		unfinished.Cancel(nil)
		finished(t, unfinished)
	})
}

func TestHistoryOfATaskThatIsRetriedCountsItOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := fxtaskstest.New(t)
		ask := inBubble(t, newAPI(t, m, open))
		finished(t, submit(t, m, "deliver", failingTimes(2, time.Second), retries(3, time.Minute)))
		var h historyBody
		ask("GET", "/history", "").want(http.StatusOK).decode(&h)
		of := h.ByName["deliver"]
		if last := h.Minutes[59]; last.outcomes() != [4]int{1, 0, 0, 0} {
			t.Errorf("the last minute is %+v", last)
		}
		if of.Run.Count != 1 || !about(of.Run.MaxSeconds, 1) || of.Wait.MaxSeconds > 0.001 {
			t.Errorf("by name it is %+v", of)
		}
	})
}

func TestHistoryOfNothing(t *testing.T) {
	m := fxtaskstest.New(t)
	var h historyBody
	serveNew(t, m).get("/history").want(http.StatusOK).decode(&h)
	if len(h.Minutes) != 60 || h.ByName == nil || len(h.ByName) != 0 {
		t.Errorf("it is %+v", h)
	}
}

func TestHistoryIsForThoseWhoMayViewListsAlone(t *testing.T) {
	c := serve(t, newAPI(t, fxtaskstest.New(t), httpapi.Config{Authorize: func(_ *http.Request, a httpapi.Action, task *fxtasks.Info) error {
		if a == httpapi.ActionView && task == nil {
			return errDenied
		}
		return nil
	}}))
	c.get("/history").wantProblem(http.StatusForbidden)
	c.do("POST", "/history", "").wantProblem(http.StatusMethodNotAllowed)
}
