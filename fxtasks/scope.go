package fxtasks

// scope is a set of tasks that is limited, counted, awaited and shut down as one: all the
// manager's, or a group's. It is protected by the registry's mutex.
type scope struct {
	maxRunning, maxPending int // never change

	tally
	slots   int           // held right now
	state   State         // changed only by drain
	idle    chan struct{} // closed when nothing is active any more; nil unless the scope is in awaited
	stopped chan struct{} // closed when state is Stopped
}

func newScope(maxRunning, maxPending int) scope {
	return scope{maxRunning: maxRunning, maxPending: maxPending, stopped: make(chan struct{})}
}

func (s *scope) active() int   { return s.counts.Pending + s.counts.Running }
func (s *scope) hasSlot() bool { return s.maxRunning == 0 || s.slots < s.maxRunning }

// hasRoom says whether one more may wait, once freed of those that wait are gone.
func (s *scope) hasRoom(freed int) bool {
	return s.maxPending == 0 || s.counts.Pending-freed < s.maxPending
}
