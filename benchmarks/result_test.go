package main

import (
	"errors"
	"math"
	"testing"
)

func near(a, b float64) bool { return math.Abs(a-b) < 1e-9 }

func TestSpread(t *testing.T) {
	for _, c := range []struct {
		values []float64
		want   spread
	}{
		{[]float64{7}, spread{7, 7, 7}},
		{[]float64{4, 2}, spread{2.5, 3, 3.5}},
		{[]float64{9, 1, 5}, spread{3, 5, 7}},
		{[]float64{5, 1, 4, 2, 3}, spread{2, 3, 4}},
		{[]float64{1, 1, 1, 1000}, spread{1, 1, 250.75}},
	} {
		got := spreadOf(c.values)
		if !near(got.low, c.want.low) || !near(got.median, c.want.median) || !near(got.high, c.want.high) {
			t.Errorf("%v: %v, want %v", c.values, got, c.want)
		}
	}
}

// A round in which the machine is ten times slower must not show in the ratio.
func TestTheRatioIsThatOfTheRounds(t *testing.T) {
	r := result{
		row:   row{unit: duration, peers: []contender{{name: "peer", goal: 0.5}}},
		ours:  []float64{100, 1000, 120},
		peers: [][]float64{{200, 2000, 200}},
	}
	all := r.comparisons()
	if len(all) != 1 {
		t.Fatalf("%d comparisons, want 1", len(all))
	}
	c := all[0]
	if !near(c.ours, 120) || !near(c.theirs, 200) || !near(c.ratio.median, 0.5) || !near(c.ratio.high, 0.55) {
		t.Errorf("ours %v, theirs %v, ratio %v; want 120, 200 and 0.5 up to 0.55", c.ours, c.theirs, c.ratio)
	}
	if !c.reached {
		t.Error("a ratio of 0.5 does not reach a goal of 0.5")
	}
}

// Nothing is said by how many times the longest wait is as long as the machine's own.
func TestTheFiguresOfARowApartHaveNoRatio(t *testing.T) {
	r := result{row{unit: duration, apart: true, goal: 50, peers: []contender{{name: "peer"}}}, []float64{100}, [][]float64{{10}}}
	if all := r.besidePeers(); len(all) > 0 {
		t.Errorf("the chart would have %+v", all)
	}
	want := []line{
		{"100 ns", "–", "–", "–", "≤ 50 ns", "no"},
		{"100 ns", "peer", "10 ns", "–", "–", "–"},
	}
	for i, c := range r.comparisons() {
		if got := c.line(); got != want[i] {
			t.Errorf("line %d is %v, want %v", i, got, want[i])
		}
	}
}

func TestGoals(t *testing.T) {
	for _, c := range []struct {
		name         string
		unit         unit
		own          float64 // the goal for ours itself
		peer         float64 // the goal for the ratio
		ours, theirs float64
		reached      int
		goals        int
	}{
		{"less is better, less", duration, 0, 1, 90, 100, 1, 1},
		{"less is better, more", duration, 0, 1, 110, 100, 0, 1},
		{"more is better, more", rate, 0, 0.9, 95, 100, 1, 1},
		{"more is better, less", rate, 0, 0.9, 85, 100, 0, 1},
		{"its own, reached", count, 5, 0, 5, 100, 1, 1},
		{"its own, missed", count, 5, 0, 5.1, 100, 0, 1},
		{"both, one of them", count, 5, 0.01, 4, 100, 1, 2},
		{"none", duration, 0, 0, 90, 100, 0, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := row{unit: c.unit, goal: c.own, peers: []contender{{name: "peer", goal: c.peer}}}
			rep := report{results: []result{{r, []float64{c.ours}, [][]float64{{c.theirs}}}}}
			if reached, goals := rep.tally(); reached != c.reached || goals != c.goals {
				t.Errorf("%d of %d goals, want %d of %d", reached, goals, c.reached, c.goals)
			}
		})
	}
}

func TestEveryContenderHasASampleInEachRound(t *testing.T) {
	r := row{key: "row", ours: contender{name: "ours"}, peers: []contender{{name: "a"}, {name: "b"}}}
	for _, c := range []struct{ most, asked, want int }{{0, 5, 5}, {3, 5, 3}, {3, 2, 2}} {
		r.most = c.most
		var order []string
		res, err := r.measure(c.asked, func(_ row, c contender) (float64, error) {
			order = append(order, c.name)
			return map[string]float64{"ours": 1, "a": 2, "b": 4}[c.name], nil
		})
		if err != nil {
			t.Fatal(err)
		}
		if len(order) != 3*c.want {
			t.Fatalf("most %d, asked for %d: %d samples, want %d", c.most, c.asked, len(order), 3*c.want)
		}
		for i := 0; i < len(order); i += 3 {
			seen := map[string]bool{order[i]: true, order[i+1]: true, order[i+2]: true}
			if len(seen) != 3 {
				t.Errorf("a round is %v", order[i:i+3])
			}
		}
		if got := res.comparisons(); !near(got[0].ratio.median, 0.5) || !near(got[1].ratio.median, 0.25) {
			t.Errorf("figures are mixed up: %+v", got)
		}
	}
}

func TestASampleThatFailsEndsTheRow(t *testing.T) {
	broken := errors.New("broken")
	r := row{ours: contender{name: "ours"}}
	if _, err := r.measure(3, func(row, contender) (float64, error) { return 0, broken }); !errors.Is(err, broken) {
		t.Errorf("the error is %v", err)
	}
}

func TestTheShareOfTheProcessors(t *testing.T) {
	if got := (&machine{turns: []float64{100, 50, 60}}).share(); !near(got, 0.7) {
		t.Errorf("the share is %v, want 0.7", got)
	}
	var m machine
	var samples []string
	sample := m.watched(func(r row, c contender) (float64, error) {
		samples = append(samples, r.key+"/"+c.name)
		return 42, nil
	})
	for range 2 {
		if figure, err := sample(row{key: "row"}, contender{name: "peer"}); figure != 42 || err != nil {
			t.Errorf("the sample is %v, %v", figure, err)
		}
	}
	if len(samples) != 2 || samples[0] != "row/peer" || len(m.turns) != 2 || m.turns[0] <= 0 || m.turns[1] <= 0 {
		t.Errorf("%v were sampled, and the machine looked at: %v", samples, m.turns)
	}
}
