package fxtasks

import "time"

// Config bounds a Manager. The zero value is ready to use. Durations and sizes that are negative
// where the field does not give that a meaning are an error from New.
type Config struct {
	// ShutdownTimeout is the budget of all of Shutdown.
	//
	// Defaults to 10 seconds.
	ShutdownTimeout time.Duration

	// StopReserve is how much of an Fx application's stop timeout is left to the stop hooks
	// that come after the drain, such as the one that closes the database. The engine itself
	// uses it only to bound the log: Shutdown waits for its own lines for at most half of it.
	//
	// Defaults to 500 milliseconds; negative: none.
	StopReserve time.Duration

	// DrainGrace is how long tasks may go on after Shutdown begins before they are cancelled.
	// It ends at the latest when a tenth of the shutdown's budget is left.
	//
	// Defaults to 0: Shutdown cancels at once.
	DrainGrace time.Duration

	// CancelTimeout is how long Manager.Cancel and CancelAll wait for tasks to return.
	//
	// Defaults to 5 seconds.
	CancelTimeout time.Duration

	// TaskTimeout is how long a task may run, unless it was submitted with WithTimeout.
	//
	// Defaults to 0: no limit.
	TaskTimeout time.Duration

	// MaxRunning is how many tasks may run at once.
	//
	// Defaults to 0: no limit.
	MaxRunning int

	// MaxPending is how many tasks may be pending: queued, or delayed by WithDelay. Tasks between two
	// attempts do not count.
	//
	// Defaults to 0: no limit. Negative: none may wait.
	MaxPending int

	// RetainFinished is how many records of finished tasks are kept; the oldest go first.
	//
	// Defaults to 1,000; negative: none are kept.
	RetainFinished int

	// RetainFor is how long the record of a finished task is kept.
	//
	// Defaults to 1 hour; negative: none are kept.
	RetainFor time.Duration
}

// GroupConfig bounds a Group, on top of what bounds its Manager.
type GroupConfig struct {
	MaxRunning  int           // how many of its tasks may run at once; 0: adds no limit
	MaxPending  int           // how many of its tasks may wait; 0: adds no limit; negative: none may
	TaskTimeout time.Duration // 0: the manager's; negative: none
	DrainGrace  time.Duration // 0: the manager's; negative: none
}

func (c Config) withDefaults() Config {
	setDefault(&c.ShutdownTimeout, 10*time.Second)
	setDefault(&c.StopReserve, 500*time.Millisecond)
	setDefault(&c.CancelTimeout, 5*time.Second)
	setDefault(&c.RetainFinished, 1000)
	setDefault(&c.RetainFor, time.Hour)
	return c
}

func setDefault[T comparable](field *T, value T) {
	var zero T
	if *field == zero {
		*field = value
	}
}

func (c Config) validate() error {
	for _, d := range []struct {
		field string
		value time.Duration
	}{
		{"ShutdownTimeout", c.ShutdownTimeout},
		{"DrainGrace", c.DrainGrace},
		{"CancelTimeout", c.CancelTimeout},
		{"TaskTimeout", c.TaskTimeout},
	} {
		if d.value < 0 {
			return invalid("Config.%s is %v: must not be negative", d.field, d.value)
		}
	}
	if c.MaxRunning < 0 {
		return invalid("Config.MaxRunning is %d: must not be negative", c.MaxRunning)
	}
	return nil
}

func (c GroupConfig) validate() error {
	if c.MaxRunning < 0 {
		return invalid("GroupConfig.MaxRunning is %d: must not be negative", c.MaxRunning)
	}
	return nil
}

// withManager fills in the durations that c leaves to the manager.
func (c GroupConfig) withManager(m Config) GroupConfig {
	setDefault(&c.TaskTimeout, m.TaskTimeout)
	setDefault(&c.DrainGrace, m.DrainGrace)
	return c
}
