package main

import (
	"context"
	"runtime"
	"sync"
	"time"
	"weak"

	"github.com/fxtasks/background/e2e/soak/checks"
	"github.com/fxtasks/background/fxtasks"
)

// cargo is what a task's function captures, and what the ctx of its Submit holds: a finished task
// keeps neither alive.
type cargo struct {
	number int // of the submit; -1: there is no cargo
	where  string
	_      [64]byte // small objects share a block, and live as long as it does
}

type cargoKey struct{}

func cargoOf(ctx context.Context) *cargo {
	if c, ok := ctx.Value(cargoKey{}).(*cargo); ok {
		return c
	}
	return &cargo{number: -1}
}

// manifest lists all cargo of a round.
type manifest struct {
	mu   sync.Mutex // protects what follows
	list []weak.Pointer[cargo]
}

// load makes cargo that is to be gone in the end.
func (m *manifest) load(number int, where string) *cargo {
	c := &cargo{number: number, where: where}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.list = append(m.list, weak.Make(c))
	return c
}

// remains is what is left of a round for its memory to be checked: its accounts are gone, since
// those hold contexts.
type remains struct {
	manager *fxtasks.Manager
	tasks   []*fxtasks.Task
	cargo   []weak.Pointer[cargo]
}

// check wants all cargo to be gone while the tasks and their manager are still held, and then the
// manager.
func (r *remains) check(f *checks.Findings) {
	var left []weak.Pointer[cargo]
	eventually(func() bool {
		runtime.GC()
		left = left[:0]
		for _, p := range r.cargo {
			if p.Value() != nil {
				left = append(left, p)
			}
		}
		return len(left) == 0
	})
	for _, p := range left {
		if c := p.Value(); c != nil {
			f.Addf("memory: what %s of submit %d holds is kept, and its task is over", c.where, c.number)
		}
	}
	manager := weak.Make(r.manager)
	runtime.KeepAlive(r.tasks)
	r.manager, r.tasks = nil, nil
	gone := eventually(func() bool {
		runtime.GC()
		return manager.Value() == nil
	})
	if !gone {
		f.Addf("memory: something keeps the manager, which has stopped")
	}
}

// eventually says whether ok comes true within some seconds.
func eventually(ok func() bool) bool {
	for pause := time.Millisecond; !ok(); pause *= 2 {
		if pause > 5*time.Second {
			return false
		}
		time.Sleep(pause)
	}
	return true
}

// footprint is what the program takes while nothing goes on.
type footprint struct {
	goroutines int
	heap       uint64 // bytes
}

func measure() footprint {
	runtime.GC()
	runtime.GC() // for what the first has only taken out of pools
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return footprint{runtime.NumGoroutine(), m.HeapAlloc}
}

// heapSlack is by how much the heap may grow from the end of the first round to that of the last.
const heapSlack = 4 << 20

// stacks gives those of all goroutines.
func stacks() string {
	buf := make([]byte, 4<<20)
	return string(buf[:runtime.Stack(buf, true)])
}
