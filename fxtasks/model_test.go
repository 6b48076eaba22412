package fxtasks_test

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"github.com/fxtasks/background/fxtasks"
)

// modelTask is what the contract says of a task, next to the task itself.
type modelTask struct {
	task  *fxtasks.Task
	model *model

	id      string
	group   int
	seq     uint64
	timeout time.Duration

	status   fxtasks.Status
	after    *modelTask // it replaces this one, which has not returned
	replaces bool       // after was set
	started  time.Time
	finished time.Time
	cause    error // why it was asked to end
	returns  error // what its function returned or panicked with
	known    bool  // it has a record

	end   chan func() error // lets its function end
	ran   atomic.Bool
	woken atomic.Bool // a call to Wait has returned
}

// model is what the contract says of a manager.
type model struct {
	m       *fxtasks.Manager
	into    []fxtasks.Submitter // the manager, and its groups
	names   []string            // of those
	limits  []fxtasks.GroupConfig
	retains int
	tasks   []*modelTask // by seq
	ended   []*modelTask // those of them with a record that have finished, in that order
	refused uint64
	closed  bool
	over    chan struct{} // closed at the end: functions return
}

// Steps of time are whole seconds, and nothing falls due on one, so that no two things are due at
// the same time.
const (
	modelTimeout   = 1500 * time.Millisecond
	modelRetainFor = 10100 * time.Millisecond
)

func newModel(rt *rapid.T) *model {
	limit := func(what string) int { return rapid.SampledFrom([]int{1, 2, 4, 0}).Draw(rt, what+".MaxRunning") }
	room := func(what string) int { return rapid.SampledFrom([]int{0, 3, 1, -1}).Draw(rt, what+".MaxPending") }
	md := &model{over: make(chan struct{}), retains: rapid.SampledFrom([]int{4, 1, 1000, -1}).Draw(rt, "RetainFinished")}
	cfg := fxtasks.Config{
		MaxRunning: limit("manager"), MaxPending: room("manager"),
		RetainFinished: md.retains, RetainFor: modelRetainFor, ShutdownTimeout: 1000 * time.Hour,
	}
	var err error
	if md.m, err = fxtasks.New(cfg); err != nil {
		rt.Fatal(err)
	}
	md.into, md.names = []fxtasks.Submitter{md.m}, []string{""}
	md.limits = []fxtasks.GroupConfig{{MaxRunning: cfg.MaxRunning, MaxPending: cfg.MaxPending}}
	for _, name := range []string{"a", "b"} {
		limits := fxtasks.GroupConfig{MaxRunning: limit(name), MaxPending: room(name)}
		g, err := md.m.Group(name, limits)
		if err != nil {
			rt.Fatal(err)
		}
		md.into, md.names, md.limits = append(md.into, g), append(md.names, name), append(md.limits, limits)
	}
	return md
}

// close ends everything, so that the next run finds nothing of this one.
func (md *model) close() {
	close(md.over)
	if _, err := md.m.Shutdown(context.Background()); err != nil {
		panic(err)
	}
	synctest.Wait()
}

// count gives how many tasks of a group, or all for group 0, have the status.
func (md *model) count(group int, status fxtasks.Status) (n int) {
	for _, t := range md.tasks {
		if t.status == status && (group == 0 || t.group == group) {
			n++
		}
	}
	return n
}

// bounds gives the limits that apply to a task of the group: the manager's, and its group's.
func bounds(group int) []int {
	if group == 0 {
		return []int{0}
	}
	return []int{0, group}
}

func (md *model) hasSlot(group int) bool {
	for _, g := range bounds(group) {
		if limit := md.limits[g].MaxRunning; limit > 0 && md.count(g, fxtasks.Running) >= limit {
			return false
		}
	}
	return true
}

// hasRoom says whether one more task may wait, once the pending task less is gone, if any.
func (md *model) hasRoom(group int, less *modelTask) bool {
	for _, g := range bounds(group) {
		waiting := md.count(g, fxtasks.Pending)
		if less != nil && (g == 0 || g == less.group) {
			waiting--
		}
		if limit := md.limits[g].MaxPending; limit < 0 || limit > 0 && waiting >= limit {
			return false
		}
	}
	return true
}

// holder gives the task that has the ID: the newest that has a record.
func (md *model) holder(id string) *modelTask {
	for i := len(md.tasks) - 1; i >= 0; i-- {
		if t := md.tasks[i]; t.known && t.id == id {
			return t
		}
	}
	return nil
}

// settle starts what can start: first submitted, first started, past groups that are at their limit.
func (md *model) settle() {
	for _, t := range md.tasks {
		if t.status == fxtasks.Pending && t.after == nil && md.hasSlot(t.group) {
			t.status, t.started = fxtasks.Running, time.Now()
		}
	}
}

// finish ends t. Its record stays, unless another task has or keeps its ID.
func (md *model) finish(t *modelTask, status fxtasks.Status) {
	t.status, t.finished = status, time.Now()
	shared := t.after != nil
	t.after = nil
	for _, s := range md.tasks {
		if s.after == t {
			s.after, shared = nil, true
		}
	}
	if shared {
		t.known = false
		return
	}
	md.ended = append(md.ended, t)
	md.prune()
}

func (md *model) prune() {
	for len(md.ended) > max(0, md.retains) || len(md.ended) > 0 && time.Since(md.ended[0].finished) > modelRetainFor {
		md.forget(md.ended[0])
	}
}

func (md *model) forget(t *modelTask) {
	t.known = false
	for i := range md.ended {
		if md.ended[i] == t {
			md.ended = append(md.ended[:i], md.ended[i+1:]...)
			return
		}
	}
}

// request asks t to end.
func (md *model) request(t *modelTask, cause error) {
	switch {
	case t.status == fxtasks.Pending:
		t.cause = cause
		md.finish(t, fxtasks.Cancelled)
	case t.status == fxtasks.Running && t.cause == nil:
		t.cause = cause
	}
}

// submit gives the error that a submit must give, or the task that it must join, or nil for both,
// when it must take in t.
func (md *model) submit(t *modelTask, policy fxtasks.DuplicatePolicy) (joined *modelTask, err error) {
	old := md.holder(t.id)
	var gone, after *modelTask // a pending task that is dropped, and one that must return first
	switch {
	case md.closed:
		return nil, fxtasks.ErrShuttingDown
	case old == nil:
	case policy == fxtasks.Join:
		return old, nil
	case policy == fxtasks.Reject && !old.status.Finished():
		return nil, fxtasks.ErrDuplicateID
	case old.status == fxtasks.Pending:
		gone, after = old, old.after
	case old.status == fxtasks.Running:
		after = old
	}
	if starts := after == nil && md.hasSlot(t.group); !starts && !md.hasRoom(t.group, gone) {
		return nil, fxtasks.ErrQueueFull
	}
	if old != nil {
		if old.status.Finished() {
			md.forget(old)
		}
		if gone != nil {
			gone.after = t // whatever it waited for: its ID is another's
		}
		md.request(old, fxtasks.ErrReplaced)
	}
	t.after, t.replaces, t.known = after, after != nil, true
	md.tasks = append(md.tasks, t)
	return nil, nil
}

// err gives what the task's Err must match, nothing for nil.
func (t *modelTask) err() []error {
	switch t.status {
	case fxtasks.Failed:
		return []error{t.returns}
	case fxtasks.Cancelled, fxtasks.TimedOut:
		if t.returns != nil {
			return []error{t.cause, t.returns}
		}
		return []error{t.cause}
	}
	return nil
}

func (t *modelTask) String() string {
	return fmt.Sprintf("%s (%s, seq %d)", t.id, t.model.names[t.group], t.seq)
}

var errModel = errors.New("on purpose")

// inBubble hides the methods of a test that must not be called in a bubble.
type inBubble struct{ testing.TB }
