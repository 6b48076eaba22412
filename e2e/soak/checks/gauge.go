package checks

import "sync/atomic"

// Gauge counts how many functions are at it at once, from inside of them.
type Gauge struct {
	Findings *Findings
	What     string
	Limit    int64       // 0: none
	Loose    func() bool // says that the limit does not hold: tasks have waited for tasks, and may go on beyond it; nil: never

	now atomic.Int64
}

// Enter counts one more.
func (g *Gauge) Enter() {
	if n := g.now.Add(1); g.Limit > 0 && n > g.Limit && !(g.Loose != nil && g.Loose()) {
		g.Findings.Addf("%s: %d at once, want at most %d", g.What, n, g.Limit)
	}
}

// Leave counts one less. It comes before what lets the next one in.
func (g *Gauge) Leave() { g.now.Add(-1) }
