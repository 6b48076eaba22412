// Package replica is the part of one process in the work on a database's jobs, whichever database that is.
package replica

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/riverqueue/river"
	"go.uber.org/zap"

	background "github.com/fxtasks/background"
	"github.com/fxtasks/background/fxtasks"
	"github.com/fxtasks/background/riveradapter"
	"github.com/fxtasks/background/riveradapter/internal/registration"
)

// Replica makes River's client and runs it. It is River's middleware too.
type Replica[TTx any] struct {
	// Written by New or Add, only read after.
	id         string
	cfg        riveradapter.Config
	manager    *fxtasks.Manager
	log        *zap.Logger
	propagator background.Propagator // nil: none
	db         Database[TTx]
	workers    *river.Workers
	kinds      map[string]bool
	periodics  []registration.Periodic
	retention  retention
	client     *river.Client[TTx]
	reader     *river.Client[TTx] // for what only reads

	active   *activeSet
	lease    *lease
	askNow   chan struct{}
	progress *progressStore[TTx]
	counts   countsCache

	loops   sync.WaitGroup
	stopped context.Context // ends when nothing may be written any more
	stop    context.CancelFunc
	soft    sync.Once // River has been told to stop
	hard    sync.Once // and to end the contexts of its jobs

	groupsMu sync.Mutex // protects groups
	groups   map[string]*fxtasks.Group
}

// New makes the client. It touches no database: Start does.
func New[TTx any](d Dependencies, open func(schema string) (Database[TTx], error)) (*Replica[TTx], error) {
	if err := d.check(); err != nil {
		return nil, err
	}
	cfg, err := withDefaults(d.Config)
	if err != nil {
		return nil, err
	}
	r := &Replica[TTx]{
		id:         newID(cfg.Instance),
		cfg:        cfg,
		manager:    d.Manager,
		log:        zap.NewNop(),
		propagator: d.Propagator,
		workers:    river.NewWorkers(),
		kinds:      make(map[string]bool),
		active:     newActiveSet(),
		lease:      newLease(),
		askNow:     make(chan struct{}, 1),
		groups:     make(map[string]*fxtasks.Group),
	}
	r.progress = &progressStore[TTx]{r: r, last: make(map[int64]Progress)}
	r.stopped, r.stop = context.WithCancel(context.Background())
	if d.Logger != nil {
		r.log = d.Logger.Named("background")
	}
	rc, err := riverConfig(cfg, r.id, r.workers, r, r.log)
	if err != nil {
		return nil, err
	}
	r.retention = retentionOf(rc)
	if r.db, err = open(rc.Schema); err != nil {
		return nil, err
	}
	if r.client, err = river.NewClient(r.db.Driver(), rc); err != nil {
		return nil, errors.Join(fmt.Errorf("riveradapter: %w", err), r.db.Close())
	}
	r.reader = r.client
	if r.db.Reader() != r.db.Driver() {
		readOnly := &river.Config{Schema: rc.Schema, Logger: rc.Logger}
		if r.reader, err = river.NewClient(r.db.Reader(), readOnly); err != nil {
			return nil, errors.Join(fmt.Errorf("riveradapter: %w", err), r.db.Close())
		}
	}
	return r, nil
}

// Client is River's.
func (r *Replica[TTx]) Client() *river.Client[TTx] { return r.client }

// works reports whether this replica works jobs, and not only inserts them.
func (r *Replica[TTx]) works() bool { return len(r.cfg.Queues) > 0 }

// Add adds what the application has registered. It is called once, before Start.
func (r *Replica[TTx]) Add(workers []registration.Worker, periodics []registration.Periodic) error {
	for _, w := range workers {
		if err := w.Add(r.workers, r); err != nil {
			return err
		}
		r.kinds[w.Kind] = true
	}
	ids := make(map[string]bool)
	for _, p := range periodics {
		if ids[p.ID] {
			return fmt.Errorf("%w: riveradapter: two Periodics have the ID %q", fxtasks.ErrInvalid, p.ID)
		}
		ids[p.ID] = true
		if !r.kinds[p.Kind] {
			return fmt.Errorf("%w: riveradapter: Periodic %q has no worker: add riveradapter.Worker or WorkFunc for kind %q",
				fxtasks.ErrInvalid, p.ID, p.Kind)
		}
	}
	r.periodics = periodics
	if !r.works() {
		return nil
	}
	if len(workers) == 0 {
		return fmt.Errorf("%w: riveradapter: there are queues to work and no worker: add riveradapter.Worker, "+
			"or supply a riveradapter.Config whose Queues are an empty map, to insert only", fxtasks.ErrInvalid)
	}
	for queue := range r.cfg.Queues {
		if _, err := r.group(queue); err != nil {
			return err
		}
	}
	return nil
}

// group gives the tasks' group of a queue. River can add queues while it runs.
func (r *Replica[TTx]) group(queue string) (*fxtasks.Group, error) {
	r.groupsMu.Lock()
	defer r.groupsMu.Unlock()
	if g := r.groups[queue]; g != nil {
		return g, nil
	}
	const none = -1 // the timeout of a job is River's
	g, err := r.manager.Group(groupOf(queue), fxtasks.GroupConfig{DrainGrace: r.cfg.DrainGrace, TaskTimeout: none})
	if err != nil {
		return nil, fmt.Errorf("riveradapter: the group of queue %q: %w", queue, err)
	}
	r.groups[queue] = g
	return g, nil
}

func groupOf(queue string) string { return "jobs/" + queue }

// Migrate brings the tables up to date, as the configuration says. It runs before the hooks of whatever uses
// the client, which may insert.
func (r *Replica[TTx]) Migrate(ctx context.Context) error {
	return r.named(r.db.Migrate(ctx, r.cfg.Migrate))
}

// Start makes the replica known and starts River. ctx, which ends when the application has started, bounds
// only what happens before that.
func (r *Replica[TTx]) Start(ctx context.Context) error {
	if r.manager.State() != fxtasks.Open {
		return fmt.Errorf("riveradapter: started again: %w", fxtasks.ErrShuttingDown)
	}
	if r.works() {
		if err := r.startWork(ctx); err != nil {
			return r.named(err)
		}
	}
	for _, p := range r.periodics {
		r.loops.Go(func() { r.insertPeriodically(r.stopped, p) })
	}
	return nil
}

func (r *Replica[TTx]) startWork(ctx context.Context) error {
	began := time.Now()
	if err := r.db.Enter(ctx, r.id, r.cfg.Heartbeat); err != nil {
		return err
	}
	r.lease.renew(began)
	w := &watch[TTx]{r: r}
	if !r.db.Expires() { // else the other replicas are given time to prove that they are alive
		if err := w.recover(ctx); err != nil {
			return err
		}
	}
	if err := r.client.Start(context.Background()); err != nil {
		return errors.Join(err, r.db.Leave(ctx))
	}
	r.loops.Go(func() { w.run(r.stopped) })
	r.loops.Go(func() { r.progress.run(r.stopped) })
	return nil
}

// Stop drains the jobs, on the clock of all the manager's tasks.
func (r *Replica[TTx]) Stop(ctx context.Context) error {
	end := r.manager.StartDrain(ctx)
	drain, cancel := context.WithDeadline(ctx, end)
	defer cancel()
	var stillRunning error
	if r.works() {
		r.stopFetching()
		select {
		case <-r.client.Stopped():
		case <-drain.Done():
			stillRunning = drain.Err()
		}
	}
	r.stop()
	r.loops.Wait()
	var errs []error
	switch {
	case stillRunning != nil: // for the others it lives as long as its process does
		errs = append(errs, fmt.Errorf("riveradapter: jobs still run, or River could not write their results: %w", stillRunning))
	case r.works():
		r.progress.store(drain)
		if err := r.db.Leave(drain); err != nil {
			r.log.Warn("the others could not be told that this replica has stopped: they will find out", zap.Error(err))
		}
	}
	r.groupsMu.Lock()
	defer r.groupsMu.Unlock()
	for _, g := range r.groups {
		if _, err := g.Shutdown(drain); err != nil {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

// Close lets go of the database.
func (r *Replica[TTx]) Close(context.Context) error { return r.db.Close() }

// stopFetching tells River to fetch no more jobs, and does not wait: River's Stop holds a mutex while it does,
// so that a second one would wait for longer than its context.
func (r *Replica[TTx]) stopFetching() {
	r.soft.Do(func() { go func() { _ = r.client.Stop(context.Background()) }() })
}

// hardStop tells River to end the contexts of its jobs, and does not wait.
func (r *Replica[TTx]) hardStop() {
	r.hard.Do(func() { go func() { _ = r.client.StopAndCancel(context.Background()) }() })
}

// named says which database an error is about.
func (r *Replica[TTx]) named(err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("riveradapter: database %s: %w", r.db.Name(), err)
}
