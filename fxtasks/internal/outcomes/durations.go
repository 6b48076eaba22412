package outcomes

import (
	"math"
	"math/bits"
	"time"
)

// Durations is a histogram of the durations that were added in the current half-hour and the one before: that is
// the last 30 to 60 minutes. The zero value is ready; it takes 1 KiB more from the first Add on,
// and 2 KiB from the first Add in another half-hour. Reads may be concurrent, an Add may not.
//
// Half-hours are those of the wall clock. If it was set back to the half-hour before the newest, the newest
// is shown when the clock gets there. If it was set back by more, the next Add forgets all that was added
// before.
type Durations struct {
	newest    uint32        // the latest half-hour that has a histogram
	halfHours [2]*histogram // that of half-hour h at h%2, for the newest and the one before; nil: empty
}

// histogram counts durations by size. Bucket 0 counts durations of zero. Of the others there are four to an
// octave, so that each ends 19 % above where it begins, and its middle is at most 9.1 % from all that it counts.
// Together they cover every duration.
type histogram struct {
	counts  [1 + 4*63]uint32
	longest time.Duration
}

// Add adds a duration, in the given minute; see MinuteOf. A negative one counts as zero.
func (d *Durations) Add(minute uint32, duration time.Duration) {
	half := halfHourOf(minute)
	if !d.covers(half) {
		d.advance(half)
	}
	h := d.halfHours[half%2]
	if h == nil {
		h = new(histogram)
		d.halfHours[half%2] = h
	}
	h.longest = max(h.longest, duration)
	// 2,000,000 tasks a second would fill a bucket in 36 minutes. A full one stays at its
	// maximum; otherwise it would begin again at zero.
	if bucket := &h.counts[bucketOf(duration)]; *bucket < math.MaxUint32 {
		*bucket++
	}
}

// Quantiles returns how many durations there are, and their median, 95th percentile and maximum. The two
// percentiles are within 10 %, the maximum is exact. All are zero if there are none.
func (d *Durations) Quantiles(now time.Time) (count uint64, p50, p95, longest time.Duration) {
	var counts [len(histogram{}.counts)]uint64
	current := halfHourOf(MinuteOf(now))
	for _, half := range [...]uint32{current - 1, current} {
		h := d.halfHours[half%2]
		if h == nil || !d.covers(half) {
			continue
		}
		for i, n := range h.counts {
			counts[i] += uint64(n)
			count += uint64(n)
		}
		longest = max(longest, h.longest)
	}
	percentile := func(p uint64) time.Duration {
		rank := (count*p + 99) / 100
		bucket := 0
		for rank > counts[bucket] {
			rank -= counts[bucket]
			bucket++
		}
		return min(middleOf(bucket), longest)
	}
	return count, percentile(50), percentile(95), longest
}

// covers reports whether a half-hour is the newest or the one before. For a later one the difference wraps around.
func (d *Durations) covers(half uint32) bool { return d.newest-half < 2 }

// advance makes a half-hour that is not covered the newest. If the clock was set back, the difference wraps around,
// and both histograms are cleared.
func (d *Durations) advance(half uint32) {
	for range min(half-d.newest, 2) {
		d.newest++
		if h := d.halfHours[d.newest%2]; h != nil {
			*h = histogram{}
		}
	}
	d.newest = half
}

// halfHourOf returns the number of the half-hour since 1970 that a minute lies in.
func halfHourOf(minute uint32) uint32 { return minute / 30 }

// Where the second to fourth bucket of an octave begin: 2^(1/4), 2^(2/4) and 2^(3/4) times 2^63.
const (
	secondQuarter = 0x9837f0518db8a96f
	thirdQuarter  = 0xb504f333f9de6484
	fourthQuarter = 0xd744fccad69d6af4
)

// bucketOf returns the bucket that counts a duration. math.Log2 would take longer than the rest of Add.
func bucketOf(d time.Duration) int {
	if d <= 0 {
		return 0
	}
	octave := bits.Len64(uint64(d)) - 1
	mantissa := uint64(d) << (63 - octave)
	bucket := 1 + 4*octave
	if mantissa >= secondQuarter {
		bucket++
	}
	if mantissa >= thirdQuarter {
		bucket++
	}
	if mantissa >= fourthQuarter {
		bucket++
	}
	return bucket
}

// middleOf returns the geometric middle of a bucket.
func middleOf(bucket int) time.Duration {
	if bucket == 0 {
		return 0
	}
	return time.Duration(math.Exp2(float64(bucket-1)/4 + 1./8))
}
