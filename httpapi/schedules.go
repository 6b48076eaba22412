package httpapi

import (
	"net/http"

	"go.uber.org/zap"

	"github.com/fxtasks/background/fxtasks"
)

type schedulesBody struct {
	Schedules []scheduleBody `json:"schedules"`
}

type scheduleBody struct {
	Name            string    `json:"name"`
	Group           string    `json:"group,omitempty"`
	NextAt          timestamp `json:"next_at,omitempty"` // "": never again
	Runs            uint64    `json:"runs"`
	Skipped         uint64    `json:"skipped"`
	LastCompletedAt timestamp `json:"last_completed_at,omitempty"`
	Last            *taskBody `json:"last,omitempty"` // the latest run, as in a list
}

// serveSchedules answers GET /schedules.
func (a *API) serveSchedules(w http.ResponseWriter, r *http.Request, _ string) {
	if !a.mayWatch(w, r) {
		return
	}
	if _, ok := parseQuery(w, r, nil, nil); !ok {
		return
	}
	body := schedulesBody{Schedules: []scheduleBody{}}
	for _, periodic := range a.m.Periodics() {
		info := periodic.Info()
		if !a.allows(r, ActionView, &fxtasks.Info{Name: info.Name, Group: info.Group}) {
			continue
		}
		schedule := scheduleBody{
			Name: info.Name, Group: info.Group, NextAt: newTimestamp(info.Next), Runs: info.Runs, Skipped: info.Skipped,
			LastCompletedAt: newTimestamp(info.LastCompleted),
		}
		if info.Last.ID != "" && a.allows(r, ActionView, &info.Last) {
			last := a.listedTask(mount(r), &info.Last)
			schedule.Last = &last
		}
		body.Schedules = append(body.Schedules, schedule)
	}
	writeJSON(w, jsonType, http.StatusOK, body)
}

// serveRun answers POST /schedules/{name}/run.
func (a *API) serveRun(w http.ResponseWriter, r *http.Request, name string) {
	if !a.writable(w, "") {
		return
	}
	periodic, info := a.findSchedule(name)
	if !a.mayView(w, r, "", info) || !a.mayChange(w, r, ActionRun, info) {
		return
	}
	caller, ok := a.caller(w, r)
	if !ok {
		return
	}
	task, err := periodic.Trigger(r.Context())
	if err != nil {
		refusal := RefusalOf(err)
		p := newProblem(refusal.Status, refusal.Detail)
		p.retryAfter = refusal.RetryAfter
		p.write(w)
		return
	}
	run := task.Info()
	a.log(r, caller, "run of a schedule requested over HTTP", zap.String("task_id", run.ID), zap.String("task_name", run.Name))
	body := a.taskBody(r, mount(r), task, &run)
	w.Header().Set("Location", body.Links.Self)
	a.writeTask(w, r, http.StatusAccepted, body)
}

// findSchedule gives the schedule of that name, and what the authorizer is asked about; nil: there is none.
func (a *API) findSchedule(name string) (*fxtasks.Periodic, *fxtasks.Info) {
	for _, periodic := range a.m.Periodics() {
		if info := periodic.Info(); info.Name == name {
			return periodic, &fxtasks.Info{Name: info.Name, Group: info.Group}
		}
	}
	return nil, nil
}
