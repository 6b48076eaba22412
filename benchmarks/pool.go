package main

import (
	"context"
	"runtime"
	"sync"
	"time"
)

// work is what a task does, in the two forms in which contenders take it: a wrapper around the other
// one would cost a peer an allocation that its users do not have.
type work struct {
	run   func(ctx context.Context) error
	plain func() error
}

var nothing = work{
	run:   func(context.Context) error { return nil },
	plain: func() error { return nil },
}

// pool is what all contenders look like to the rows.
type pool interface {
	start(w work) // returns at once, or when the pool has room
	wait()        // until all that was started has ended; nothing is started after it
	close()       // asks what runs to end, where the pool can, and waits until nothing is left
}

// waitingPool can also wait for one task.
type waitingPool interface {
	pool
	do(w work) // starts, and waits until it has ended
}

// meter runs fn and tells what that took.
type meter func(fn func()) float64

func nanoseconds(fn func()) float64 {
	runtime.GC() // what came before shall not be swept meanwhile
	began := time.Now()
	fn()
	return float64(time.Since(began))
}

func allocations(fn func()) float64 {
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	fn()
	runtime.ReadMemStats(&after)
	return float64(after.Mallocs - before.Mallocs)
}

// batch measures n no-ops, each from its submission to its end, per task.
func batch(open func() pool, submitters, n int, measure meter) func() float64 {
	return perTask(open, n, measure, func(p pool, n int) { submit(p, submitters, n) })
}

// perTask measures n tasks in a pool that is new, after as many as warm up the runtime: its heap, and
// the goroutines that it keeps for reuse.
func perTask(open func() pool, n int, measure meter, do func(p pool, n int)) func() float64 {
	return func() float64 {
		warm := open()
		do(warm, n/4)
		warm.close()

		p := open()
		defer p.close()
		return measure(func() { do(p, n) }) / float64(n)
	}
}

// submit starts n no-ops from that many goroutines and waits until all have ended.
func submit(p pool, submitters, n int) {
	var all sync.WaitGroup
	for i := range submitters {
		all.Go(func() {
			for range share(n, submitters, i) {
				p.start(nothing)
			}
		})
	}
	all.Wait()
	p.wait()
}

// share gives how many of n are the i-th's.
func share(n, parts, i int) int { return (i+1)*n/parts - i*n/parts }

// oneByOne measures n no-ops, each waited for before the next is submitted, per task.
func oneByOne(open func() waitingPool, n int) func() float64 {
	return func() float64 {
		p := open()
		defer p.close()
		for range n / 4 {
			p.do(nothing)
		}
		return nanoseconds(func() {
			for range n {
				p.do(nothing)
			}
		}) / float64(n)
	}
}

// must ends the program when a contender fails: there is then nothing to compare.
func must[T any](value T, err error) T {
	if err != nil {
		panic(err)
	}
	return value
}
