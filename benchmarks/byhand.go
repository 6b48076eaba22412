package main

import (
	"context"
	"sync"
	"time"

	"github.com/google/uuid"
)

// byHand is what people write who want to see what runs in the background, to cancel it, and to wait
// for it when they stop.
type byHand struct {
	running sync.WaitGroup

	mu    sync.Mutex // protects tasks, and the fields of a record that say so
	tasks map[string]*record
}

// record is what is known about a task. When the task ends it leaves the map, or that would grow for
// ever, so that from then on only who holds the record can see how it ended.
type record struct {
	id, name string
	created  time.Time
	cancel   context.CancelFunc
	done     chan struct{} // closed at the end; nil unless somebody is to wait for this task

	// Protected by the mutex.
	status   string
	err      error
	finished time.Time
}

func openByHand() pool { return newByHand() }

func newByHand() *byHand { return &byHand{tasks: make(map[string]*record)} }

func (b *byHand) submit(ctx context.Context, name string, fn func(context.Context) error, done chan struct{}) *record {
	ctx, cancel := context.WithCancel(ctx)
	r := &record{id: uuid.NewString(), name: name, created: time.Now(), cancel: cancel, done: done, status: "running"}
	b.mu.Lock()
	b.tasks[r.id] = r
	b.mu.Unlock()
	b.running.Add(1)
	go func() {
		defer b.running.Done()
		defer cancel()
		b.finish(r, fn(ctx))
	}()
	return r
}

func (b *byHand) finish(r *record, err error) {
	b.mu.Lock()
	r.status, r.err, r.finished = "completed", err, time.Now()
	if err != nil {
		r.status = "failed"
	}
	delete(b.tasks, r.id)
	b.mu.Unlock()
	if r.done != nil {
		close(r.done)
	}
}

// list gives copies of what runs.
func (b *byHand) list() []record {
	b.mu.Lock()
	defer b.mu.Unlock()
	all := make([]record, 0, len(b.tasks))
	for _, r := range b.tasks {
		all = append(all, *r)
	}
	return all
}

func (b *byHand) status(r *record) (string, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return r.status, r.err
}

func (b *byHand) start(w work) { b.submit(context.Background(), "work", w.run, nil) }

func (b *byHand) do(w work) {
	<-b.submit(context.Background(), "work", w.run, make(chan struct{})).done
}

func (b *byHand) wait() { b.running.Wait() }

func (b *byHand) close() {
	for _, r := range b.list() {
		r.cancel()
	}
	b.wait()
}
