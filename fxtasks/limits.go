package fxtasks

// limits has the limits of a set of tasks (all of the manager's, or those of a group), the counters that are
// compared with them, and the state of the set. It is protected by the registry's mutex.
//
// A running task holds a slot until its function has returned. While it waits for other tasks it
// keeps the slot and is waiting; the others are working. waiting.go says what that allows.
type limits struct {
	maxRunning, maxPending int // never change

	counters
	betweenAttempts int // pending tasks that have had an attempt; maxPending does not bound them
	slots           int // how many are held now

	// Of the tasks that hold a slot:
	waiting  int // those that wait
	starved  int // those that wait while nothing of what they wait for runs; a group counts those that wait for something in it
	reserved int // only of a group: those that wait while nothing in the group runs of what they wait for

	atDrain Counts // counters as they were when the clock of the drain began

	state   State
	idle    chan struct{} // closed when nothing is active any more; nil: nobody waits for that
	stopped chan struct{} // closed when state becomes Stopped
}

func newLimits(maxRunning, maxPending int) limits {
	return limits{maxRunning: maxRunning, maxPending: maxPending, stopped: make(chan struct{})}
}

func (l *limits) active() int   { return l.counts.Pending + l.counts.Running }
func (l *limits) hasSlot() bool { return l.maxRunning == 0 || l.slots < l.maxRunning }
func (l *limits) working() int  { return l.slots - l.waiting }

// mayWork reports whether one more task may work. hasSpare reports whether one more may without taking a place
// that is reserved for what a starved task waits for.
func (l *limits) mayWork() bool  { return l.maxRunning == 0 || l.working() < l.maxRunning }
func (l *limits) hasSpare() bool { return l.maxRunning == 0 || l.working()+l.starved < l.maxRunning }

// hasUnreserved is hasSpare for a task that is awaited within its own group. It also leaves free the places of
// tasks that wait for something elsewhere.
func (l *limits) hasUnreserved() bool {
	return l.maxRunning == 0 || l.working()+l.reserved < l.maxRunning
}

// hasRoom reports whether one more task may be pending when freed pending tasks have left.
func (l *limits) hasRoom(freed int) bool {
	return l.maxPending == 0 || l.counts.Pending-l.betweenAttempts-freed < l.maxPending
}
