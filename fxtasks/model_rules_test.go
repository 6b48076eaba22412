package fxtasks_test

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/fxtasks/background/fxtasks"
)

// around gives the scopes whose limits apply to a task of the group.
func (md *model) around(group *modelScope) []*modelScope {
	if group == md.all {
		return []*modelScope{md.all}
	}
	return []*modelScope{md.all, group}
}

// has says whether t is a task of the scope.
func (md *model) has(s *modelScope, t *modelTask) bool {
	return t != nil && (s == md.all || s == t.group)
}

// of gives the tasks of a scope for which is holds.
func (md *model) of(s *modelScope, is func(*modelTask) bool) (tasks []*modelTask) {
	for _, t := range md.tasks {
		if md.has(s, t) && is(t) {
			tasks = append(tasks, t)
		}
	}
	return tasks
}

// isOpen says whether no drain has begun that concerns the tasks of the scope.
func (md *model) isOpen(s *modelScope) bool {
	return md.all.state == fxtasks.Open && s.state == fxtasks.Open
}

func (md *model) hasSlot(group *modelScope) bool {
	for _, s := range md.around(group) {
		if limit := s.cfg.MaxRunning; limit > 0 && len(md.of(s, (*modelTask).holdsSlot)) >= limit {
			return false
		}
	}
	return true
}

// hasRoom says whether one more task may wait, once the pending task gone is gone, if any.
func (md *model) hasRoom(group *modelScope, gone *modelTask) bool {
	for _, s := range md.around(group) {
		waiting := len(md.of(s, func(t *modelTask) bool { return t.isPending() && !t.isBetweenAttempts() && t != gone }))
		if limit := s.cfg.MaxPending; limit < 0 || limit > 0 && waiting >= limit {
			return false
		}
	}
	return true
}

func (md *model) noneMayWait(group *modelScope) bool {
	return slices.ContainsFunc(md.around(group), func(s *modelScope) bool { return s.cfg.MaxPending < 0 })
}

// holder gives the task that has the ID: the newest that has a record.
func (md *model) holder(id string) *modelTask {
	for _, t := range slices.Backward(md.tasks) {
		if t.known && t.id == id && id != "" {
			return t
		}
	}
	return nil
}

// decide gives what comes of a submit: its task, taken in, or the one that it joins, or an error.
func (md *model) decide(s *modelSubmit) (*modelTask, error) {
	t, old := s.task, md.holder(s.task.id)
	var gone *modelTask // the pending task that it takes the place of
	switch {
	case !md.takes(t):
		return nil, fxtasks.ErrShuttingDown
	case old == nil:
	case s.policy == fxtasks.Join && t.kind != "" && t.kind != old.kind:
		return nil, fxtasks.ErrInvalid
	case s.policy == fxtasks.Join:
		md.met["a task is joined"]++
		return old, nil
	case s.policy == fxtasks.Reject && old.isActive():
		return nil, fxtasks.ErrDuplicateID
	case old.isPending():
		gone = old
	}
	after := mustReturn(old)
	if starts := after == nil && t.delay == 0 && md.hasSlot(t.group); !starts && !md.hasRoom(t.group, gone) {
		return nil, fxtasks.ErrQueueFull
	}
	t.after = after
	md.takeIn(t, old)
	if after != nil {
		md.met["a task waits for the one it replaces"]++
	}
	return t, nil
}

// takeIn puts t on record. It takes the ID of old, unless that is nil.
func (md *model) takeIn(t, old *modelTask) {
	t.created, t.known = time.Now(), true
	if t.delay == 0 {
		md.takeTurn(t)
	} else {
		md.delay(t, t.delay)
	}
	md.tasks = append(md.tasks, t)
	if md.drain != nil {
		md.met["a task is submitted during a drain"]++
		md.drain.tasks = append(md.drain.tasks, t)
	}
	md.publish(t, fxtasks.EventSubmitted)
	if old != nil {
		md.request(old, fxtasks.ErrReplaced)
		md.forgetFinished(old)
	}
}

// mustReturn gives the running task that must return before one that replaces old can start.
func mustReturn(old *modelTask) *modelTask {
	switch {
	case old == nil:
		return nil
	case old.isRunning():
		return old
	case old.isPending():
		return old.after
	}
	return nil
}

// firstInTurn gives the queued task whose turn it is, of those for which may holds.
func (md *model) firstInTurn(may func(*modelTask) bool) (first *modelTask) {
	for _, t := range md.of(md.all, (*modelTask).isQueued) {
		if may(t) && (first == nil || t.turn < first.turn) {
			first = t
		}
	}
	return first
}

// start starts the pending task whose turn it is, of those that can start.
func (md *model) start() bool {
	t := md.firstInTurn(func(t *modelTask) bool { return md.hasSlot(t.group) })
	if t == nil {
		return false
	}
	if !md.isOpen(t.group) {
		md.met["a pending task starts while draining"]++
	}
	if t.attempt == 0 && !t.notBefore.IsZero() {
		md.met["a delayed task starts"]++
	}
	md.begin(t)
	return true
}

// begin starts an attempt of t.
func (md *model) begin(t *modelTask) {
	t.status, t.started, t.slot = fxtasks.Running, time.Now(), !t.external
	t.attempt++
	t.waited = time.Since(t.due())
	t.ctxEnd = nil
	md.publish(t, fxtasks.EventStarted)
}

// request asks t to end. The first cause wins, but after any but a timeout no attempt follows.
func (md *model) request(t *modelTask, cause error) {
	if !t.isActive() || t.cause != nil {
		t.late = t.late || cause != fxtasks.ErrTimeout
		return
	}
	t.cause, t.requested = cause, time.Now()
	if t.isRunning() {
		t.ctxEnd = cause
		md.publish(t, fxtasks.EventCancelling)
		return
	}
	switch {
	case t.isDelayed() && t.attempt == 0:
		md.met["a delayed task is cancelled"]++
	case !t.isBetweenAttempts():
	case cause == fxtasks.ErrShutdown:
		md.met["a shutdown ends a task between attempts"]++
	default:
		md.met["a task is cancelled between attempts"]++
	}
	md.finish(t, fxtasks.Cancelled)
}

// leave is for a task that goes on to another status. Its context ends with its function.
func (t *modelTask) leave(to fxtasks.Status) {
	if t.isRunning() {
		t.worked = time.Since(t.started)
		t.ctxEnd = cmp.Or(t.ctxEnd, context.Canceled)
	}
	t.status, t.slot = to, false
}

// finish ends t. Its record stays, unless Run ran it or its ID is another's: its successor's, or, if it was to
// replace a task that has not returned, that one's again.
func (md *model) finish(t *modelTask, status fxtasks.Status) {
	t.leave(status)
	t.finished = time.Now()
	md.publish(t, fxtasks.EventFinished)
	md.ended = append(md.ended, t)
	if t.schedule != nil {
		if status == fxtasks.Completed {
			t.schedule.lastCompleted = t.finished
		}
		md.prepareRun(t)
	}
	if now := md.holder(t.id); t.external || t.after != nil || now != nil && now != t {
		md.forgetFinished(t)
	}
	for _, s := range md.tasks {
		if s.after == t {
			s.after = nil
		}
	}
	md.prune()
}

// prune forgets the finished tasks that are too many or too old.
func (md *model) prune() {
	for len(md.ended) > 0 && (len(md.ended) > md.cfg.RetainFinished || time.Since(md.ended[0].finished) >= md.cfg.RetainFor) {
		md.forgetFinished(md.ended[0])
	}
}

func (md *model) forgetFinished(t *modelTask) {
	if i := slices.Index(md.ended, t); i >= 0 {
		md.ended = slices.Delete(md.ended, i, i+1)
		t.known = false
	}
}

// refuse counts the submit of t as one that gave an error.
func (md *model) refuse(t *modelTask) {
	md.refused = append(md.refused, refusal{t.group, t.name})
}

func (md *model) publish(t *modelTask, kind fxtasks.EventKind) {
	t.events = append(t.events, modelEvent{kind, t, t.attempt})
	md.events++
}
