package fxtasks

// limits is a set of tasks that is limited, counted, awaited and shut down as one: all of the
// manager's, or a group's. It is protected by the registry's mutex.
//
// A running task holds a slot until its function has returned. While it waits for other tasks it
// keeps the slot and is waiting; the others are working. waiting.go says what that allows.
type limits struct {
	maxRunning, maxPending int // never change

	counters
	betweenAttempts int // pending tasks that have had an attempt: they take no room
	slots           int // held right now
	waiting         int // of those, held by tasks that wait
	starved         int // of those, held by tasks for which nothing runs of what they wait for; in a group only those that wait for something in the group
	reserved        int // of those that wait, in a group: for nothing of it that runs

	state   State
	idle    chan struct{} // closed when nothing is active any more; nil: nobody waits for that
	stopped chan struct{} // closed when state is Stopped
}

func newLimits(maxRunning, maxPending int) limits {
	return limits{maxRunning: maxRunning, maxPending: maxPending, stopped: make(chan struct{})}
}

func (s *limits) active() int   { return s.counts.Pending + s.counts.Running }
func (s *limits) hasSlot() bool { return s.maxRunning == 0 || s.slots < s.maxRunning }
func (s *limits) working() int  { return s.slots - s.waiting }

// mayWork says whether one more task may work, and hasSpare whether one may for which no hungry
// task keeps a place.
func (s *limits) mayWork() bool  { return s.maxRunning == 0 || s.working() < s.maxRunning }
func (s *limits) hasSpare() bool { return s.maxRunning == 0 || s.working()+s.starved < s.maxRunning }

// hasUnreserved is hasSpare for who waits within a group: places of those that wait elsewhere are kept, too.
func (s *limits) hasUnreserved() bool {
	return s.maxRunning == 0 || s.working()+s.reserved < s.maxRunning
}

// hasRoom says whether one more may be pending, once freed of those that are pending have gone.
func (s *limits) hasRoom(freed int) bool {
	return s.maxPending == 0 || s.counts.Pending-s.betweenAttempts-freed < s.maxPending
}
