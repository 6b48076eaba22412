package httpapi_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/fxtasks/background/fxtasks"
	"github.com/fxtasks/background/fxtasks/fxtaskstest"
	"github.com/fxtasks/background/httpapi"
)

func TestSchedules(t *testing.T) {
	m := fxtaskstest.New(t)
	for _, name := range []string{"nightly/report", "hidden", "quick"} {
		fn := untilCancelled
		if name == "quick" {
			fn = nothing
		}
		if _, err := m.Schedule(name, fxtasks.Every(24*time.Hour), fn); err != nil {
			t.Fatal(err)
		}
	}
	denied := ""
	c := serve(t, newAPI(t, m, httpapi.Config{Authorize: func(_ *http.Request, a httpapi.Action, task *fxtasks.Info) error {
		if task != nil && task.Name == "hidden" || string(a) == denied {
			return errDenied
		}
		return nil
	}}))
	type schedule struct {
		Name, Group     string
		NextAt          string `json:"next_at"`
		Runs, Skipped   uint64
		LastCompletedAt string `json:"last_completed_at"`
		Last            *task
	}
	list := func() []schedule {
		t.Helper()
		var body struct{ Schedules []schedule }
		c.get("/schedules").want(http.StatusOK).decode(&body)
		return body.Schedules
	}
	if all := list(); len(all) != 2 || all[0].Name != "nightly/report" || all[0].NextAt == "" || all[0].Last != nil || all[0].LastCompletedAt != "" {
		t.Errorf("the schedules are %+v", all)
	}
	denied = "run"
	c.do("POST", "/schedules/quick/run", "").wantProblem(http.StatusForbidden)
	denied = ""
	c.do("POST", "/schedules/quick/run", "", "Sec-Fetch-Site: cross-site").wantProblem(http.StatusForbidden)
	for _, name := range []string{"hidden", "unknown"} {
		c.do("POST", "/schedules/"+name+"/run", "").wantProblem(http.StatusNotFound)
	}
	if all := list(); all[0].Runs+all[1].Runs != 0 {
		t.Errorf("what was refused has run: %+v", all)
	}

	a := c.do("POST", "/schedules/nightly%2Freport/run", "").want(http.StatusAccepted)
	run := a.task()
	a.wantHeader("Location", run.Links.Self)
	if run.Name != "nightly/report" {
		t.Errorf("the run is %+v", run)
	}
	c.do("POST", "/schedules/nightly/report/run", "").wantProblem(http.StatusConflict)
	task, _ := m.Task(run.ID)
	task.Cancel(nil)
	finished(t, task)
	a = c.do("POST", "/schedules/quick/run", "").want(http.StatusAccepted)
	task, _ = m.Task(a.task().ID)
	finished(t, task)
	for _, s := range list() {
		if s.Runs != 1 || s.Last == nil || s.Name == "quick" && (s.LastCompletedAt == "" || s.Last.Status != "completed") {
			t.Errorf("after a run it is %+v", s)
		}
	}
	c.get("/schedules?x=1").wantProblem(http.StatusBadRequest)
	readOnly := serve(t, newAPI(t, m, httpapi.Config{AllowUnauthenticated: true, ReadOnly: true}))
	readOnly.do("POST", "/schedules/quick/run", "").wantProblem(http.StatusForbidden)
}
