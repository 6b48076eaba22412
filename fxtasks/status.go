package fxtasks

import "fmt"

// Status is where a task is in its life.
//
//	pending ──► running ──► completed     fn returned nil, whatever was requested meanwhile
//	 │  ▲          ├──────► failed        fn returned an error, panicked or called runtime.Goexit
//	 │  │          ├──────► cancelled     fn returned an error after it was asked to stop
//	 │  │          ├──────► timed_out     fn returned an error after its timeout
//	 │  └──────────┘                      such a failure or timeout, and WithRetry allows another attempt
//	 └────────────────────► cancelled     before it started, or between two attempts
type Status uint8

// The statuses of a task.
const (
	Pending Status = iota
	Running
	Completed
	Failed
	Cancelled
	TimedOut
)

var statusNames = [...]string{"pending", "running", "completed", "failed", "cancelled", "timed_out"}

// Finished reports whether s is one of the four statuses that a task never leaves.
func (s Status) Finished() bool { return s >= Completed && s <= TimedOut }

// String gives "pending", "running", "completed", "failed", "cancelled" or "timed_out".
func (s Status) String() string {
	if int(s) < len(statusNames) {
		return statusNames[s]
	}
	return fmt.Sprintf("Status(%d)", uint8(s))
}

// MarshalText gives what String does; an unknown status is an error that matches ErrInvalid.
func (s Status) MarshalText() ([]byte, error) {
	if int(s) >= len(statusNames) {
		return nil, invalid("status %d", uint8(s))
	}
	return []byte(s.String()), nil
}

// UnmarshalText reads what MarshalText writes; anything else is an error that matches ErrInvalid.
func (s *Status) UnmarshalText(text []byte) error {
	for i, name := range statusNames {
		if name == string(text) {
			*s = Status(i)
			return nil
		}
	}
	return invalid("status %q: want one of %v", text, statusNames)
}

// DuplicatePolicy says what Submit does with a chosen ID that another task has; see WithDuplicate.
type DuplicatePolicy uint8

const (
	// Reject gives ErrDuplicateID while the ID's task is active. This is the default.
	Reject DuplicatePolicy = iota
	// Join returns the task that has the ID, also a finished one that is still retained, and
	// drops the new function.
	Join
	// Replace cancels the task that has the ID with ErrReplaced. The new task stays pending
	// until the old one has really returned.
	Replace
)

var policyNames = [...]string{"reject", "join", "replace"}

// String gives "reject", "join" or "replace".
func (p DuplicatePolicy) String() string {
	if int(p) < len(policyNames) {
		return policyNames[p]
	}
	return fmt.Sprintf("DuplicatePolicy(%d)", uint8(p))
}

// State is where a Manager is in its life. It only moves forward.
type State uint8

const (
	Open     State = iota // takes tasks
	Draining              // StartDrain or Shutdown has begun: what is active is ending
	Stopped               // Shutdown is over: nothing runs but tasks that would not stop
)

var stateNames = [...]string{"open", "draining", "stopped"}

// String gives "open", "draining" or "stopped".
func (s State) String() string {
	if int(s) < len(stateNames) {
		return stateNames[s]
	}
	return fmt.Sprintf("State(%d)", uint8(s))
}
