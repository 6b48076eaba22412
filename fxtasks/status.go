package fxtasks

import "fmt"

// Status is what a task is doing, or how it ended.
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

// String returns "pending", "running", "completed", "failed", "cancelled" or "timed_out".
func (s Status) String() string {
	if int(s) < len(statusNames) {
		return statusNames[s]
	}
	return fmt.Sprintf("Status(%d)", uint8(s))
}

// MarshalText returns what String does; an unknown status is an error that matches ErrInvalid.
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
