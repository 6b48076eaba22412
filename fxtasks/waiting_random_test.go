package fxtasks_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fxtasks/background/fxtasks"
)

// TestRandomProgramsOfTasksThatWait runs random programs of tasks that wait for each other in all ways, at
// limits of 1 to 3. None of them may hang, and after each millisecond the manager must agree with a recount;
// see waiting_recount_test.go for what else is checked.
//
//	FXTASKS_PROGRAMS=20000 FXTASKS_FIRST=1 go test -run RandomPrograms ./fxtasks
//
// runs that many of them, the first of that number. The number of a program tells all about it but the order
// in which goroutines come.
func TestRandomProgramsOfTasksThatWait(t *testing.T) {
	first := numberOr("FXTASKS_FIRST", 1)
	met := make(map[string]int)
	for n := first; n < first+numberOr("FXTASKS_PROGRAMS", 200); n++ {
		synctest.Test(t, func(t *testing.T) { newProgram(t, n, met).run() })
		if t.Failed() {
			return
		}
	}
	t.Logf("the programs met %v", met)
}

// numberOr returns the number in an environment variable, or another one.
func numberOr(variable string, otherwise int) int {
	if n, err := strconv.Atoi(os.Getenv(variable)); err == nil {
		return n
	}
	return otherwise
}

// program is tasks that take random steps. What they may do is drawn first, since what is promised depends on it.
type program struct {
	t      *testing.T
	number int
	rng    *rand.Rand
	met    map[string]int

	may struct {
		giveUp     bool // waits have contexts of their own, which end
		cancel     bool // tasks cancel tasks, and some have a timeout
		block      bool // submits wait for room
		share      bool // tasks wait for tasks of others
		background bool // a task works while a goroutine of it waits
		awaitGroup bool
		closeGroup bool
		replace    bool // tasks have IDs, which are replaced and joined
		retry      bool // attempts fail, and tasks are delayed
		run        bool // some tasks take no slot
		lock       bool // locks are held over waits
		leave      bool // children go into other groups than their parents
		shutDown   bool
	}
	cfg    fxtasks.Config
	m      *fxtasks.Manager
	groups []*fxtasks.Group // the first is nil: tasks of no group
	limits []fxtasks.GroupConfig
	locks  []chan struct{}
	abort  chan struct{} // closed after a hang

	mu      sync.Mutex
	left    int // tasks that may still be submitted
	actors  []*actor
	working []int // now, by group
	failed  atomic.Bool
}

// actor is a task of a program, and what the program knows about it.
type actor struct {
	p        *program
	rng      *rand.Rand
	name     string
	group    int
	lock     int // it may take only locks from this one on
	chosenID bool
	fails    bool // its first attempt
	outside  bool // it is run by Run

	task     *fxtasks.Task // nil until its submit has returned
	children []*actor

	// Protected by the program's mutex.
	running  bool
	attempts int
	awaited  bool // at any time
	calls    map[*call]struct{}
}

// call is one in which an actor waits.
type call struct {
	ctx    context.Context
	target *actor // nil: for a group, or for room in its queue
	group  int
	room   bool
}

const programTick = time.Millisecond

func newProgram(t *testing.T, number int, met map[string]int) *program {
	p := &program{
		t: t, number: number, met: met, rng: rand.New(rand.NewPCG(uint64(number), 8)),
		left: 40, abort: make(chan struct{}), groups: []*fxtasks.Group{nil}, limits: []fxtasks.GroupConfig{{}},
	}
	if p.chance(3) {
		p.may.lock, p.may.leave, p.may.retry = true, p.chance(2), p.chance(4)
		p.locks = []chan struct{}{make(chan struct{}, 1), make(chan struct{}, 1)}
	} else {
		for _, may := range []*bool{
			&p.may.giveUp, &p.may.cancel, &p.may.block, &p.may.share, &p.may.background, &p.may.awaitGroup,
			&p.may.closeGroup, &p.may.replace, &p.may.retry, &p.may.run, &p.may.leave, &p.may.leave,
		} {
			*may = *may || p.chance(4)
		}
	}
	p.may.shutDown = !p.may.lock && p.chance(5)
	maxPending := func() int {
		if p.may.block {
			return []int{0, 1, 2, -1}[p.rng.IntN(4)]
		}
		return 0
	}
	p.cfg = fxtasks.Config{
		MaxRunning: 1 + p.rng.IntN(3), MaxPending: maxPending(),
		ShutdownTimeout: 300 * programTick, // by then the cycles are over that go over Group.Shutdown
		DrainGrace:      []time.Duration{0, 20 * programTick, time.Hour}[p.rng.IntN(3)],
	}
	if p.chance(4) {
		p.cfg.MaxRunning = 0
	}
	p.m = newManager(t, p.cfg)
	for i := range 2 {
		cfg := fxtasks.GroupConfig{MaxRunning: p.rng.IntN(3), MaxPending: maxPending()}
		p.groups = append(p.groups, newGroup(t, p.m, string(rune('a'+i)), cfg))
		p.limits = append(p.limits, cfg)
	}
	p.working = make([]int, len(p.groups))
	return p
}

// chance is true once in n.
func (p *program) chance(n int) bool { return p.rng.IntN(n) == 0 }

func (p *program) String() string {
	return fmt.Sprintf("program %d, may %+v, manager %d/%d, groups %+v", p.number, p.may, p.cfg.MaxRunning, p.cfg.MaxPending, p.limits[1:])
}

// run takes the roots in, and then looks after each tick until nothing is active.
func (p *program) run() {
	events := p.m.Subscribe(0)
	shutDownAt := -1
	if p.may.shutDown {
		shutDownAt = p.rng.IntN(40)
	}
	roots := make(chan struct{})
	go func() {
		defer close(roots)
		var all sync.WaitGroup
		defer all.Wait()
		for range 2 + p.rng.IntN(6) {
			root := p.newActor(p.rng, p.rng.IntN(len(p.groups)), 0)
			all.Go(func() { p.submit(context.Background(), nil, root) })
			if p.chance(2) {
				time.Sleep(time.Duration(1+p.rng.IntN(4)) * programTick)
			}
		}
	}()
	time.Sleep(programTick / 2) // to look between the steps
	isOver := func() bool {
		select {
		case <-roots:
			s := p.m.Stats()
			return s.Pending+s.Running == 0
		default:
			return false
		}
	}
	for tick := 0; !isOver(); tick++ {
		if tick == shutDownAt {
			go func() { _, _ = p.m.Shutdown(context.Background()) }()
		}
		time.Sleep(programTick)
		synctest.Wait()
		p.recount()
		if tick > 4000 {
			p.errorf("hangs: %s", p.state())
		}
		if p.failed.Load() {
			close(p.abort)
			_, _ = p.m.Shutdown(context.Background())
			break
		}
	}
	<-roots
	if !p.failed.Load() {
		p.checkTurns(events)
	}
}

func (p *program) newActor(rng *rand.Rand, group, lock int) *actor {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.left == 0 {
		return nil
	}
	p.left--
	a := &actor{
		p: p, rng: rand.New(rand.NewPCG(rng.Uint64(), 8)), name: fmt.Sprint("actor ", len(p.actors)),
		group: group, lock: lock, calls: make(map[*call]struct{}),
	}
	a.fails = p.may.retry && a.chance(3)
	a.outside = p.may.run && a.chance(4)
	p.actors = append(p.actors, a)
	return a
}

// submit submits a, by the actor by, or by none.
func (p *program) submit(ctx context.Context, by, a *actor) {
	if a == nil {
		return
	}
	var s interface {
		fxtasks.Submitter
		Run(context.Context, string, fxtasks.Func, ...fxtasks.TaskOption) error
	} = p.m
	if g := p.groups[a.group]; g != nil {
		s = g
	}
	if a.outside && by == nil {
		_ = s.Run(ctx, a.name, a.act)
		return
	}
	a.outside = false
	var opts []fxtasks.TaskOption
	if p.may.replace && a.chance(2) {
		a.chosenID = true
		opts = append(opts, fxtasks.WithID([]string{"x", "y"}[a.rng.IntN(2)]), fxtasks.WithDuplicate(fxtasks.DuplicatePolicy(a.rng.IntN(3))))
	}
	if p.may.cancel && a.chance(4) {
		opts = append(opts, fxtasks.WithTimeout(time.Duration(1+a.rng.IntN(10))*programTick))
	}
	if a.fails {
		opts = append(opts, fxtasks.WithRetry(fxtasks.Retry{MaxAttempts: 2, Delay: fxtasks.Backoff(0, 0)}))
	}
	if p.may.retry && a.chance(4) {
		opts = append(opts, fxtasks.WithDelay(time.Duration(1+a.rng.IntN(4))*programTick))
	}
	blocks := p.may.block && (by == nil || a.chance(2))
	submit := func(ctx context.Context) error {
		task, err := s.Submit(ctx, a.name, a.act, opts...)
		p.mu.Lock()
		defer p.mu.Unlock()
		for _, other := range p.actors {
			if err == nil && other.name == task.Name() { // another one, if it was joined
				if a = other; a.task == nil {
					a.task = task
				}
			}
		}
		return err
	}
	var err error
	if blocks {
		opts = append(opts, fxtasks.WithBlocking())
		err = by.waits(ctx, call{group: a.group, room: true}, submit)
	} else {
		err = submit(ctx)
	}
	if by != nil && err == nil {
		by.children = append(by.children, a)
	}
	for _, expected := range []error{
		fxtasks.ErrQueueFull, fxtasks.ErrDuplicateID, fxtasks.ErrShuttingDown, fxtasks.ErrInvalid, context.Canceled, context.DeadlineExceeded,
	} {
		if errors.Is(err, expected) {
			err = nil
		}
	}
	if err != nil {
		p.errorf("Submit gave %v", err)
	}
}

// anyActor gives one that was submitted.
func (p *program) anyActor(rng *rand.Rand) *actor {
	p.mu.Lock()
	defer p.mu.Unlock()
	var known []*actor
	for _, a := range p.actors {
		if a.task != nil {
			known = append(known, a)
		}
	}
	if len(known) == 0 {
		return nil
	}
	return known[rng.IntN(len(known))]
}
