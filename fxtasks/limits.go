package fxtasks

// limits are those of a set of tasks, all of the manager's or a group's, with what counts against them and
// the state of the set. They are protected by the registry's mutex.
//
// A running task holds a slot until its function has returned. While it waits for other tasks it
// keeps the slot and is waiting; the others are working. waiting.go says what that allows.
type limits struct {
	maxRunning, maxPending int // never change

	counters
	betweenAttempts int // pending tasks that have had an attempt; maxPending does not bound them
	slots           int // held right now
	waiting         int // of the slots, held by tasks that wait
	starved         int // of the waiting, those for which nothing runs of what they wait for; in a group only those that wait for something in it
	reserved        int // in a group: of the waiting, those for which nothing of the group runs that they wait for

	atDrain Counts // counters as they were when the clock of the drain began

	state   State
	idle    chan struct{} // closed when nothing is active any more; nil: nobody waits for that
	stopped chan struct{} // closed when state is Stopped
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

// hasUnreserved is hasSpare for what is awaited within the group: it leaves alone also the places of tasks
// that wait for something elsewhere.
func (l *limits) hasUnreserved() bool {
	return l.maxRunning == 0 || l.working()+l.reserved < l.maxRunning
}

// hasRoom reports whether one more task may be pending when freed pending tasks have left.
func (l *limits) hasRoom(freed int) bool {
	return l.maxPending == 0 || l.counts.Pending-l.betweenAttempts-freed < l.maxPending
}
