package replica

import (
	"context"
	"time"

	"github.com/riverqueue/river/riverdriver"
	"github.com/riverqueue/river/rivertype"

	"github.com/fxtasks/background/fxtasks"
	"github.com/fxtasks/background/riveradapter"
)

// Database is what a replica needs of the database that holds the jobs. Its methods may be called by any
// number of goroutines, those of Liveness by one at a time.
type Database[TTx any] interface {
	// Name tells people which database this is.
	Name() string
	// Driver gives River the database, and Reader for what only reads and may take long.
	Driver() riverdriver.Driver[TTx]
	Reader() riverdriver.Driver[TTx]
	// Migrate brings the tables up to date, or checks that they are.
	Migrate(ctx context.Context, how riveradapter.Migrate) error
	// InTx commits what fn has done, unless fn gives an error.
	InTx(ctx context.Context, fn func(tx TTx) error) error
	// Close lets go of what the database's own module has opened.
	Close() error

	Liveness
	Periods[TTx]
	Jobs
}

// Liveness tells replicas that are alive from those that are dead.
type Liveness interface {
	// Enter makes the replica known as alive, before it fetches its first job.
	Enter(ctx context.Context, id string, heartbeat time.Duration) error
	// Beat proves that it is alive still.
	Beat(ctx context.Context) error
	// Expires reports whether a replica that cannot beat is taken for dead.
	Expires() bool
	// Leave makes it known that the replica runs nothing any more.
	Leave(ctx context.Context) error
	// Owned gives what the database says that the replica runs.
	Owned(ctx context.Context) ([]Attempt, error)
	// GiveBack makes available again those of these attempts that the database still says the replica runs.
	GiveBack(ctx context.Context, attempts []Attempt) error
	// Recover ends the attempts of dead replicas, as failed, and tells how many there were.
	Recover(ctx context.Context) (int64, error)
	// Tidy deletes what is left of replicas and jobs that are long gone.
	Tidy(ctx context.Context) error
}

// Periods is what is known of periodic jobs.
type Periods[TTx any] interface {
	// LastPeriod gives the time for which a job was inserted last. The first time that it is asked about an
	// ID, that is now.
	LastPeriod(ctx context.Context, id string) (time.Time, error)
	// ClaimPeriod changes that time from last to next, and reports whether this was possible: nobody else
	// has, and by the database's clock next has come.
	ClaimPeriod(ctx context.Context, tx TTx, id string, last, next time.Time) (bool, error)
}

// Jobs is what River's client does not tell, or takes too long to.
type Jobs interface {
	Counts(ctx context.Context) (map[rivertype.JobState]int, error)
	// NoteCancel keeps who cancels an unfinished job, and why, in its metadata. The first note counts.
	NoteCancel(ctx context.Context, jobID int64, note []byte) error
	StoreProgress(ctx context.Context, reports []Progress) error
	ProgressOf(ctx context.Context, jobIDs []int64) ([]Progress, error)
}

// Attempt is one attempt at a job.
type Attempt struct {
	JobID   int64
	Attempt int
}

// Progress is how far an attempt is. AttemptedAt tells attempts apart: a snoozed job's next one has the same
// number.
type Progress struct {
	JobID       int64
	AttemptedAt time.Time
	fxtasks.Progress
}

// CancelNote is the key in a job's metadata of what NoteCancel keeps.
const CancelNote = "background:cancel"
