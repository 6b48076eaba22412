package main

import (
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// machine tells how much of the processors other programs leave to this one. On a busy machine it
// would be compared how contenders bear to be interrupted: the ratio to pond, 0.9 on a quiet one, has
// been seen at 4.
type machine struct{ turns []float64 }

// watched looks at the machine before each sample, while nothing else of this program runs.
func (m *machine) watched(sample sampler) sampler {
	return func(r row, c contender) (float64, error) {
		m.look()
		return sample(r, c)
	}
}

// look counts how often all processors together can tell the time in 10 ms.
func (m *machine) look() {
	var turns atomic.Int64
	var all sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		all.Go(func() {
			n := int64(0)
			for began := time.Now(); time.Since(began) < 10*time.Millisecond; {
				n++
			}
			turns.Add(n)
		})
	}
	all.Wait()
	m.turns = append(m.turns, float64(turns.Load()))
}

// share gives what this program could have of the processors, on the average. At best it was all.
func (m *machine) share() float64 {
	sum := 0.0
	for _, n := range m.turns {
		sum += n
	}
	return sum / float64(len(m.turns)) / slices.Max(m.turns)
}

// quiet is the share from which on figures are worth keeping. By itself it varies by some percent.
const quiet = 0.9
