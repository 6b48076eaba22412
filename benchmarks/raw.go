package main

import (
	"context"
	"sync"
)

// raw is a go statement that can be cancelled and waited for, and nothing more: no ID, no status, no
// error, no list.
type raw struct {
	ctx     context.Context
	cancel  context.CancelFunc
	running sync.WaitGroup
}

func openRaw() pool { return newRaw() }

// newRaw gives every task a context of its own. Nothing can end them all.
func newRaw() *raw { return &raw{ctx: context.Background(), cancel: func() {}} }

// openParent derives their contexts from one that can be cancelled, and which therefore has a list of
// them, under a mutex.
func openParent() pool {
	ctx, cancel := context.WithCancel(context.Background())
	return &raw{ctx: ctx, cancel: cancel}
}

func (r *raw) start(w work) {
	ctx, cancel := context.WithCancel(r.ctx)
	r.running.Add(1)
	go func() {
		defer r.running.Done()
		defer cancel()
		_ = w.run(ctx)
	}()
}

func (r *raw) do(w work) {
	ctx, cancel := context.WithCancel(r.ctx)
	done := make(chan struct{})
	go func() {
		defer close(done)
		defer cancel()
		_ = w.run(ctx)
	}()
	<-done
}

func (r *raw) wait()  { r.running.Wait() }
func (r *raw) close() { r.cancel(); r.wait() }
