package main

import (
	"bytes"
	"encoding/xml"
	"strconv"
	"strings"
	"testing"
)

var given = report{rounds: 3, share: 0.976, results: []result{{
	row: row{key: "work", title: "work <of> a & b", note: "All of it.", unit: duration, peers: []contender{
		{name: "slow & old", goal: 0.7}, {name: "fast", goal: 1}, {name: "other"},
	}},
	ours:  []float64{100, 100, 100},
	peers: [][]float64{{200, 200, 200}, {10, 10, 10}, {100, 100, 100}},
}, {
	row:  row{key: "own", title: "objects", note: "Counted.", unit: count, goal: 5},
	ours: []float64{4, 4, 4},
}, {
	row:   row{key: "rate", title: "requests", note: "Sent.", unit: rate, peers: []contender{{name: "bare", goal: 0.9}}},
	ours:  []float64{12345, 12345, 12345},
	peers: [][]float64{{12000, 12000, 12000}},
}}}

func TestTheTable(t *testing.T) {
	var page bytes.Buffer
	if err := given.writePage(&page); err != nil {
		t.Fatal(err)
	}
	var table []string
	for line := range strings.Lines(page.String()) {
		if strings.HasPrefix(line, "|") {
			table = append(table, strings.TrimSpace(line))
		}
	}
	want := []string{
		"| | ours | against | theirs | ours ÷ theirs | goal | reached |",
		"|---|--:|---|--:|--:|--:|---|",
		"| work <of> a & b | 100 ns | slow & old | 200 ns | 0.50 (0.50–0.50) | ≤ 0.70 | yes |",
		"|  |  | fast | 10 ns | 10.00 (10.00–10.00) | ≤ 1.00 | no |",
		"|  |  | other | 100 ns | 1.00 (1.00–1.00) | – | – |",
		"| objects | 4.0 | – | – | – | ≤ 5.0 | yes |",
		"| requests | 12,345 | bare | 12,000 | 1.03 (1.03–1.03) | ≥ 0.90 | yes |",
	}
	if got := strings.Join(table, "\n"); got != strings.Join(want, "\n") {
		t.Errorf("the table is\n%s\nwant\n%s", got, strings.Join(want, "\n"))
	}
	for _, text := range []string{"3 of 4 goals are reached", "- **objects**: Counted.\n", "In each of 3 rounds", "97 % of the processors"} {
		if !strings.Contains(page.String(), text) {
			t.Errorf("the page does not say %q:\n%s", text, &page)
		}
	}
}

func TestTheChart(t *testing.T) {
	var svg bytes.Buffer
	if err := given.writeChart(&svg); err != nil {
		t.Fatal(err)
	}
	got := wellFormed(t, bytes.NewReader(svg.Bytes()))
	for class, want := range map[string]int{"reached": 2, "missed": 1, "plain": 1, "goal": 3, "one": 1, "title": 2 + 1} {
		if got[class] != want { // one more title is the document's own
			t.Errorf("%d elements are %s, want %d", got[class], class, want)
		}
	}
	type rect struct {
		Class string  `xml:"class,attr"`
		X     float64 `xml:"x,attr"`
		Width float64 `xml:"width,attr"`
	}
	var chart struct {
		Width float64 `xml:"width,attr"`
		Bars  []rect  `xml:"rect"`
		Lines []struct {
			Class string  `xml:"class,attr"`
			X     float64 `xml:"x1,attr"`
		} `xml:"line"`
		Texts []string `xml:"text"`
	}
	if err := xml.Unmarshal(svg.Bytes(), &chart); err != nil {
		t.Fatal(err)
	}
	texts := strings.Join(chart.Texts, "\n")
	for _, text := range []string{"work <of> a & b", "slow & old", "0.50 ✓", "10.00 ✗", "1.00", "1.03 ✓"} {
		if !strings.Contains(texts, text) {
			t.Errorf("the chart does not say %q:\n%s", text, texts)
		}
	}
	one := 0.0
	for _, l := range chart.Lines {
		if l.Class == "one" {
			one = l.X
		}
		if l.X < 0 || l.X > chart.Width {
			t.Errorf("a line is at %v, outside of the chart", l.X)
		}
	}
	bars := chart.Bars[1:] // the first is the background
	if len(bars) != 4 {
		t.Fatalf("%d bars, want 4", len(bars))
	}
	for i, side := range []string{"left", "right", "none", "right"} { // 0.5, 10, 1, 1.03
		b := bars[i]
		if b.X < plotLeft || b.X+b.Width > plotRight {
			t.Errorf("bar %d goes from %v to %v, outside of the plot", i, b.X, b.X+b.Width)
		}
		switch {
		case side == "left" && (b.X+b.Width != one || b.Width == 0),
			side == "right" && (b.X != one || b.Width == 0),
			side == "none" && b.Width != 0:
			t.Errorf("bar %d goes from %v to %v, want to the %s of the line at %v", i, b.X, b.X+b.Width, side, one)
		}
	}
}

func TestHalfAsMuchIsAsFarFromOneAsTwiceAsMuch(t *testing.T) {
	a := axis{-2, 3}
	if left, right := a.x(1)-a.x(0.5), a.x(2)-a.x(1); left <= 0 || right-left > 1 || left-right > 1 {
		t.Errorf("0.5 is %d left of 1, and 2 is %d right of it", left, right)
	}
	if a.x(0.25) != plotLeft || a.x(8) != plotRight {
		t.Errorf("the axis goes from %d to %d", a.x(0.25), a.x(8))
	}
}

func TestFiguresAreShownWithTheirUnits(t *testing.T) {
	for _, c := range []struct {
		unit   unit
		figure float64
		want   string
	}{
		{duration, 950, "950 ns"},
		{duration, 1050, "1.05 µs"},
		{duration, 30_000, "30.0 µs"},
		{duration, 123_456, "123 µs"},
		{duration, 73.2e6, "73.2 ms"},
		{duration, 1.19e9, "1.19 s"},
		{count, 5.04, "5.0"},
		{memory, 2935.4, "2,935 B"},
		{rate, 48_246, "48,246"},
	} {
		if got := c.unit.show(c.figure); got != c.want {
			t.Errorf("%v: %q, want %q", c.figure, got, c.want)
		}
	}
	for n, want := range map[int]string{0: "0", 999: "999", 1000: "1,000", 1_234_567: "1,234,567"} {
		if got := thousands(n); got != want {
			t.Errorf("%s: %q, want %q", strconv.Itoa(n), got, want)
		}
	}
}
