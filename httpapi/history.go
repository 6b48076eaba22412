package httpapi

import (
	"net/http"

	"github.com/fxtasks/background/fxtasks"
)

type historyBody struct {
	Minutes []minuteBody               `json:"minutes"` // the last 60, the oldest first
	ByName  map[string]nameHistoryBody `json:"by_name"`
}

type nameHistoryBody struct {
	Bins []minuteBody  `json:"minutes"` // of five minutes each
	Wait quantilesBody `json:"wait"`
	Run  quantilesBody `json:"run"`
}

// minuteBody is what ended in a minute, or in several that begin with it.
type minuteBody struct {
	Start     timestamp `json:"start"`
	Completed uint32    `json:"completed"`
	Failed    uint32    `json:"failed"`
	Cancelled uint32    `json:"cancelled"`
	TimedOut  uint32    `json:"timed_out"`
}

type quantilesBody struct {
	Count      uint64  `json:"count"`
	P50Seconds float64 `json:"p50_seconds"`
	P95Seconds float64 `json:"p95_seconds"`
	MaxSeconds float64 `json:"max_seconds"`
}

// binMinutes is how many minutes of a name are told as one: with 1,000 names, each of them would
// be megabytes.
const binMinutes = 5

// serveHistory answers GET /history.
func (a *API) serveHistory(w http.ResponseWriter, r *http.Request, _ string) {
	if !a.mayWatch(w, r) {
		return
	}
	h := a.m.History()
	body := historyBody{Minutes: bins(h.Minutes, 1), ByName: make(map[string]nameHistoryBody, len(h.ByName))}
	for name, of := range h.ByName {
		body.ByName[name] = nameHistoryBody{bins(of.Minutes, binMinutes), newQuantilesBody(of.Wait), newQuantilesBody(of.Run)}
	}
	writeJSON(w, jsonType, http.StatusOK, body)
}

// bins sums up so many minutes at a time.
func bins(minutes []fxtasks.Minute, size int) []minuteBody {
	all := make([]minuteBody, 0, (len(minutes)+size-1)/size)
	for i, m := range minutes {
		if i%size == 0 {
			all = append(all, minuteBody{Start: newTimestamp(m.Start)})
		}
		bin := &all[len(all)-1]
		bin.Completed += m.Completed
		bin.Failed += m.Failed
		bin.Cancelled += m.Cancelled
		bin.TimedOut += m.TimedOut
	}
	return all
}

func newQuantilesBody(q fxtasks.Quantiles) quantilesBody {
	return quantilesBody{q.Count, q.P50.Seconds(), q.P95.Seconds(), q.Max.Seconds()}
}
