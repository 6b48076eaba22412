package httpapi

import (
	"net/http"

	"github.com/fxtasks/background/fxtasks"
)

type statsBody struct {
	countsBody
	MaxRunning           int                   `json:"max_running"`
	MaxPending           int                   `json:"max_pending"`
	OldestPendingSeconds float64               `json:"oldest_pending_seconds"`
	ByName               map[string]countsBody `json:"by_name,omitzero"`
	ByGroup              map[string]countsBody `json:"by_group"`
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

// serveStats answers GET /stats.
func (a *API) serveStats(w http.ResponseWriter, r *http.Request, _ string) {
	if a.mayWatch(w, r) {
		writeJSON(w, jsonType, http.StatusOK, a.statsBody())
	}
}

func (a *API) statsBody() statsBody {
	s := a.m.Stats()
	return statsBody{
		countsBody:           countsBody(s.Counts),
		MaxRunning:           s.MaxRunning,
		MaxPending:           s.MaxPending,
		OldestPendingSeconds: s.OldestPending.Seconds(),
		ByName:               countsBodies(s.ByName),
		ByGroup:              countsBodies(s.ByGroup),
		State:                a.m.State().String(),
		Instance:             instance,
	}
}

// streamedStats leaves ByName out, which can be large and is not needed each second.
func (a *API) streamedStats() statsBody {
	body := a.statsBody()
	body.ByName = nil
	return body
}

func countsBodies(counts map[string]fxtasks.Counts) map[string]countsBody {
	bodies := make(map[string]countsBody, len(counts))
	for name, c := range counts {
		bodies[name] = countsBody(c)
	}
	return bodies
}
