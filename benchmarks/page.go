package main

import (
	_ "embed"
	"fmt"
	"io"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"text/template"
)

// line is a comparison as it is shown.
type line struct{ Ours, Against, Theirs, Ratio, Goal, Reached string }

func (c comparison) line() line {
	l := line{Ours: c.unit.show(c.ours), Against: "–", Theirs: "–", Ratio: "–", Goal: "–", Reached: "–"}
	goal := c.unit.show
	if c.peer != "" {
		l.Against, l.Theirs = c.peer, c.unit.show(c.theirs)
		if !c.apart {
			l.Ratio = fmt.Sprintf("%.2f (%.2f–%.2f)", c.ratio.median, c.ratio.low, c.ratio.high)
		}
		goal = func(ratio float64) string { return fmt.Sprintf("%.2f", ratio) }
	}
	if c.goal > 0 {
		l.Goal, l.Reached = c.unit.bound(goal(c.goal)), "no"
		if c.reached {
			l.Reached = "yes"
		}
	}
	return l
}

// print shows a row of the table in a terminal.
func (r result) print(out io.Writer) {
	fmt.Fprintf(out, "\n%s: %s\n", r.row.key, r.row.title)
	for _, c := range r.comparisons() {
		l := c.line()
		fmt.Fprintf(out, "%10s   %-16s %10s   %-18s %-10s %s\n", l.Ours, l.Against, l.Theirs, l.Ratio, l.Goal, l.Reached)
	}
}

const header = "      ours   against              theirs   ours ÷ theirs      goal       reached\n"

// section is a row as it is shown.
type section struct {
	Title, Note string
	Lines       []line
}

//go:embed page.md.tmpl
var pageText string

var page = template.Must(template.New("page").Parse(pageText))

// writePage writes the page that holds the table, beside the chart.
func (r report) writePage(w io.Writer) error {
	var sections []section
	for _, res := range r.results {
		s := section{Title: res.row.title, Note: res.row.note}
		for _, c := range res.comparisons() {
			s.Lines = append(s.Lines, c.line())
		}
		sections = append(sections, s)
	}
	reached, goals := r.tally()
	return page.Execute(w, map[string]any{
		"Reached":    reached,
		"Goals":      goals,
		"Chart":      chartFile,
		"Sections":   sections,
		"Go":         strings.TrimPrefix(runtime.Version(), "go"),
		"Platform":   runtime.GOOS + "/" + runtime.GOARCH,
		"Processors": runtime.GOMAXPROCS(0),
		"Peers":      strings.Join(peerVersions(), ", "),
		"Rounds":     r.rounds,
		"Share":      int(100 * r.share),
		"PoolSize":   thousands(poolSize),
	})
}

// peerVersions gives what is measured beside ours, as this program was built with it.
func peerVersions() []string {
	var versions []string
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, m := range info.Deps {
			if slices.Contains(peerModules, m.Path) {
				versions = append(versions, m.Path+" "+m.Version)
			}
		}
	}
	return versions
}
