package fxtasks_test

import (
	"math"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/fxtasks/background/fxtasks"
)

func TestEveryIsAtMultiplesOnTheClockInUTC(t *testing.T) {
	for _, test := range []struct {
		d           time.Duration
		after, want string
	}{
		{time.Second, "2026-03-01T12:00:00.999999999Z", "2026-03-01T12:00:01Z"},
		{15 * time.Minute, "2026-03-01T12:00:00Z", "2026-03-01T12:15:00Z"},
		{15 * time.Minute, "2026-03-01T12:00:00.000000001Z", "2026-03-01T12:15:00Z"},
		{15 * time.Minute, "2026-03-01T12:14:59.999999999Z", "2026-03-01T12:15:00Z"},
		{24 * time.Hour, "2026-03-01T00:00:00Z", "2026-03-02T00:00:00Z"},
		{24 * time.Hour, "2026-02-28T23:30:00Z", "2026-03-01T00:00:00Z"},
		{24 * time.Hour, "2026-03-01T01:30:00+05:45", "2026-03-01T00:00:00Z"},
		{24 * time.Hour, "2026-03-29T00:30:00+01:00", "2026-03-29T00:00:00Z"}, // Europe changes to summer time
		{7 * time.Hour, "1970-01-01T00:00:00Z", "1970-01-01T07:00:00Z"},
		{7 * time.Hour, "1969-12-31T23:59:59Z", "1970-01-01T00:00:00Z"},
		{7 * 24 * time.Hour, "2026-03-01T12:00:00Z", "2026-03-05T00:00:00Z"}, // a Thursday, as 1970-01-01 was
		{time.Hour, "0001-01-01T00:00:00Z", "0001-01-01T01:00:00Z"},
		{time.Hour, "9999-12-31T22:30:00Z", "9999-12-31T23:00:00Z"},
	} {
		after, err := time.Parse(time.RFC3339, test.after)
		if err != nil {
			t.Fatal(err)
		}
		if got := fxtasks.Every(test.d).Next(after).Format(time.RFC3339Nano); got != test.want {
			t.Errorf("Every(%v).Next(%s) = %s, want %s", test.d, test.after, got, test.want)
		}
	}
}

func TestEveryIsTheFirstMultipleAfter(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d := time.Duration(rapid.Int64Range(1, int64(30*24*time.Hour)).Draw(t, "d"))
		after := time.Unix(0, rapid.Int64Range(-1<<61, 1<<61).Draw(t, "after"))
		next := fxtasks.Every(d).Next(after)
		if wait := next.Sub(after); wait <= 0 || wait > d {
			t.Errorf("%v is %v after %v", next, wait, after)
		}
		if next.UnixNano()%int64(d) != 0 {
			t.Errorf("%v is not a multiple of %v", next, d)
		}
	})
}

func TestEveryOfTheLongestDuration(t *testing.T) {
	after := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	if got, want := fxtasks.Every(math.MaxInt64).Next(after), time.Unix(0, math.MaxInt64); !got.Equal(want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestEveryOfZeroOrLessIsNever(t *testing.T) {
	for _, d := range []time.Duration{0, -1, math.MinInt64} {
		if next := fxtasks.Every(d).Next(time.Now()); !next.IsZero() {
			t.Errorf("Every(%v).Next is %v, want the zero time", d, next)
		}
	}
}
