package httpapi

import (
	"net/http"

	"github.com/fxtasks/background/fxtasks"
)

type healthBody struct {
	Status string `json:"status"`
}

// serveLive answers GET /livez. The process can answer, so it lives: tasks that fail are no reason
// to restart it.
func (a *API) serveLive(w http.ResponseWriter, _ *http.Request, _ string) {
	writeJSON(w, jsonType, http.StatusOK, healthBody{"ok"})
}

// serveReady answers GET /readyz.
func (a *API) serveReady(w http.ResponseWriter, _ *http.Request, _ string) {
	if state := a.m.State(); state != fxtasks.Open {
		p := newProblem(http.StatusServiceUnavailable, state.String())
		p.retryAfter = retryAfter
		p.write(w)
		return
	}
	writeJSON(w, jsonType, http.StatusOK, healthBody{"ok"})
}
