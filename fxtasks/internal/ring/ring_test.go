package ring

import (
	"testing"

	"pgregory.net/rapid"
)

type event struct {
	n      int
	report bool
}

// read reads all that there is for a cursor.
func read(r *Ring[event], c *Cursor) (seqs []uint64) {
	for {
		seq, _, ok := r.Next(c)
		if !ok {
			return seqs
		}
		seqs = append(seqs, seq)
	}
}

func TestReportsDoNotCrowdOutOtherEvents(t *testing.T) { // fault E16
	var r Ring[event]
	c := r.From(0)
	for range 10 {
		r.Publish(event{})
		for range 2000 {
			r.Report(event{report: true})
		}
	}
	others := 0
	for {
		_, e, ok := r.Next(&c)
		if !ok {
			break
		}
		if !e.report {
			others++
		}
	}
	if others != 10 || c.Missed() != 0 {
		t.Errorf("%d of 10 events can be read, missed are %d", others, c.Missed())
	}
}

func TestNumberOfAnotherRingGivesAllEvents(t *testing.T) { // fault E17
	var r Ring[event]
	for range 300 {
		r.Publish(event{})
	}
	c := r.From(1000)
	if seqs := read(&r, &c); len(seqs) != 300 || c.Missed() != 0 {
		t.Errorf("%d of 300 events are read, missed are %d", len(seqs), c.Missed())
	}
	for range Size {
		r.Publish(event{})
	}
	c = r.From(5000)
	if seqs := read(&r, &c); len(seqs) != Size || c.Missed() != 300 {
		t.Errorf("%d events are read, missed are %d, want 300", len(seqs), c.Missed())
	}
}

func TestSkipCountsWhatIsOverwritten(t *testing.T) {
	var r Ring[event]
	c := r.From(0)
	for range Size + 7 {
		r.Publish(event{})
	}
	r.Skip(&c)
	if c.Missed() != 7 {
		t.Errorf("missed are %d, want 7", c.Missed())
	}
	if seq, _, _ := r.Next(&c); seq != 8 {
		t.Errorf("Next gave %d, want 8", seq)
	}
}

// published is an event in the model, which forgets none.
type published struct {
	event
	dropped bool
}

type reader struct {
	Cursor
	next   uint64 // number of the event to read next
	missed int64
}

type model struct {
	events []published // event seq is at seq-1
}

// kept says of each event whether it can still be read.
func (m *model) kept() []bool {
	kept := make([]bool, len(m.events))
	left := map[bool]int{true: Size, false: Size}
	for i := len(m.events) - 1; i >= 0; i-- {
		e := m.events[i]
		kept[i] = left[e.report] > 0 && !e.dropped
		left[e.report]--
	}
	return kept
}

func (m *model) others(after, before uint64) (n uint64) { // numbers strictly between both
	for seq := after + 1; seq < before; seq++ {
		if !m.events[seq-1].report {
			n++
		}
	}
	return n
}

func TestRingAgreesWithAListOfAllEvents(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var r Ring[event]
		var m model
		readers := []*reader{{Cursor: r.From(0), next: 1}}
		t.Repeat(map[string]func(*rapid.T){
			"publish": func(t *rapid.T) {
				reports := rapid.IntRange(0, 10).Draw(t, "tenths of reports")
				for range rapid.IntRange(1, 700).Draw(t, "n") {
					e := event{len(m.events), len(m.events)*7%10 < reports}
					add := r.Publish
					if e.report {
						add = r.Report
					}
					m.events = append(m.events, published{event: e})
					if seq := add(e); seq != uint64(len(m.events)) || r.Last() != seq {
						t.Fatalf("event %d got the number %d, Last is %d", len(m.events), seq, r.Last())
					}
				}
			},
			"drop": func(t *rapid.T) {
				every := rapid.IntRange(1, 5).Draw(t, "every")
				r.Drop(func(e event) bool { return e.n%every == 0 })
				for i := range m.events {
					m.events[i].dropped = m.events[i].dropped || i%every == 0
				}
			},
			"subscribe": func(t *rapid.T) {
				after := rapid.Uint64Range(0, uint64(len(m.events)+3)).Draw(t, "after")
				c := r.From(after)
				if after > uint64(len(m.events)) {
					after = 0
				}
				// The cursor must not count events as missed that the reader has had. Where the place of
				// overwritten reports is unknown it can take some missed events for such ones.
				passed := m.others(0, after+1)
				if c.other < passed {
					t.Fatalf("From(%d) counts %d events as missed that the reader has had", after, passed-c.other)
				}
				if r.reports.oldest() == 0 && c.other != passed {
					t.Fatalf("From(%d) has passed %d events, want %d", after, c.other, passed)
				}
				readers = append(readers, &reader{Cursor: c, next: after + 1, missed: -int64(c.other - passed)})
			},
			"read": func(t *rapid.T) {
				s := rapid.SampledFrom(readers).Draw(t, "reader")
				kept := m.kept()
				for range rapid.IntRange(1, 1500).Draw(t, "n") {
					seq, e, ok := r.Next(&s.Cursor)
					want := s.next
					for want <= uint64(len(kept)) && !kept[want-1] {
						want++
					}
					s.missed += int64(m.others(s.next-1, want))
					if ok != (want <= uint64(len(kept))) || ok && (seq != want || e != m.events[want-1].event) {
						t.Fatalf("Next gave %d, %v, %v, want %d", seq, e, ok, want)
					}
					s.next = want
					if !ok {
						if int64(s.Missed()) != s.missed {
							t.Fatalf("missed are %d, want %d", s.Missed(), s.missed)
						}
						return
					}
					s.next++
				}
			},
		})
	})
}

// What a cursor misses is exact as soon as the place of the overwritten reports is known.
func TestMissedIsExactWhereItCanBeKnown(t *testing.T) {
	var r Ring[event]
	for range 10 {
		r.Report(event{report: true}) // 1 to 10
	}
	for range Size + 20 {
		r.Publish(event{}) // 11 to 1054, of which 11 to 30 are overwritten
	}
	for after, want := range map[uint64]uint64{0: 20, 5: 20, 10: 20, 15: 15, 30: 0, 31: 0} {
		c := r.From(after)
		r.Skip(&c)
		read(&r, &c)
		if c.Missed() != want {
			t.Errorf("From(%d) missed %d, want %d", after, c.Missed(), want)
		}
	}
	for range Size { // overwrites the reports 1 to 10: those before 11 are unknown now
		r.Report(event{report: true})
	}
	for after, most := range map[uint64]uint64{0: 20, 10: 20, 15: 15, 30: 0} {
		c := r.From(after)
		read(&r, &c)
		if c.Missed() > most || after == 0 && c.Missed() != 20 {
			t.Errorf("From(%d) missed %d, want at most %d", after, c.Missed(), most)
		}
	}
}

func TestDropLetsGoOfTheEvents(t *testing.T) {
	var r Ring[*int]
	r.Publish(new(int))
	r.Report(new(int))
	r.Drop(func(*int) bool { return true })
	if r.others.slots[0].event != nil || r.reports.slots[0].event != nil {
		t.Error("dropped events are still referred to")
	}
	c := r.From(0)
	if _, _, ok := r.Next(&c); ok || c.Missed() != 1 {
		t.Errorf("Next gave %v, missed are %d, want 1", ok, c.Missed())
	}
}

func BenchmarkPublish(b *testing.B) {
	var r Ring[[3]*int] // as large as a record of a task, a time and a kind
	e := [3]*int{new(int)}
	for b.Loop() {
		r.Publish(e)
	}
}

func BenchmarkPublishAndNext(b *testing.B) {
	var r Ring[*int]
	c := r.From(0)
	e := new(int)
	for b.Loop() {
		r.Publish(e)
		r.Next(&c)
	}
}
