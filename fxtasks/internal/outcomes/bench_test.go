package outcomes

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"
)

// someDurations are spread over all magnitudes from 1 µs to 1 h, so that no branch can be predicted from
// the duration before.
func someDurations() (durations [1024]time.Duration) {
	random := rand.New(rand.NewPCG(1, 2))
	for i := range durations {
		durations[i] = time.Duration(math.Exp(random.Float64()*math.Log(3.6e9)) * 1e3)
	}
	return durations
}

// BenchmarkAdd is what the end of a task costs.
func BenchmarkAdd(b *testing.B) {
	durations := someDurations()
	now := time.Now()
	var hour Hour
	var took Durations
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		hour.Add(MinuteOf(now), i&3)
		took.Add(MinuteOf(now), durations[i%len(durations)])
	}
}

func BenchmarkQuantiles(b *testing.B) {
	now := time.Now()
	var took Durations
	for i, d := range someDurations() {
		took.Add(MinuteOf(now.Add(time.Duration(i&1)*30*time.Minute)), d)
	}
	now = now.Add(30 * time.Minute)
	b.ReportAllocs()
	for b.Loop() {
		took.Quantiles(now)
	}
}

func BenchmarkMinutes(b *testing.B) {
	now := time.Now()
	var hour Hour
	hour.Add(MinuteOf(now), Failed)
	b.ReportAllocs()
	for b.Loop() {
		hour.Minutes(now)
	}
}
