package fxtasks_test

import (
	"math"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/fxtasks/background/fxtasks"
)

func TestBackoffDoublesUpToTheLongest(t *testing.T) {
	const ever = math.MaxInt64
	for _, test := range []struct {
		first, longest time.Duration
		attempt        int
		want           time.Duration // at most, and at least half of it
	}{
		{time.Second, time.Minute, 1, time.Second},
		{time.Second, time.Minute, 2, 2 * time.Second},
		{time.Second, time.Minute, 6, 32 * time.Second},
		{time.Second, time.Minute, 7, time.Minute},
		{time.Second, time.Minute, 8, time.Minute},
		{time.Second, time.Minute, 35, time.Minute}, // 1s<<34 overflows
		{time.Second, time.Minute, 64, time.Minute},
		{time.Second, time.Minute, 65, time.Minute},
		{time.Second, time.Minute, math.MaxInt, time.Minute},
		{time.Second, time.Minute, 0, time.Second},
		{time.Second, time.Minute, math.MinInt, time.Second},
		{1, ever, 63, 1 << 62},
		{1, ever, 64, ever},
		{ever, ever, 1, ever},
		{time.Minute, time.Second, 1, time.Second},
		{time.Minute, time.Second, 5, time.Second},
		{0, time.Minute, 1, 0},
		{0, time.Minute, 100, 0},
		{-time.Second, time.Minute, 3, 0},
		{time.Second, 0, 3, 0},
		{time.Second, -time.Minute, 3, 0},
		{-time.Second, -time.Minute, 1, 0},
		{math.MinInt64, math.MinInt64, math.MaxInt, 0},
	} {
		delay := fxtasks.Backoff(test.first, test.longest)
		for range 100 {
			if got := delay(test.attempt); got < test.want/2 || got > test.want {
				t.Errorf("Backoff(%v, %v)(%d) = %v, want between half and all of %v",
					test.first, test.longest, test.attempt, got, test.want)
				break
			}
		}
	}
}

func TestBackoffIsSpreadEvenly(t *testing.T) {
	delay := fxtasks.Backoff(time.Second, time.Minute)
	const draws, parts = 8000, 8
	var counts [parts]int
	for range draws {
		fraction := float64(delay(3)-2*time.Second) / float64(2*time.Second) // between 2 s and 4 s
		counts[min(int(fraction*parts), parts-1)]++
	}
	for i, n := range counts {
		if n < draws/parts*3/4 || n > draws/parts*5/4 { // 8 standard deviations
			t.Errorf("%d of %d delays are in part %d of %d", n, draws, i+1, parts)
		}
	}
}

func TestBackoffTakesAnyArguments(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		first := time.Duration(rapid.Int64().Draw(t, "first"))
		longest := time.Duration(rapid.Int64().Draw(t, "longest"))
		delay := fxtasks.Backoff(first, longest)
		attempt := rapid.Int().Draw(t, "attempt")
		if got := delay(attempt); got < 0 || got > max(longest, 0) {
			t.Errorf("Backoff(%v, %v)(%d) = %v", first, longest, attempt, got)
		}
	})
}
