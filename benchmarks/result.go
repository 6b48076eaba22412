package main

import "slices"

// result has a figure of each contender for each round.
type result struct {
	row   row
	ours  []float64
	peers [][]float64 // as in row
}

// comparison is one line of the table: our figure beside a peer's, or beside a goal of its own.
type comparison struct {
	unit    unit
	ours    float64 // the median
	peer    string  // "": none, the goal is for ours
	theirs  float64 // the median
	ratio   spread  // of the rounds' ratios
	apart   bool    // the ratio is not shown
	goal    float64 // 0: none
	reached bool    // the goal, if there is one
}

// comparisons has ours beside its own goal first, if it has one, and then beside each peer.
func (r result) comparisons() []comparison {
	var all []comparison
	u, ours := r.row.unit, median(r.ours)
	if goal := r.row.goal; goal > 0 {
		all = append(all, comparison{unit: u, ours: ours, goal: goal, reached: u.reached(ours, goal)})
	}
	for i, p := range r.row.peers {
		c := comparison{unit: u, ours: ours, peer: p.name, theirs: median(r.peers[i]), ratio: spreadOf(r.ratios(i)), apart: r.row.apart, goal: p.goal}
		c.reached = u.reached(c.ratio.median, c.goal)
		all = append(all, c)
	}
	return all
}

// besidePeers has what is shown as a ratio.
func (r result) besidePeers() []comparison {
	return slices.DeleteFunc(r.comparisons(), func(c comparison) bool { return c.peer == "" || c.apart })
}

// ratios gives ours ÷ theirs of each round. They differ less than the figures do: a slow minute of
// the machine slows down both.
func (r result) ratios(peer int) []float64 {
	ratios := make([]float64, len(r.ours))
	for i := range ratios {
		ratios[i] = r.ours[i] / r.peers[peer][i]
	}
	return ratios
}

// report is what is printed and written.
type report struct {
	results []result
	rounds  int
	share   float64 // of the processors that other programs left
}

// tally tells how many of the goals are reached.
func (r report) tally() (reached, goals int) {
	for _, res := range r.results {
		for _, c := range res.comparisons() {
			if c.goal == 0 {
				continue
			}
			goals++
			if c.reached {
				reached++
			}
		}
	}
	return reached, goals
}

// spread is a median, and the bounds of the middle half of the values.
type spread struct{ low, median, high float64 }

func spreadOf(values []float64) spread {
	return spread{quantile(values, 0.25), median(values), quantile(values, 0.75)}
}

func median(values []float64) float64 { return quantile(values, 0.5) }

// quantile interpolates between the two values next to it.
func quantile(values []float64, q float64) float64 {
	sorted := slices.Sorted(slices.Values(values))
	at := q * float64(len(sorted)-1)
	below := int(at)
	above := min(below+1, len(sorted)-1)
	return sorted[below] + (at-float64(below))*(sorted[above]-sorted[below])
}
