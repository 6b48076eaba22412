package main

import (
	_ "embed"
	"encoding/xml"
	"fmt"
	"io"
	"math"
	"slices"
	"strings"
	"text/template"
)

const chartFile = "benchmarks.svg"

// The chart's measures, in its own pixels.
const (
	chartWidth  = 860
	plotLeft    = 170 // left of it are the names of the peers
	plotRight   = 760 // right of it are the ratios
	plotTop     = 64
	titleHeight = 30
	barHeight   = 20
)

// chartGroup is a row of the table: its title, and under it a bar for each peer.
type chartGroup struct {
	Y     int
	Title string
	Bars  []chartBar
}

// chartBar shows a ratio. It goes from 1 to the ratio: to the left is a gain, unless more is better.
type chartBar struct {
	Y, X, Width int
	Peer, Ratio string
	Class       string // of the style sheet
	HasGoal     bool
	Goal        int // where its mark is
}

// axis is logarithmic, so that half as much is as far from 1 as twice as much. Its ends are the
// logarithms to base 2, and whole.
type axis struct{ low, high float64 }

// axisOf gives one that has room for all ratios and goals.
func axisOf(all []comparison) axis {
	a := axis{-1, 1}
	for _, c := range all {
		values := []float64{c.ratio.median}
		if c.goal > 0 {
			values = append(values, c.goal)
		}
		a.low = min(a.low, math.Floor(math.Log2(slices.Min(values))))
		a.high = max(a.high, math.Ceil(math.Log2(slices.Max(values))))
	}
	return a
}

func (a axis) x(ratio float64) int {
	return plotLeft + int(math.Round((math.Log2(ratio)-a.low)/(a.high-a.low)*(plotRight-plotLeft)))
}

// ticks gives the ratios that have a line.
func (a axis) ticks() []float64 {
	var ratios []float64
	for power := a.low; power <= a.high; power++ {
		ratios = append(ratios, math.Exp2(power))
	}
	return ratios
}

func (a axis) bar(c comparison, y int) chartBar {
	one, end := a.x(1), a.x(c.ratio.median)
	b := chartBar{
		Y: y, X: min(one, end), Width: max(one, end) - min(one, end),
		Peer: c.peer, Ratio: fmt.Sprintf("%.2f", c.ratio.median), Class: "plain",
	}
	if c.goal > 0 {
		b.HasGoal, b.Goal = true, a.x(c.goal)
		class, mark := "missed", " ✗" // the mark because not everybody sees the colour
		if c.reached {
			class, mark = "reached", " ✓"
		}
		b.Class, b.Ratio = class, b.Ratio+mark
	}
	return b
}

//go:embed chart.svg.tmpl
var chartText string

var chart = template.Must(template.New("chart").Funcs(template.FuncMap{
	"add":    func(a, b int) int { return a + b },
	"escape": escape,
}).Parse(chartText))

func escape(s string) (string, error) {
	var b strings.Builder
	err := xml.EscapeText(&b, []byte(s))
	return b.String(), err
}

// writeChart draws the ratios. Lines of the table that have none are left out.
func (r report) writeChart(w io.Writer) error {
	var all []comparison
	for _, res := range r.results {
		all = append(all, res.besidePeers()...)
	}
	a, y := axisOf(all), plotTop
	var groups []chartGroup
	for _, res := range r.results {
		beside := res.besidePeers()
		if len(beside) == 0 {
			continue
		}
		g := chartGroup{Y: y, Title: res.row.title}
		y += titleHeight
		for _, c := range beside {
			g.Bars = append(g.Bars, a.bar(c, y))
			y += barHeight
		}
		groups = append(groups, g)
	}
	return chart.Execute(w, map[string]any{
		"Width": chartWidth, "Height": y + 16,
		"Left": plotLeft, "Right": plotRight, "Top": plotTop, "Bottom": y,
		"Axis": a.ticks(), "X": a.x, "Groups": groups,
	})
}
