package main

import (
	"fmt"
	"time"

	"github.com/fxtasks/background/fxtasks"
)

// settings is all that is drawn for a round before it begins.
type settings struct {
	number int
	seed   uint64 // of the program
	length time.Duration

	config     fxtasks.Config
	groups     map[string]fxtasks.GroupConfig
	logs       bool
	middleware bool
	cleanups   bool
	watched    bool // by those who read events, lists and figures, which makes the engine keep its records up to date

	submitters  int
	crowds      int
	timekeepers int           // who make schedules
	callers     int           // who run tasks themselves
	pause       time.Duration // of a submitter, at the most
	chosenIDs   int           // one in so many tasks has one
	retries     int           // one in so many tasks has a Retry; 0: none
	delays      int           // one in so many tasks is delayed; 0: none
	stubborn    int           // tasks at a time that go on until they are let go

	stop stopping
}

// stopping is how a round ends.
type stopping struct {
	scene  scene
	drain  bool // StartDrain comes before all shutdowns, of which there are the groups' too
	groups bool // are shut down first
	rivals int  // further shutdowns at the same time
}

// groupNames are in the order in which groups are made: a map has none.
var groupNames = []string{"mail", "images", "reports"}

func draw(seed uint64, number int) settings {
	l := newLuck(seed, uint64(number))
	s := settings{
		number: number,
		seed:   seed,
		length: 50*time.Millisecond + l.upTo(pick(l, 150*time.Millisecond, 150*time.Millisecond, 400*time.Millisecond, 2*time.Second)),
		config: fxtasks.Config{
			ShutdownTimeout: pick(l, 150*time.Millisecond, 400*time.Millisecond, time.Second),
			DrainGrace:      pick(l, 0, 0, 20*time.Millisecond, 200*time.Millisecond),
			CancelTimeout:   pick(l, 5*time.Millisecond, 50*time.Millisecond, 0),
			TaskTimeout:     pick(l, 0, 0, 100*time.Millisecond),
			MaxRunning:      pick(l, 0, 0, 1, 1, 2, 4, 16),
			MaxPending:      pick(l, 0, 0, -1, 1, 8, 64),
			RetainFinished:  pick(l, 0, 0, -1, 1, 10, 100),
			RetainFor:       pick(l, 0, 0, -1, 2*time.Millisecond, 100*time.Millisecond),
		},
		groups:      make(map[string]fxtasks.GroupConfig),
		logs:        l.oneIn(2),
		middleware:  l.oneIn(3),
		cleanups:    l.oneIn(3),
		watched:     !l.oneIn(3),
		submitters:  1 + l.IntN(8),
		crowds:      l.IntN(3),
		timekeepers: pick(l, 0, 1, 3),
		callers:     pick(l, 0, 1, 4),
		pause:       pick(l, 0, 10*time.Microsecond, 200*time.Microsecond, time.Millisecond, 5*time.Millisecond),
		chosenIDs:   pick(l, 2, 5, 20),
		retries:     pick(l, 0, 2, 5),
		delays:      pick(l, 0, 4, 20),
		stubborn:    pick(l, 1, 3, 20),
		stop:        stopping{scene: pick(l, storm, siege, calm), groups: l.oneIn(3), rivals: pick(l, 0, 0, 1, 3), drain: l.oneIn(3)},
	}
	for _, name := range groupNames[:l.IntN(len(groupNames)+1)] {
		s.groups[name] = fxtasks.GroupConfig{
			MaxRunning:  pick(l, 0, 1, 2, 8),
			MaxPending:  pick(l, 0, 0, -1, 1, 16),
			TaskTimeout: pick(l, 0, -1, 50*time.Millisecond),
			DrainGrace:  pick(l, 0, -1, 50*time.Millisecond),
		}
	}
	return s
}

// String says what helps to repeat the round.
func (s settings) String() string {
	return fmt.Sprintf("round %d of seed %d, for %v: config %+v, groups %+v, logs %v, middleware %v, cleanups %v, watched %v, "+
		"%d submitters that pause up to %v, %d crowds, %d timekeepers, %d callers of Run, one in %d tasks with a chosen ID, one in %d with a Retry, one in %d with a delay, %d stubborn, stop %+v",
		s.number, s.seed, s.length, s.config, s.groups, s.logs, s.middleware, s.cleanups, s.watched,
		s.submitters, s.pause, s.crowds, s.timekeepers, s.callers, s.chosenIDs, s.retries, s.delays, s.stubborn, s.stop)
}

// limits is how many tasks of a scope may run and wait.
type limits struct {
	running, pending int // 0: no limit; pending negative: none
}

// limits gives those that apply to the tasks of a group, or of none, when nothing else is active.
func (s settings) limits(group string) limits {
	l := limits{s.config.MaxRunning, s.config.MaxPending}
	if g, ok := s.groups[group]; ok {
		l.running = tighter(l.running, g.MaxRunning)
		l.pending = tighter(max(l.pending, -1), max(g.MaxPending, -1))
	}
	return l
}

// tighter gives the limit that binds, where 0 is none.
func tighter(a, b int) int {
	if a == 0 || b == 0 {
		return a + b
	}
	return min(a, b)
}

// durations gives the timeout and the drain grace of a group's tasks, or of none, that have none of
// their own.
func (s settings) durations(group string) (timeout, grace time.Duration) {
	timeout, grace = s.config.TaskTimeout, s.config.DrainGrace
	if g, ok := s.groups[group]; ok {
		if g.TaskTimeout != 0 {
			timeout = max(0, g.TaskTimeout)
		}
		if g.DrainGrace != 0 {
			grace = max(0, g.DrainGrace)
		}
	}
	return timeout, grace
}
