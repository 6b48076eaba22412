package httpapi

import (
	"net/http"

	"github.com/fxtasks/background/fxtasks"
)

type statsBody struct {
	countsBody
	Waiting              int                   `json:"waiting"`
	Stuck                int                   `json:"stuck"`
	MaxRunning           int                   `json:"max_running"`
	MaxPending           int                   `json:"max_pending"`
	OldestPendingSeconds float64               `json:"oldest_pending_seconds"`
	OldestRunningSeconds float64               `json:"oldest_running_seconds"`
	ByName               map[string]countsBody `json:"by_name,omitzero"`
	ByGroup              map[string]groupBody  `json:"by_group"`
	State                string                `json:"state"` // "open", "draining", "stopped"
	Instance             string                `json:"instance"`
}

type countsBody struct {
	Pending   int    `json:"pending"`
	Running   int    `json:"running"`
	Submitted uint64 `json:"submitted"`
	Completed uint64 `json:"completed"`
	Failed    uint64 `json:"failed"`
	Cancelled uint64 `json:"cancelled"`
	TimedOut  uint64 `json:"timed_out"`
	Retried   uint64 `json:"retried"`
	Rejected  uint64 `json:"rejected"`
}

// groupBody is the use that a group makes of its own limits.
type groupBody struct {
	countsBody
	MaxRunning int `json:"max_running"`
	MaxPending int `json:"max_pending"`
}

// serveStats answers GET /stats.
func (a *API) serveStats(w http.ResponseWriter, r *http.Request, _ string) {
	if !a.mayWatch(w, r) {
		return
	}
	s := a.m.Stats()
	body := a.newStatsBody(s)
	body.ByName = make(map[string]countsBody, len(s.ByName))
	for name, counts := range s.ByName {
		body.ByName[name] = countsBody(counts)
	}
	writeJSON(w, jsonType, http.StatusOK, body)
}

// newStatsBody leaves ByName out, which can be large, and which the stream does not send.
func (a *API) newStatsBody(s fxtasks.Stats) statsBody {
	body := statsBody{
		countsBody:           countsBody(s.Counts),
		Waiting:              s.Waiting,
		Stuck:                s.Stuck,
		MaxRunning:           s.MaxRunning,
		MaxPending:           s.MaxPending,
		OldestPendingSeconds: s.OldestPending.Seconds(),
		OldestRunningSeconds: s.OldestRunning.Seconds(),
		ByGroup:              make(map[string]groupBody, len(s.ByGroup)),
		State:                a.m.State().String(),
		Instance:             instance,
	}
	for name, counts := range s.ByGroup {
		body.ByGroup[name] = groupBody{countsBody: countsBody(counts)}
	}
	for _, group := range a.m.Groups() {
		if counted, ok := body.ByGroup[group.Name()]; ok { // else it is one of those that are counted together
			cfg := group.Config()
			counted.MaxRunning, counted.MaxPending = cfg.MaxRunning, cfg.MaxPending
			body.ByGroup[group.Name()] = counted
		}
	}
	return body
}
