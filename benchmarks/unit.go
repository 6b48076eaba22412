package main

import (
	"fmt"
	"strconv"
	"time"
)

// unit is what the figures of a row are, and how they are shown.
type unit struct {
	show         func(figure float64) string
	moreIsBetter bool
}

var (
	duration = unit{show: showTime}
	count    = unit{show: func(n float64) string { return strconv.FormatFloat(n, 'f', 1, 64) }}
	memory   = unit{show: func(n float64) string { return thousands(int(n)) + " B" }}
	rate     = unit{show: func(n float64) string { return thousands(int(n)) }, moreIsBetter: true}
)

// reached says whether a figure, or a ratio of figures, is as good as the goal.
func (u unit) reached(value, goal float64) bool {
	if u.moreIsBetter {
		return value >= goal
	}
	return value <= goal
}

// bound shows a goal, such as "≤ 1.00".
func (u unit) bound(goal string) string {
	if u.moreIsBetter {
		return "≥ " + goal
	}
	return "≤ " + goal
}

// showTime shows nanoseconds with three digits or so.
func showTime(ns float64) string {
	for _, scale := range []struct {
		unit string
		size time.Duration
	}{{"s", time.Second}, {"ms", time.Millisecond}, {"µs", time.Microsecond}} {
		if value := ns / float64(scale.size); value >= 1 {
			return fmt.Sprintf("%s %s", strconv.FormatFloat(value, 'f', decimals(value), 64), scale.unit)
		}
	}
	return fmt.Sprintf("%.0f ns", ns)
}

func decimals(value float64) int {
	switch {
	case value < 10:
		return 2
	case value < 100:
		return 1
	}
	return 0
}

// thousands shows 100000 as "100,000".
func thousands(n int) string {
	digits := strconv.Itoa(n)
	for i := len(digits) - 3; i > 0; i -= 3 {
		digits = digits[:i] + "," + digits[i:]
	}
	return digits
}
