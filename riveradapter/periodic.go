package riveradapter

import (
	"fmt"
	"time"

	"github.com/riverqueue/river"
	"go.uber.org/fx"

	"github.com/fxtasks/background/fxtasks"
	"github.com/fxtasks/background/riveradapter/internal/registration"
)

// Periodic inserts a job at each time of the schedule, once in the whole cluster: none twice, and none left
// out while any replica is up; those that come while the database is away are inserted when it is back. If all
// replicas were down over several times, the latest is inserted once. The first time is the schedule's next
// after the ID was first seen. It is meant for periods of 10 s and more.
//
// Every replica calls job, with the schedule's own time, and one of them inserts what it gives; the time is
// in the job's metadata too, by the key "period". A nil *river.InsertOpts means River's defaults. The
// schedule may be one of fxtasks, River or robfig/cron.
//
// An ID that two have or that River does not allow, a kind without a worker, and a graph without the module
// of a database are errors of fx.New.
func Periodic[A river.JobArgs](id string, s river.PeriodicSchedule, job func(at time.Time) (A, *river.InsertOpts)) fx.Option {
	if err := checkName("the ID of a Periodic", id); err != nil {
		return fx.Error(err)
	}
	kind, err := kindOf[A]()
	if err != nil {
		return fx.Error(err)
	}
	if s == nil {
		return fx.Error(fmt.Errorf("%w: riveradapter: the schedule of Periodic %q is nil", fxtasks.ErrInvalid, id))
	}
	if job == nil {
		return fx.Error(fmt.Errorf("%w: riveradapter: the job function of Periodic %q is nil", fxtasks.ErrInvalid, id))
	}
	p := registration.Periodic{ID: id, Kind: kind, Schedule: s, Job: func(at time.Time) (river.JobArgs, *river.InsertOpts) {
		return job(at)
	}}
	return fx.Options(
		fx.Provide(fx.Annotate(
			func() registration.Periodic { return p },
			fx.ResultTags(registration.PeriodicsGroup),
		)),
		needsDatabase("Periodic", id),
	)
}
