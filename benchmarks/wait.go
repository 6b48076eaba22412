package main

import (
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"github.com/fxtasks/background/fxtasks"
)

// scene prepares a manager, and calls watch with what is to be done to it while somebody else asks it
// for its state.
type scene func(n sizes, watch func(m *fxtasks.Manager, act func()))

// caller gives the call that is timed.
type caller func(m *fxtasks.Manager) (call func())

func callState(m *fxtasks.Manager) func() { return func() { m.State() } }

// callNobody locks a mutex that nobody else uses. If such a call takes long, the garbage collector, the
// scheduler or another program has interrupted it.
func callNobody(*fxtasks.Manager) func() {
	var mu sync.Mutex
	return func() {
		mu.Lock()
		defer mu.Unlock()
	}
}

// callScheduler gives way to whatever else is ready to run, without a manager. A call that waits for a mutex gives up
// its processor as well, and while all of them are busy it can take time slices of 10 ms to get one back.
func callScheduler(*fxtasks.Manager) func() { return runtime.Gosched }

// waits repeats a scene and gives the median of a figure of how long the calls took. A critical
// section that is too long delays a call in each repetition, another program only in some.
func waits(n sizes, s scene, c caller, figure func(took []float64) float64) func() float64 {
	return func() float64 {
		var figures []float64
		for began := time.Now(); len(figures) == 0 || time.Since(began) < n.repeating; {
			s(n, func(m *fxtasks.Manager, act func()) {
				runtime.GC()
				figures = append(figures, figure(during(act, c(m))))
			})
		}
		return median(figures)
	}
}

// pause is the time between two calls. A goroutine that did nothing but call would be inside a call
// whenever it is interrupted, and each interruption would count as a wait for the mutex.
const pause = 20 * time.Microsecond

// during calls again and again while act runs, at least once, and gives the nanoseconds that each call
// took.
func during(act, call func()) (took []float64) {
	var ended atomic.Bool
	var actor sync.WaitGroup
	actor.Go(func() {
		defer ended.Store(true)
		act()
	})
	for len(took) == 0 || !ended.Load() {
		began := time.Now()
		call()
		returned := time.Now()
		took = append(took, float64(returned.Sub(began)))
		for time.Since(returned) < pause { // time.Sleep can take a millisecond
		}
	}
	actor.Wait()
	return took
}
