package fxtasks_test

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"github.com/fxtasks/background/fxtasks"
)

// TestManagerFollowsItsModel takes random steps with a manager and with a simple model of what the
// contract says of it, and compares the two after each.
//
//	model_test.go         the state of the model, and the list of steps
//	model_task_test.go    a task of the model, and its function
//	model_rules_test.go   what the contract says: limits, order, duplicates, ends, records
//	model_attempt_test.go how attempts end, and what they leave
//	model_retry_test.go   whether another follows, and when
//	model_calls_test.go   calls that wait
//	model_drain_test.go   the one clock of StartDrain and the shutdowns
//	model_…_test.go       the steps
//	model_check_test.go   the comparison, with that of model_stats_test.go and model_history_test.go
//
// -rapid.checks and -rapid.steps make it take more steps.
func TestManagerFollowsItsModel(t *testing.T) {
	steps, met := 0, make(map[string]int)
	// Some several times: only without limits do tasks of the model wait for others, and only under limits do submits wait
	// for room. Both are rare.
	for _, limits := range []modelLimits{{}, {}, {}, {manager: true}, {manager: true}, {groups: true}, {manager: true, groups: true}} {
		rapid.Check(t, func(rt *rapid.T) {
			rapid.SyncTest(rt, func(rt *rapid.T) {
				md := newModel(rt, limits)
				defer md.close()
				md.met = met
				rt.Repeat(map[string]func(*rapid.T){"": md.check, "step": func(rt *rapid.T) {
					steps++
					names := modelStepNames
					switch {
					case md.all.closed:
						names = modelLastSteps
					case md.drain != nil:
						names = modelDrainSteps
					}
					modelSteps[rapid.SampledFrom(names).Draw(rt, "step")](md, rt)
				}})
				md.checkHistory(rt)
			})
		})
	}
	t.Logf("%d steps, which met %v", steps, met)
	for _, what := range modelSituations {
		if met[what] == 0 && !testing.Short() {
			t.Errorf("the steps were not random enough: they never met %q", what)
		}
	}
}

// modelLimits says which limits a manager may have.
type modelLimits struct{ manager, groups bool }

var modelSteps = map[string]func(*model, *rapid.T){
	"submit":            (*model).stepSubmit,
	"submit nonsense":   (*model).stepSubmitNonsense,
	"run":               (*model).stepRun,
	"make a group":      (*model).stepGroup,
	"schedule":          (*model).stepSchedule,
	"trigger":           (*model).stepTrigger,
	"stop":              (*model).stepStop,
	"finish":            (*model).stepFinish,
	"report progress":   (*model).stepProgress,
	"wait for a task":   (*model).stepWait,
	"wait for all":      (*model).stepWaitIdle,
	"cancel":            (*model).stepCancel,
	"cancel by ID":      (*model).stepCancelByID,
	"cancel all":        (*model).stepCancelAll,
	"end a context":     (*model).stepEndContext,
	"time passes":       (*model).stepTime,
	"list":              (*model).stepList,
	"clean up":          (*model).stepCleanup,
	"subscribe":         (*model).stepSubscribe,
	"read events":       (*model).stepRead,
	"wait for an event": (*model).stepNext,
	"start the drain":   (*model).stepStartDrain,
	"shut down":         (*model).stepShutdown,
}

// modelStepNames are the steps while the manager is open. Earlier ones are drawn more often, so those that lead to
// the most states come first.
var modelStepNames = []string{
	"submit", "submit", "finish", "submit", "time passes", "wait for a task", "shut down", "finish",
	"run", "cancel by ID", "end a context", "list", "wait for all", "cancel", "wait for an event", "report progress",
	"shut down", "subscribe", "read events", "report progress", "clean up", "cancel all", "schedule", "trigger", "start the drain", "stop", "submit nonsense", "make a group",
}

// modelDrainSteps are for a drain, until the manager shuts down.
var modelDrainSteps = []string{
	"submit", "submit", "finish", "time passes", "shut down", "run", "wait for a task", "shut down", "end a context", "cancel",
	"cancel by ID", "wait for all", "wait for an event", "report progress", "cancel all", "list", "start the drain", "subscribe", "read events",
	"clean up", "make a group", "schedule", "trigger", "submit nonsense",
}

// modelLastSteps are for when the manager has begun to shut down.
var modelLastSteps = []string{
	"finish", "shut down", "time passes", "wait for an event", "subscribe", "read events", "end a context", "wait for a task",
	"cancel", "cancel by ID", "cancel all", "wait for all", "report progress", "list", "start the drain", "clean up", "submit", "make a group", "run", "schedule", "trigger",
}

// modelSituations are what the random steps must meet at least once: otherwise the test would not cover them.
var modelSituations = []string{
	"a submit waits for room", "a submit that waited is taken in", "a submit gives up", "a submit that waited is refused",
	"a task waits",
	"a task waits for the one it replaces", "a task waits for itself", "a task is joined",
	"a pending task starts while draining", "a grace ends", "a shutdown gives up", "CancelTimeout passes",
	"a task is tried a third time", "a task is cancelled between attempts", "a shutdown ends a task between attempts", "a failure while draining is the last",
	"a delayed task starts", "a delayed task is cancelled",
	"a run begins", "a run is skipped", "a task runs another", "a context ends what was run with it",
	"a drain is started", "a drain is started once more", "a task is submitted during a drain", "a submit during a drain is refused",
	"a submit that waits is refused when its grace ends",
	"a group is shut down during a drain", "the manager is shut down during a drain", "a shutdown has less time than the drain that it is part of",
}

// model is what the contract says of a manager.
type model struct {
	m         *fxtasks.Manager
	began     time.Time
	cfg       fxtasks.Config
	all       *modelScope   // the manager itself
	scopes    []*modelScope // all, and the groups
	tasks     []*modelTask  // those that were accepted, by Seq
	ended     []*modelTask  // those of them that have finished and have a record, in that order
	refused   []refusal
	calls     []*modelCall // those that have not returned, in order
	schedules []*modelSchedule
	drains    []*modelDrain
	drain     *modelDrain // of drains, the one that began that of all tasks: that of StartDrain, or of Manager.Shutdown
	readers   []*modelReader
	events    int // how many there were
	turns     int // how many turns pending tasks were given
	delays    int // how many delays were drawn

	log     *fxtasks.Subscription // has read all events that were checked
	logged  []modelEvent          // the events that log has read
	filter  fxtasks.Filter        // of the last List; its After is for the next page
	pageEnd *modelTask            // the last task of that page
	serial  int                   // of the newest task
	wrapped atomic.Int32          // calls of the middleware
	over    chan struct{}         // closed at the end, so that functions return
	met     map[string]int        // how often each situation was met
}

// modelScope is the manager, or a group of it.
type modelScope struct {
	name   string
	into   fxtasks.Submitter
	cfg    fxtasks.GroupConfig // with the manager's durations
	state  fxtasks.State
	closed bool // Shutdown has begun
}

func (s *modelScope) GoString() string { return fmt.Sprintf("%q %+v", s.name, s.cfg) } // for rapid

// refusal is a submit that gave an error.
type refusal struct {
	group *modelScope
	name  string
}

// A step of time is a number of seconds and goes tick by tick. No two of these durations end at the same tick, so
// that the order in which things happen is clear.
const (
	modelTick           = 100 * time.Millisecond
	modelRetainFor      = 1000 * time.Hour // so long that no record expires: its events would go with it
	modelGrace          = 2200 * time.Millisecond
	modelCancelTimeout  = 3300 * time.Millisecond
	modelTimeout        = 1500 * time.Millisecond
	modelCallTimeout    = 2800 * time.Millisecond
	modelBudget         = 6 * time.Second // a tenth of it is left when graces end
	modelShortBudget    = 3 * time.Second
	modelShortestBudget = time.Second
	modelDelay          = 700 * time.Millisecond // and some nanoseconds; see drawDelay
	modelLongDelay      = 3 * time.Second
)

func newModel(rt *rapid.T, limits modelLimits) *model {
	md := &model{over: make(chan struct{}), met: make(map[string]int), began: time.Now()}
	group := drawGroupConfig(rt, limits.manager)
	md.cfg = fxtasks.Config{
		MaxRunning: group.MaxRunning, MaxPending: group.MaxPending,
		TaskTimeout: max(0, group.TaskTimeout), DrainGrace: max(0, group.DrainGrace), // none is 0 here
		ShutdownTimeout: modelBudget, StopReserve: 500 * time.Millisecond, CancelTimeout: modelCancelTimeout,
		RetainFinished: rapid.SampledFrom([]int{1000, 4, 1, -1}).Draw(rt, "RetainFinished"),
		RetainFor:      rapid.SampledFrom([]time.Duration{modelRetainFor, modelRetainFor, modelRetainFor, -1}).Draw(rt, "RetainFor"),
	}
	given := md.cfg
	given.StopReserve = 0 // the default
	count := func(next fxtasks.Func) fxtasks.Func {
		return func(ctx context.Context) error { md.wrapped.Add(1); return next(ctx) }
	}
	var err error
	if md.m, err = fxtasks.New(given, fxtasks.WithMiddleware(count)); err != nil {
		rt.Fatal(err)
	}
	md.all = &modelScope{into: md.m, cfg: fxtasks.GroupConfig{
		MaxRunning: md.cfg.MaxRunning, MaxPending: md.cfg.MaxPending, TaskTimeout: md.cfg.TaskTimeout, DrainGrace: md.cfg.DrainGrace,
	}}
	md.scopes = []*modelScope{md.all}
	for _, name := range []string{"a", "b"} {
		md.makeGroup(rt, name, drawGroupConfig(rt, limits.groups))
	}
	md.log = md.m.Subscribe(0)
	return md
}

// close ends everything, so that the bubble can end.
func (md *model) close() {
	close(md.over)
	_, _ = md.m.Shutdown(context.Background()) // a second one, perhaps; check has seen to the first
	synctest.Wait()
}
