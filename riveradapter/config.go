package riveradapter

import (
	"time"

	"github.com/riverqueue/river"
)

// Config configures a replica: the part of one process in the work on the database's jobs. The zero value
// works the queue "default". Supply it by value; the database's module takes it from the graph.
type Config struct {
	// Queues are what this process works, and how many jobs of each at once. An empty map that is not nil
	// makes it one that inserts only.
	//
	// Defaults to {"default": {MaxWorkers: 100}}.
	Queues map[string]river.QueueConfig

	// DrainGrace is how long jobs may go on after the application's stop has begun.
	//
	// Defaults to the manager's; negative: none.
	DrainGrace time.Duration

	// Migrate says what happens to the tables when the application starts.
	//
	// Defaults to Auto.
	Migrate Migrate

	// Instance is the replica's name, which is shown with the jobs that it runs. Two replicas may have the
	// same: River's client ID is this and a random suffix, new at each start. At most 64 bytes.
	//
	// Defaults to the host's name.
	Instance string

	// Heartbeat is how often the replica proves that it is alive and compares what it runs with what the
	// database says that it runs. On PostgreSQL a replica is dead for the others after six of them without a
	// proof, and cancels its own jobs after four. At least 100 ms.
	//
	// Defaults to 5 seconds.
	Heartbeat time.Duration

	// Configure may change River's own settings, Schema too, before the client is made. ID, Queues, Workers,
	// SoftStopTimeout and the middleware that is there belong to this package: an error of fx.New says so.
	Configure func(*river.Config)
}

// Migrate says what happens to the tables of River, and to the three of this package, at start.
type Migrate uint8

const (
	// Auto brings them up to date before the application starts. Any number of replicas may start at once.
	Auto Migrate = iota
	// Check makes it an error of the start if they are not.
	Check
	// Off leaves them alone, unseen.
	Off
)

// String gives "auto", "check" or "off".
func (m Migrate) String() string {
	switch m {
	case Auto:
		return "auto"
	case Check:
		return "check"
	case Off:
		return "off"
	}
	return "unknown"
}
