package replica

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/riverqueue/river"
	"github.com/riverqueue/river/rivertype"
	"go.uber.org/zap"

	"github.com/fxtasks/background/fxtasks"
)

// In heartbeats. A replica is dead for the others after deadAfter without a proof of its life; it gives up its
// jobs before, and holds back what they return before that.
const (
	DeadAfter     = 6
	cutOffAfter   = 4
	holdBackAfter = 2
)

// In rounds of the watch, which are a heartbeat apart.
const (
	steadyAfter       = 2  // a replica that has just come back lets the others come back too before it recovers their jobs
	giveBackUnknown   = 2  // a row that this replica has never run: its fetch may still be under way
	giveBackEnded     = 12 // one that has returned: River may still have to write the result
	tidyEvery         = 120
	maxBeatsPerAnswer = 2 // how long the database may take to answer
)

var (
	errCutOff = fmt.Errorf("%w: this replica could not prove to the database that it is alive", fxtasks.ErrCancelled)
	errLost   = fmt.Errorf("%w: another replica has taken over the job", fxtasks.ErrCancelled)
)

// watch proves again and again that this replica is alive, and compares what it runs with what the database
// says. Only its own goroutine uses it.
type watch[TTx any] struct {
	r *Replica[TTx]

	steady  int             // rounds since the last one that failed
	rounds  int             // in all
	strikes map[Attempt]int // rounds in a row in which the database said that this runs here, and it did not
	cutOff  *time.Timer     // fires when the replica is cut off
}

// run goes on until ctx ends.
func (w *watch[TTx]) run(ctx context.Context) {
	tick := time.NewTicker(w.r.cfg.Heartbeat)
	defer tick.Stop()
	if w.r.db.Expires() {
		w.cutOff = time.NewTimer(cutOffAfter * w.r.cfg.Heartbeat)
		defer w.cutOff.Stop()
		w.r.loops.Go(func() { w.watchCutOff(ctx, w.cutOff) })
	}
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		case <-w.r.askNow:
		}
		if err := w.round(ctx); err != nil && ctx.Err() == nil {
			w.steady = 0
			w.r.log.Warn("the heartbeat of durable jobs failed", zap.Error(err), zap.Duration("age", w.r.lease.age()))
		}
	}
}

// round gives one proof of life. The order matters: first the replica is alive for the others, then it finds
// out what they have taken from it meanwhile, and only then what its jobs return may be written again.
func (w *watch[TTx]) round(ctx context.Context) error {
	began := time.Now()
	ctx, cancel := context.WithTimeout(ctx, maxBeatsPerAnswer*w.r.cfg.Heartbeat)
	defer cancel()
	if err := w.r.db.Beat(ctx); err != nil {
		return err
	}
	owned, err := w.r.db.Owned(ctx)
	if err != nil {
		return err
	}
	unknown, err := w.compare(ctx, owned, began)
	if err != nil {
		return err
	}
	w.r.lease.renew(began)
	if w.cutOff != nil {
		w.cutOff.Reset(cutOffAfter*w.r.cfg.Heartbeat - time.Since(began))
	}
	if len(unknown) > 0 {
		w.r.log.Warn("giving back jobs that the database says this replica runs", zap.Int("count", len(unknown)))
		if err := w.r.db.GiveBack(ctx, unknown); err != nil {
			return err
		}
	}
	w.steady++
	if w.steady >= steadyAfter || !w.r.db.Expires() {
		if err := w.recover(ctx); err != nil {
			return err
		}
	}
	if w.rounds++; w.rounds%tidyEvery == 0 {
		return w.r.db.Tidy(ctx)
	}
	return nil
}

func (w *watch[TTx]) recover(ctx context.Context) error {
	n, err := w.r.db.Recover(ctx)
	if n > 0 {
		w.r.log.Warn("recovered the jobs of a dead replica", zap.Int64("count", n))
	}
	return err
}

// compare cancels the attempts that have become another replica's, and gives those that the database says run
// here and do not.
func (w *watch[TTx]) compare(ctx context.Context, owned []Attempt, asked time.Time) (unknown []Attempt, err error) {
	isOwned := make(map[Attempt]bool, len(owned))
	for _, key := range owned {
		isOwned[key] = true
	}
	runs := make(map[Attempt]bool)
	for _, a := range w.r.active.all() {
		runs[a.key()] = true
		if isOwned[a.key()] || a.began.After(asked) || a.lost.Load() {
			continue
		}
		taken, err := w.taken(ctx, a)
		if err != nil {
			return nil, err
		}
		if taken {
			a.lost.Store(true)
			a.cancel(errLost)
		}
	}
	strikes := make(map[Attempt]int)
	for _, key := range owned {
		if runs[key] {
			continue
		}
		strikes[key] = w.strikes[key] + 1
		allowed := giveBackUnknown
		if w.r.active.hasEnded(key) {
			allowed = giveBackEnded
		}
		if strikes[key] >= allowed {
			unknown = append(unknown, key)
		}
	}
	w.strikes = strikes
	w.r.active.forgetEnded(asked, isOwned)
	return unknown, nil
}

// taken reports whether a job that the database does not say runs here was taken, and not just completed by
// the worker itself, in its own transaction.
func (w *watch[TTx]) taken(ctx context.Context, a *attempt) (bool, error) {
	row, err := w.r.reader.JobGet(ctx, a.row.ID)
	if errors.Is(err, river.ErrNotFound) {
		return true, nil
	}
	if err != nil {
		return false, err
	}
	ours := row.Attempt == a.row.Attempt && ownerOf(row) == w.r.id
	return !ours || row.State != rivertype.JobStateCompleted && row.State != rivertype.JobStateRunning, nil
}

// watchCutOff cancels what runs here when the lease has become too old. It has a goroutine of its own: a round
// can hang in the connection.
func (w *watch[TTx]) watchCutOff(ctx context.Context, timer *time.Timer) {
	limit := cutOffAfter * w.r.cfg.Heartbeat
	woken := false // was frozen, and has asked which jobs are still its own
	for {
		select {
		case <-ctx.Done():
			return
		case <-timer.C:
		}
		age := w.r.lease.age()
		switch {
		case age < limit: // renewed just now
			timer.Reset(limit - age)
			continue
		case age > limit+w.r.cfg.Heartbeat && !woken:
			// This process was frozen, or the machine suspended. Ask first which jobs are still its own, and
			// take the database for gone only if there is no answer either.
			woken = true
			w.r.ask()
			timer.Reset(w.r.cfg.Heartbeat)
			continue
		}
		woken = false
		if all := w.r.active.all(); len(all) > 0 {
			w.r.log.Error("cut off from the database: cancelling the jobs that run here", zap.Int("count", len(all)), zap.Duration("age", age))
			for _, a := range all {
				a.cancel(errCutOff)
			}
		}
		timer.Reset(w.r.cfg.Heartbeat)
	}
}

// settle blocks until the lease is young enough for the result of a to be written, and reports whether it may
// be.
func (r *Replica[TTx]) settle(a *attempt) bool {
	if r.db.Expires() && r.lease.age() > time.Duration(holdBackAfter)*r.cfg.Heartbeat {
		r.ask()
		if r.lease.await(r.stopped) != nil {
			return false
		}
	}
	return !a.lost.Load()
}

// ask has the watch do a round now.
func (r *Replica[TTx]) ask() {
	select {
	case r.askNow <- struct{}{}:
	default: // it is about to
	}
}
