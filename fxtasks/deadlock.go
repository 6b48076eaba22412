package fxtasks

import (
	"context"
	"fmt"
)

// wouldDeadlock reports whether w, a wait of self, would close a cycle: whether what w waits for can only happen
// after self has returned. It searches the wait-for graph. A task leads to all that it waits for and to the
// task that it is to replace; a group leads to its tasks.
func (r *registry) wouldDeadlock(w *wait, self *Task) bool {
	tasks, groups := []*Task{}, []*Group{}
	seen := make(map[any]bool)
	visit := func(w *wait) {
		if w.submit != nil {
			if old := runningPredecessor(r.duplicateOf(w.submit.task)); old != nil && (r.all.maxPending < 0 || w.group.maxPending < 0) {
				tasks = append(tasks, old)
			}
			return
		}
		if w.task != nil {
			tasks = append(tasks, w.task)
		} else {
			groups = append(groups, w.group)
		}
	}
	visit(w)
	for len(tasks)+len(groups) > 0 {
		var waiters []*Task
		if n := len(tasks); n > 0 {
			t := tasks[n-1]
			tasks = tasks[:n-1]
			if t == self {
				return true
			}
			if p := t.predecessor; p != nil {
				tasks = append(tasks, p)
			}
			if t.waits == nil || len(t.waits.calls) == 0 || seen[t] {
				continue
			}
			seen[t] = true
			waiters = []*Task{t}
		} else {
			g := groups[len(groups)-1]
			groups = groups[:len(groups)-1]
			if g == self.group {
				return true
			}
			if seen[g] {
				continue
			}
			seen[g] = true
			waiters = g.waitingTasks
			for t := range g.successors {
				tasks = append(tasks, t.predecessor)
			}
		}
		for _, t := range waiters {
			for _, call := range t.waits.calls {
				visit(call)
			}
		}
	}
	return false
}

// refuseSelfWait returns an error for a nil ctx, and for the context of a task of m that has not finished and that
// the call would wait for: includes reports whether it would.
func (m *Manager) refuseSelfWait(ctx context.Context, includes func(self *Task) bool) error {
	if ctx == nil {
		return invalid("ctx is nil")
	}
	if self, ok := FromContext(ctx); ok && self.group.m == m && includes(self) && !self.Status().Finished() {
		return fmt.Errorf("%w: task %q (%s) would wait for itself", ErrInvalid, self.name, self.ID())
	}
	return nil
}

func anyTask(*Task) bool { return true }
