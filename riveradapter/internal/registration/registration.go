// Package registration is what the options of riveradapter feed into the graph, for the module of a
// database to take.
package registration

import (
	"time"

	"github.com/riverqueue/river"
	"github.com/riverqueue/river/rivertype"
)

// The value groups, as fx.ResultTags wants them.
const (
	WorkersGroup   = `group:"riveradapter.workers"`
	PeriodicsGroup = `group:"riveradapter.periodics"`
)

// Worker works the jobs of one kind.
type Worker struct {
	Kind string
	Add  func(to *river.Workers, owners Owners) error
}

// Owners runs the attempts at jobs as tasks, and knows who runs a job.
type Owners interface {
	rivertype.WorkerMiddleware
	// LeaveAlone reports whether River's rescuer, which knows only how long a job has been running, has to
	// leave it alone: this package finds out whether the replica that runs it is alive.
	LeaveAlone(row *rivertype.JobRow) bool
}

// Periodic inserts jobs by a schedule.
type Periodic struct {
	ID, Kind string
	Schedule river.PeriodicSchedule
	Job      func(at time.Time) (river.JobArgs, *river.InsertOpts)
}

// Database is in the graph if the module of a database is.
type Database struct{}
