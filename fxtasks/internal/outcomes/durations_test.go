package outcomes

import (
	"math"
	"slices"
	"testing"
	"time"
	"unsafe"

	"pgregory.net/rapid"
)

// within allows an error of so many percent, and of less than a nanosecond by rounding.
func within(percent float64, got, want time.Duration) bool {
	return math.Abs(float64(got)-float64(want)) < percent/100*float64(want)+1
}

func TestQuantilesAreThoseOfASortedList(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		duration := rapid.OneOf(
			rapid.Int64Range(0, 100),
			rapid.Int64Range(int64(time.Microsecond), int64(time.Millisecond)),
			rapid.Int64Range(int64(time.Millisecond), int64(time.Hour)),
			rapid.Int64Range(int64(time.Hour), math.MaxInt64),
		)
		list := rapid.SliceOfN(duration, 1, 200).Draw(t, "durations")
		var d Durations
		for _, duration := range list {
			d.Add(MinuteOf(noon), time.Duration(duration))
		}
		slices.Sort(list)
		count, p50, p95, longest := d.Quantiles(noon)
		if count != uint64(len(list)) {
			t.Errorf("count is %d, want %d", count, len(list))
		}
		if want := time.Duration(list[(len(list)*50+99)/100-1]); !within(10, p50, want) {
			t.Errorf("p50 is %v, want %v", p50, want)
		}
		if want := time.Duration(list[(len(list)*95+99)/100-1]); !within(10, p95, want) {
			t.Errorf("p95 is %v, want %v", p95, want)
		}
		if want := time.Duration(list[len(list)-1]); longest != want {
			t.Errorf("the longest is %v, want %v", longest, want)
		}
		if p50 > p95 || p95 > longest {
			t.Errorf("not in order: %v, %v, %v", p50, p95, longest)
		}
	})
}

func TestBucketsAreInOrderAndCloseToWhatTheyCount(t *testing.T) {
	last := 0
	check := func(d time.Duration) {
		bucket := bucketOf(d)
		if bucket < last {
			t.Fatalf("%v is in bucket %d, a shorter one in %d", d, bucket, last)
		}
		last = bucket
		if middle := middleOf(bucket); !within(9.1, middle, d) {
			t.Fatalf("%v counts as %v", d, middle)
		}
	}
	for d := time.Duration(0); d < 1000; d++ {
		check(d)
	}
	for ns := 1000.0; ns < math.MaxInt64; ns *= 1.001 {
		check(time.Duration(ns))
	}
	check(math.MaxInt64)
	if want := len(histogram{}.counts) - 1; last != want {
		t.Errorf("the longest duration is in bucket %d of %d", last, want)
	}
}

func TestQuantilesOfNothingAndOfNoTime(t *testing.T) {
	var d Durations
	want := func(count uint64, longest time.Duration) {
		t.Helper()
		n, p50, p95, most := d.Quantiles(noon)
		if n != count || p50 != 0 || p95 != 0 || most != longest {
			t.Errorf("got %d, %v, %v, %v, want %d, 0, 0, %v", n, p50, p95, most, count, longest)
		}
	}
	want(0, 0)
	d.Add(MinuteOf(noon), 0)
	d.Add(MinuteOf(noon), -time.Hour) // a clock that was set back meanwhile
	want(2, 0)
	for range 18 {
		d.Add(MinuteOf(noon), 0)
	}
	d.Add(MinuteOf(noon), time.Hour)
	want(21, time.Hour)
}

func wantDurations(t *testing.T, d *Durations, now time.Time, count uint64, longest time.Duration) {
	t.Helper()
	if n, _, _, most := d.Quantiles(now); n != count || most != longest {
		t.Errorf("at %v: %d, the longest %v; want %d, %v", now, n, most, count, longest)
	}
}

func TestDurationsCoverTheLastHalfToWholeHour(t *testing.T) {
	const half = 30 * time.Minute
	var d Durations
	d.Add(MinuteOf(noon), time.Hour)
	d.Add(MinuteOf(noon.Add(half-1)), time.Minute)
	wantDurations(t, &d, noon.Add(half-1), 2, time.Hour)
	d.Add(MinuteOf(noon.Add(half)), time.Second)
	wantDurations(t, &d, noon.Add(half), 3, time.Hour)
	wantDurations(t, &d, noon.Add(2*half-1), 3, time.Hour)
	wantDurations(t, &d, noon.Add(2*half), 1, time.Second)
	d.Add(MinuteOf(noon.Add(2*half)), time.Millisecond)
	wantDurations(t, &d, noon.Add(2*half), 2, time.Second)
	wantDurations(t, &d, noon.Add(4*half), 0, 0)
	d.Add(MinuteOf(noon.Add(4*half)), time.Microsecond)
	wantDurations(t, &d, noon.Add(4*half), 1, time.Microsecond)
}

func TestDurationsAfterTheClockWasSet(t *testing.T) {
	var d Durations
	d.Add(MinuteOf(noon), time.Hour)
	d.Add(MinuteOf(noon.Add(-1)), time.Second) // set back, by less than a half-hour
	wantDurations(t, &d, noon.Add(-1), 1, time.Second)
	wantDurations(t, &d, noon, 2, time.Hour)

	yesterday := noon.Add(-24 * time.Hour)
	wantDurations(t, &d, yesterday, 0, 0)
	d.Add(MinuteOf(yesterday), time.Minute)
	wantDurations(t, &d, yesterday, 1, time.Minute)
	wantDurations(t, &d, noon, 0, 0)

	tomorrow := noon.Add(24 * time.Hour)
	d.Add(MinuteOf(tomorrow), time.Millisecond)
	wantDurations(t, &d, tomorrow, 1, time.Millisecond)
	wantDurations(t, &d, yesterday, 0, 0)
}

func TestAFullBucketStaysFull(t *testing.T) {
	var d Durations
	d.Add(MinuteOf(noon), time.Second)
	d.halfHours[0].counts[bucketOf(time.Second)] = math.MaxUint32 // noon is in an even half-hour
	d.Add(MinuteOf(noon), time.Second)
	if count, p50, _, _ := d.Quantiles(noon); count != math.MaxUint32 || !within(10, p50, time.Second) {
		t.Errorf("got %d of %v", count, p50)
	}
}

// The documentation promises these figures.
func TestMemoryOfOneName(t *testing.T) {
	for what, size := range map[string][2]uintptr{
		"the minutes of an hour":   {unsafe.Sizeof(counters{}), 960},
		"a half-hour's durations":  {unsafe.Sizeof(histogram{}), 1024},
		"an hour without outcomes": {unsafe.Sizeof(Hour{}), 16},
		"durations without any":    {unsafe.Sizeof(Durations{}), 24},
	} {
		if size[0] != size[1] {
			t.Errorf("%s: %d bytes, want %d", what, size[0], size[1])
		}
	}
}

func TestAddDoesNotAllocate(t *testing.T) {
	var hour Hour
	var took Durations
	now := noon
	add := func() {
		now = now.Add(31 * time.Minute) // so that every Add advances
		hour.Add(MinuteOf(now), Failed)
		took.Add(MinuteOf(now), time.Second)
	}
	for range 10 {
		add()
	}
	if n := testing.AllocsPerRun(1000, add); n != 0 {
		t.Errorf("%v allocations for each task, want none", n)
	}
}
