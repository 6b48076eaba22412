package replica

import (
	"context"
	"fmt"
	"time"

	"github.com/riverqueue/river"
	"go.uber.org/zap"

	"github.com/fxtasks/background/riveradapter/internal/registration"
)

const (
	// PeriodKey is the key in the metadata of a periodic job of the time for which it was inserted.
	PeriodKey = "period"

	firstPause    = time.Second // after an error, and for a clock that is ahead of the database's
	longestPause  = 10 * time.Second
	insertTimeout = 10 * time.Second // a connection that is cut off says nothing
	longestSleep  = time.Minute      // a clock that was set is noticed within it
	longestGap    = 2 * longestSleep // a replica that did not look for longer was frozen, and counts as down
)

// insertPeriodically inserts the jobs of p until ctx ends. Every replica does so: whoever changes the row of
// the last period inserts the job, in the same transaction.
func (r *Replica[TTx]) insertPeriodically(ctx context.Context, p registration.Periodic) {
	log := r.log.With(zap.String("periodic_id", p.ID))
	pause := firstPause
	up := time.Now().Round(0) // by the wall clock, which goes on while the machine is suspended
	looked := up
	for ctx.Err() == nil {
		now := time.Now().Round(0)
		if now.Sub(looked) > longestGap {
			up = now
		}
		looked = now
		due, err := r.insertDue(ctx, p, up)
		switch {
		case ctx.Err() != nil:
			return
		case err != nil:
			log.Error("the periodic job could not be inserted", zap.Error(err), zap.Duration("retry_in", pause))
			due, pause = time.Now().Add(pause), min(2*pause, longestPause)
		case due.IsZero():
			log.Info("the schedule of the periodic job has ended")
			return
		default:
			pause = firstPause
		}
		select {
		case <-ctx.Done():
		case <-time.After(min(time.Until(due), longestSleep)):
		}
	}
}

// insertDue inserts the job of the next period, if it has come and nobody has yet, and tells when to try again.
// up is since when this replica has been there: while the database was away it was, and leaves no period out.
func (r *Replica[TTx]) insertDue(ctx context.Context, p registration.Periodic, up time.Time) (again time.Time, err error) {
	ctx, cancel := context.WithTimeout(ctx, insertTimeout)
	defer cancel()
	defer func() { // the schedule and the function are the user's
		if v := recover(); v != nil {
			err = fmt.Errorf("panic: %v", v)
		}
	}()
	last, err := r.db.LastPeriod(ctx, p.ID)
	if err != nil {
		return time.Time{}, err
	}
	next, err := nextPeriod(p.Schedule, last)
	if err != nil || next.IsZero() {
		return time.Time{}, err
	}
	now := time.Now()
	if next.After(now) {
		return next, nil
	}
	for { // if all replicas were down over several periods, the latest counts
		later, err := nextPeriod(p.Schedule, next)
		if err != nil {
			return time.Time{}, err
		}
		if later.IsZero() || later.After(up) {
			break
		}
		next = later
	}
	args, opts := p.Job(next)
	opts, err = withPeriod(opts, next)
	if err != nil {
		return time.Time{}, err
	}
	claimed := false
	err = r.db.InTx(ctx, func(tx TTx) error {
		if claimed, err = r.db.ClaimPeriod(ctx, tx, p.ID, last, next); err != nil || !claimed {
			return err
		}
		_, err := r.client.InsertTx(ctx, tx, args, opts)
		return err
	})
	if err == nil && !claimed { // somebody else has, or by the database's clock it is not due yet
		return now.Add(firstPause), nil
	}
	return now, err
}

// precision is what both databases keep of a time.
const precision = time.Microsecond

func nextPeriod(s river.PeriodicSchedule, after time.Time) (time.Time, error) {
	next := s.Next(after)
	if next.IsZero() {
		return next, nil
	}
	if !next.After(after) {
		return next, fmt.Errorf("the schedule's Next(%v) is %v: must be later", after, next)
	}
	if rounded := next.Truncate(precision); !rounded.Equal(next) {
		next = rounded.Add(precision) // later, so that what is stored is not followed by the same period again
	}
	return next.UTC(), nil
}

// withPeriod gives a copy of opts that says in the metadata for which time the job is.
func withPeriod(opts *river.InsertOpts, at time.Time) (*river.InsertOpts, error) {
	var own river.InsertOpts
	if opts != nil {
		own = *opts
	}
	doc, err := addToMetadata(own.Metadata, PeriodKey, at.Format(time.RFC3339Nano))
	own.Metadata = doc
	return &own, err
}
