package main

import (
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/fxtasks/background/fxtasks"
)

func TestACallThatHasToWaitShows(t *testing.T) {
	const held = 50 * time.Millisecond
	var mu sync.Mutex
	took := during(func() {
		time.Sleep(held) // calls that need not wait
		mu.Lock()
		time.Sleep(held)
		mu.Unlock()
	}, func() {
		mu.Lock()
		defer mu.Unlock()
	})
	if longest := time.Duration(slices.Max(took)); longest < held/2 {
		t.Errorf("the longest of %d calls took %v while the mutex was held for %v", len(took), longest, held)
	}
	if typical := time.Duration(median(took)); typical > held/2 {
		t.Errorf("the median of %d calls is %v, and most need not wait", len(took), typical)
	}
}

func TestASceneIsRepeatedAndTheMedianCounts(t *testing.T) {
	played := 0
	s := func(_ sizes, watch func(*fxtasks.Manager, func())) {
		played++
		watch(nil, func() {})
	}
	figure := func([]float64) float64 { return float64(played * played) }
	n := tiny
	n.repeating = 0
	if got := waits(n, s, callNobody, figure)(); got != 1 || played != 1 {
		t.Errorf("played %d times, the figure is %v; want once, and 1", played, got)
	}
	played, n.repeating = 0, 20*time.Millisecond
	got := waits(n, s, callNobody, figure)()
	if middle := float64(played+1) / 2; played < 2 || got < middle*middle-1 || got > middle*middle+1 {
		t.Errorf("played %d times, the figure is %v, want about %v", played, got, middle*middle)
	}
}

// What the title of a scene says has to be there before anybody is watched.
func TestScenesAreWhatTheySay(t *testing.T) {
	n := tiny
	for name, c := range map[string]struct {
		scene scene
		want  func(s fxtasks.Stats, m *fxtasks.Manager) bool
	}{
		"records": {withRecords((*library).search), func(s fxtasks.Stats, m *fxtasks.Manager) bool {
			return m.List(fxtasks.Filter{}).Total == n.records
		}},
		"pending": {withPending(ours.cancelAll), func(s fxtasks.Stats, _ *fxtasks.Manager) bool {
			return s.Pending == n.queued && s.Running == workers
		}},
		"successors": {successors, func(s fxtasks.Stats, _ *fxtasks.Manager) bool {
			return s.Pending == n.replaced+n.queued && s.Running == n.replaced
		}},
		"groups": {manyGroups, func(s fxtasks.Stats, _ *fxtasks.Manager) bool {
			return len(s.ByGroup) >= n.groups
		}},
		"blocked": {blockedSubmits, func(s fxtasks.Stats, _ *fxtasks.Manager) bool {
			return s.Pending == 1 && s.Running == 2 && s.Submitted == 3
		}},
		"waiters": {manyWaiters, func(s fxtasks.Stats, _ *fxtasks.Manager) bool {
			return s.Running == 1
		}},
	} {
		t.Run(name, func(t *testing.T) {
			watched := 0
			c.scene(n, func(m *fxtasks.Manager, act func()) {
				watched++
				if s := m.Stats(); !c.want(s, m) {
					t.Errorf("before it is acted: %+v", s)
				}
				act()
			})
			if watched != 1 {
				t.Errorf("it was watched %d times, want once", watched)
			}
		})
	}
}

func TestAllPagesHaveAllRecords(t *testing.T) {
	l := openLibrary(tiny.records)
	defer l.close()
	l.turnPages() // panics else
	l.size++
	defer func() {
		if recover() == nil {
			t.Error("a record that is on no page was not missed")
		}
	}()
	l.turnPages()
}
