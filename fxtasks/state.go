package fxtasks

import "fmt"

// State says whether a Manager or a Group takes tasks. It only moves forward.
type State uint8

const (
	Open     State = iota // takes tasks
	Draining              // StartDrain or Shutdown has begun: what is active is ending
	Stopped               // Shutdown is over: nothing runs but tasks that would not stop
)

var stateNames = [...]string{"open", "draining", "stopped"}

// String returns "open", "draining" or "stopped".
func (s State) String() string {
	if int(s) < len(stateNames) {
		return stateNames[s]
	}
	return fmt.Sprintf("State(%d)", uint8(s))
}
