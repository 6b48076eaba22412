package httpapi

import (
	"errors"
	"net/http"

	"github.com/fxtasks/background/fxtasks"
)

// Authorizer decides whether the caller of r may do a. nil allows; any error refuses, and is not
// shown to the caller. An error that matches ErrUnauthenticated is answered with 401, others with
// 403, or with 404 where a task may not be viewed.
//
// For lists, statistics and the event stream it is asked for ActionView with a nil task, then with
// each task that would be shown; an open stream asks again each second. For one task it is asked with
// that task: for ActionView, and then for ActionViewStack if there is a stack, for ActionViewResult
// if there is a result, and for ActionCancel or ActionRun if that is what the caller wants. Where
// there is no such task it is asked for ActionView with nil, so that strangers cannot tell. Schedules
// are asked about with an Info that has a Name and a Group, and jobs as tasks.
//
// It must not change task, and runs on many goroutines at once. One that panics refuses.
type Authorizer func(r *http.Request, a Action, task *fxtasks.Info) error

// Action is what an Authorizer is asked about.
type Action string

// The actions.
const (
	ActionView       Action = "view"
	ActionViewStack  Action = "view_stack"
	ActionViewResult Action = "view_result"
	ActionCancel     Action = "cancel"
	ActionRun        Action = "run" // a schedule now, or a job again
)

// ErrUnauthenticated is for an Authorizer that does not know who asks: 401 instead of 403.
var ErrUnauthenticated = errors.New("httpapi: not authenticated")

// permission is what an authorizer says.
type permission int

const (
	allowed permission = iota
	forbidden
	unauthenticated
)

// ask asks the authorizer.
func (a *API) ask(r *http.Request, action Action, task *fxtasks.Info) permission {
	answer := forbidden
	a.guard("Config.Authorize", func() {
		switch err := a.cfg.Authorize(r, action, task); {
		case err == nil:
			answer = allowed
		case errors.Is(err, ErrUnauthenticated):
			answer = unauthenticated
		}
	})
	return answer
}

// allows asks the authorizer where it does not matter why it refuses.
func (a *API) allows(r *http.Request, action Action, task *fxtasks.Info) bool {
	return a.ask(r, action, task) == allowed
}

// permit refuses, with an answer, callers who may not do that. detail says what they may not.
func (a *API) permit(w http.ResponseWriter, r *http.Request, action Action, task *fxtasks.Info, detail string) bool {
	answer := a.ask(r, action, task)
	if answer == allowed {
		return true
	}
	p := newProblem(http.StatusForbidden, detail)
	if answer == unauthenticated {
		p = newProblem(http.StatusUnauthorized, "not signed in")
	}
	if task != nil {
		p.TaskID = task.ID
	}
	p.write(w)
	return false
}

// mayWatch refuses, with an answer, callers who may not view tasks at all.
func (a *API) mayWatch(w http.ResponseWriter, r *http.Request) bool {
	return a.permit(w, r, ActionView, nil, "not allowed")
}

// mayView says whether the caller may view the task; nil is one that does not exist. If not it
// answers as if there were none, so that nobody learns what exists.
func (a *API) mayView(w http.ResponseWriter, r *http.Request, id string, task *fxtasks.Info) bool {
	answer := a.ask(r, ActionView, task)
	if answer == allowed && task != nil {
		return true
	}
	p := newProblem(http.StatusNotFound, "no such task")
	if answer == unauthenticated {
		p = newProblem(http.StatusUnauthorized, "not signed in")
	}
	p.about(id).write(w)
	return false
}

// mayChange refuses, with an answer, callers who may not cancel, run or retry that.
func (a *API) mayChange(w http.ResponseWriter, r *http.Request, action Action, task *fxtasks.Info) bool {
	return a.permit(w, r, action, task, "not allowed to "+string(action)+" this")
}

// writable refuses, with an answer, to change anything by an API that is read-only.
func (a *API) writable(w http.ResponseWriter, id string) bool {
	if a.cfg.ReadOnly {
		newProblem(http.StatusForbidden, "this API is read-only").about(id).write(w)
	}
	return !a.cfg.ReadOnly
}
