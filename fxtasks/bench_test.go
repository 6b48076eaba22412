package fxtasks_test

import (
	"context"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/fxtasks/background/fxtasks"
)

// What a task costs, each time beside what it costs without a manager: go, context.WithCancel and
// sync.WaitGroup, which track nothing. Compare the two of one run, never figures of two runs:
//
//	go test ./fxtasks -run '^$' -bench . -count 10

// pool is what both sides are measured by.
type pool interface {
	start(fn fxtasks.Func)
	wait()  // until all have ended
	drain() // asks all to end, and waits
}

var pools = []struct {
	name string
	new  func(b *testing.B) pool
}{
	{"raw", func(*testing.B) pool {
		ctx, cancel := context.WithCancel(context.Background())
		return &rawPool{ctx: ctx, cancel: cancel}
	}},
	{"fxtasks", func(b *testing.B) pool {
		m, err := fxtasks.New(fxtasks.Config{ShutdownTimeout: time.Hour})
		if err != nil {
			b.Fatal(err)
		}
		return managerPool{b, m}
	}},
}

type rawPool struct {
	ctx     context.Context
	cancel  context.CancelFunc
	running sync.WaitGroup
}

func (p *rawPool) start(fn fxtasks.Func) {
	ctx, cancel := context.WithCancel(p.ctx)
	p.running.Add(1)
	go func() {
		defer p.running.Done()
		defer cancel()
		_ = fn(ctx)
	}()
}

func (p *rawPool) wait()  { p.running.Wait() }
func (p *rawPool) drain() { p.cancel(); p.wait() }

type managerPool struct {
	b *testing.B
	m *fxtasks.Manager
}

// start is not the submit of other tests: testing.B.Helper costs as much as a task's ID.
func (p managerPool) start(fn fxtasks.Func) {
	if _, err := p.m.Submit(context.Background(), "work", fn); err != nil {
		p.b.Error(err)
	}
}

func (p managerPool) wait() {
	if err := p.m.Wait(context.Background()); err != nil {
		p.b.Fatal(err)
	}
}

func (p managerPool) drain() {
	if _, err := p.m.Shutdown(context.Background()); err != nil {
		p.b.Fatal(err)
	}
}

func BenchmarkSubmitToFinish(b *testing.B) {
	for _, kind := range pools {
		b.Run(kind.name, func(b *testing.B) {
			b.ReportAllocs()
			p := kind.new(b)
			for b.Loop() {
				p.start(nothing)
			}
			p.wait()
			p.drain()
		})
	}
}

func BenchmarkSubmitToFinishParallel(b *testing.B) {
	for _, kind := range pools {
		b.Run(kind.name, func(b *testing.B) {
			b.ReportAllocs()
			p := kind.new(b)
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					p.start(nothing)
				}
			})
			p.wait()
			p.drain()
		})
	}
}

// BenchmarkParked parks 100,000 tasks on their contexts, weighs them, and drains them.
func BenchmarkParked(b *testing.B) {
	const n = 100_000
	for _, kind := range pools {
		b.Run(kind.name, func(b *testing.B) {
			var bytes, drain float64
			for b.Loop() {
				before := inUse()
				p := kind.new(b)
				var parked sync.WaitGroup
				parked.Add(n)
				for range n {
					p.start(func(ctx context.Context) error {
						parked.Done()
						<-ctx.Done()
						return ctx.Err()
					})
				}
				parked.Wait()
				bytes += float64(inUse()-before) / n
				began := time.Now()
				p.drain()
				drain += time.Since(began).Seconds()
			}
			b.ReportMetric(bytes/float64(b.N), "bytes/task")
			b.ReportMetric(1e3*drain/float64(b.N), "drain-ms")
			b.ReportMetric(0, "ns/op") // most of it is parking and weighing
		})
	}
}

// inUse gives the bytes of heap and stacks in use.
func inUse() uint64 {
	runtime.GC()
	runtime.GC() // what the first has found dead, the second has swept
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapInuse + m.StackInuse
}
