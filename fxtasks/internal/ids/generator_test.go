package ids

import (
	"bytes"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func compare(a, b uuid.UUID) int { return bytes.Compare(a[:], b[:]) }

func TestUUIDsOfOneGoroutineAreInOrder(t *testing.T) { // fault E23
	var g Generator
	last := g.New(time.Now())
	for range 200_000 {
		id := g.New(time.Now())
		if compare(last, id) >= 0 {
			t.Fatalf("%s comes after %s", id, last)
		}
		last = id
	}
}

func TestUUIDsAreInOrderWhateverTheClockDoes(t *testing.T) {
	var g Generator
	now := time.Date(2026, 11, 28, 0, 0, 0, 0, time.UTC)
	var last uuid.UUID
	for _, now := range []time.Time{
		time.Unix(-1e6, 0), now, now, now.Add(1), now.Add(-time.Hour), now.Add(time.Millisecond - 1), now.Add(time.Millisecond),
	} {
		id := g.New(now)
		if compare(last, id) >= 0 {
			t.Errorf("at %s: %s comes after %s", now, id, last)
		}
		if id.Version() != 7 || id.Variant() != uuid.RFC4122 {
			t.Errorf("%s has version %d and variant %s", id, id.Version(), id.Variant())
		}
		last = id
	}
}

func TestUUIDTellsItsTime(t *testing.T) {
	var g Generator
	now := time.Date(2026, 11, 28, 1, 2, 3, 456_789_012, time.UTC)
	for range 4096 { // the first has the time of the clock, the last one is a millisecond on
		sec, nsec := g.New(now).Time().UnixTime()
		if got := time.Unix(sec, nsec).Sub(now.Truncate(time.Millisecond)); got < 0 || got > time.Millisecond {
			t.Fatalf("a UUID is %s off the clock", got)
		}
	}
}

// Goroutines share a generator: what one has made is below all that any begins to make later.
func TestUUIDsAreInOrderAcrossGoroutines(t *testing.T) {
	const goroutines, each = 8, 20_000
	var g Generator
	made := make([][]uuid.UUID, goroutines)
	var wg sync.WaitGroup
	for i := range made {
		wg.Go(func() {
			for range each {
				made[i] = append(made[i], g.New(time.Now()))
			}
		})
	}
	wg.Wait()
	for _, ids := range made {
		if !slices.IsSortedFunc(ids, compare) {
			t.Error("a goroutine's UUIDs are out of order")
		}
	}
	all := slices.Concat(made...)
	slices.SortFunc(all, compare)
	for i := 1; i < len(all); i++ {
		if bytes.Equal(all[i-1][:8], all[i][:8]) {
			t.Fatalf("%s and %s have the same time: their order is luck", all[i-1], all[i])
		}
	}
}

func TestParseTakesTheCanonicalSpellingOnly(t *testing.T) {
	var g Generator
	id := g.New(time.Now())
	if got, ok := Parse(id.String()); !ok || got != id {
		t.Errorf("Parse(%s) gave %s, %v", id, got, ok)
	}
	for _, other := range []string{
		"", "x", strings.ToUpper(id.String()), "{" + id.String() + "}", id.URN(), strings.ReplaceAll(id.String(), "-", ""),
		id.String() + " ", strings.Replace(id.String(), "-", "x", 1),
	} {
		if _, ok := Parse(other); ok {
			t.Errorf("Parse took %q", other)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add("01936f5e-1a2b-7abc-8def-0123456789ab")
	f.Add("01936F5E-1A2B-7ABC-8DEF-0123456789AB")
	f.Add("urn:uuid:01936f5e-1a2b-7abc-8def-0123456789ab")
	f.Fuzz(func(t *testing.T, s string) {
		if id, ok := Parse(s); ok && id.String() != s || !ok && id != uuid.Nil {
			t.Errorf("Parse(%q) gave %s, %v", s, id, ok)
		}
	})
}

func BenchmarkNew(b *testing.B) {
	b.Run("generator", func(b *testing.B) {
		var g Generator
		now := time.Now()
		for b.Loop() {
			g.New(now)
		}
	})
	b.Run("uuid.NewV7", func(b *testing.B) {
		for b.Loop() {
			_, _ = uuid.NewV7()
		}
	})
}

func BenchmarkParse(b *testing.B) {
	var g Generator
	id := g.New(time.Now()).String()
	b.ReportAllocs()
	for b.Loop() {
		Parse(id)
	}
}

func TestTimeOfReturnsTheTimeThatTheGeneratorWrote(t *testing.T) {
	var g Generator
	now := time.Date(2026, 11, 28, 1, 2, 3, 456_789_012, time.UTC)
	last := uint64(0)
	for range 5000 { // into the next millisecond
		at := TimeOf(g.New(now))
		if last == 0 && at != uint64(now.UnixMilli())<<12|789_012<<12/1_000_000 || last != 0 && at != last+1 {
			t.Fatalf("TimeOf is %d after %d", at, last)
		}
		last = at
	}
}
