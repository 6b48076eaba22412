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

func (a *actor) chance(n int) bool { return a.rng.IntN(n) == 0 }

// act is the function of the task.
func (a *actor) act(ctx context.Context) error {
	p := a.p
	p.mu.Lock()
	a.running = true
	a.attempts++
	again := a.fails && a.attempts == 1
	p.mu.Unlock()
	var background sync.WaitGroup
	defer func() {
		background.Wait()
		p.mu.Lock()
		a.running = false
		p.mu.Unlock()
	}()
	if again {
		a.work()
		return errModel
	}
	steps := []func(){a.work, a.work, func() { a.spawn(ctx, a.lock) }, func() { a.spawn(ctx, a.lock) }, func() { a.await(ctx) }, func() { a.awaitAll(ctx) }}
	add := func(may bool, step func()) {
		if may {
			steps = append(steps, step, step)
		}
	}
	add(p.may.share, func() { a.awaitAny(ctx) })
	add(p.may.background, func() { background.Go(a.waitFor(ctx, a.child())); a.work() })
	add(p.may.awaitGroup, func() { a.awaitGroup(ctx) })
	add(p.may.closeGroup && a.chance(4), func() { a.closeGroup(ctx) })
	add(p.may.lock && a.lock < len(p.locks), func() { a.holdLock(ctx, a.lock) })
	add(p.may.cancel, func() {
		if other := p.anyActor(a.rng); other != nil {
			other.task.Cancel(nil)
		}
	})
	for range 1 + a.rng.IntN(5) {
		steps[a.rng.IntN(len(steps))]()
	}
	return nil
}

// work is what no more actors than the limit may do at once.
func (a *actor) work() {
	a.p.beginWork(a)
	time.Sleep(time.Duration(1+a.rng.IntN(4)) * programTick)
	a.p.endWork(a)
}

func (a *actor) spawn(ctx context.Context, lock int) {
	p, group := a.p, a.group
	if p.may.leave {
		group = a.rng.IntN(len(p.groups))
		if p.may.lock && p.limits[group].MaxRunning > 0 {
			group = a.group // of its own group or of one without a limit
		}
	}
	ctx, cancel := a.mayEnd(ctx)
	defer cancel()
	p.submit(ctx, a, p.newActor(a.rng, group, lock))
}

// child gives a child that was not waited for yet.
func (a *actor) child() *actor {
	if len(a.children) == 0 {
		return nil
	}
	i := a.rng.IntN(len(a.children))
	c := a.children[i]
	a.children = append(a.children[:i:i], a.children[i+1:]...)
	return c
}

func (a *actor) await(ctx context.Context) { a.waitFor(ctx, a.child())() }

// awaitAll waits for all children at once, as an errgroup would.
func (a *actor) awaitAll(ctx context.Context) {
	var all sync.WaitGroup
	for _, c := range a.children {
		all.Go(a.waitFor(ctx, c))
	}
	a.children = nil
	all.Wait()
}

func (a *actor) awaitAny(ctx context.Context) { a.waitFor(ctx, a.p.anyActor(a.rng))() }

// waitFor gives the wait for another, which any goroutine may do.
func (a *actor) waitFor(ctx context.Context, other *actor) func() {
	if other == nil {
		return func() {}
	}
	ctx, cancel := a.mayEnd(ctx)
	return func() {
		defer cancel()
		err := a.waits(ctx, call{target: other, group: other.group}, other.task.Wait)
		if errors.Is(err, fxtasks.ErrInvalid) && !a.p.may.share && !a.p.may.awaitGroup && !a.p.may.closeGroup && !a.p.may.replace {
			a.p.errorf("%s waited for its child and got %v", a.name, err)
		}
	}
}

func (a *actor) awaitGroup(ctx context.Context) {
	i := 1 + a.rng.IntN(len(a.p.groups)-1)
	ctx, cancel := a.mayEnd(ctx)
	defer cancel()
	_ = a.waits(ctx, call{group: i}, a.p.groups[i].Wait)
}

func (a *actor) closeGroup(ctx context.Context) {
	i := 1 + a.rng.IntN(len(a.p.groups)-1)
	_ = a.waits(ctx, call{group: i}, func(ctx context.Context) error {
		_, err := a.p.groups[i].Shutdown(ctx)
		return err
	})
}

// holdLock waits for children while it holds a lock, which those and theirs do not want.
func (a *actor) holdLock(ctx context.Context, from int) {
	i := from + a.rng.IntN(len(a.p.locks)-from)
	select {
	case a.p.locks[i] <- struct{}{}:
	case <-a.p.abort:
		return
	}
	defer func() { <-a.p.locks[i] }()
	outer := a.children
	a.children = nil
	for range 1 + a.rng.IntN(2) {
		a.spawn(ctx, i+1)
	}
	if a.chance(2) {
		a.work()
	}
	if i+1 < len(a.p.locks) && a.chance(2) {
		a.holdLock(ctx, i+1)
	}
	if a.chance(2) {
		a.await(ctx)
	}
	a.awaitAll(ctx)
	a.children = outer
}

// mayEnd gives a context that ends soon, if contexts may.
func (a *actor) mayEnd(ctx context.Context) (context.Context, context.CancelFunc) {
	if !a.p.may.giveUp || !a.chance(2) {
		return ctx, func() {}
	}
	return context.WithTimeout(ctx, time.Duration(a.rng.IntN(8))*programTick)
}

// waits makes a call in which a waits. A nil actor is a plain goroutine.
func (a *actor) waits(ctx context.Context, c call, do func(context.Context) error) error {
	if a == nil {
		return do(ctx)
	}
	c.ctx = ctx
	p := a.p
	p.mu.Lock()
	a.calls[&c] = struct{}{}
	if c.target != nil {
		c.target.awaited = true
	}
	p.mu.Unlock()
	defer func() {
		p.mu.Lock()
		delete(a.calls, &c)
		p.mu.Unlock()
	}()
	return do(ctx)
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
