package fxtasks_test

import (
	"cmp"
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fxtasks/background/fxtasks"
)

// turnTask is a task of a random program: it is delayed, and has attempts that all fail but the last.
type turnTask struct {
	group        int
	delay, retry time.Duration
	attempts     []time.Duration // how long each runs

	begun         int             // how many attempts the plan has begun
	planned, seen []time.Duration // when each attempt is to start, and when it started
}

// TestTurnsAreInOrderWhateverIsDelayedAndRetried compares when the tasks of random programs start with a plan. In
// the plan a task gets its turn when it is due, the first in turn starts first, and a group at its limit holds up no
// other group.
func TestTurnsAreInOrderWhateverIsDelayedAndRetried(t *testing.T) {
	for seed := range uint64(200) {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { runTurns(t, rand.New(rand.NewPCG(seed, 0))) })
		})
	}
}

func runTurns(t *testing.T, r *rand.Rand) {
	limits := turnLimits{all: r.IntN(4)}
	m := newManager(t, fxtasks.Config{MaxRunning: limits.all})
	var groups [3]*fxtasks.Group
	for i := range groups {
		limits.groups[i] = r.IntN(3)
		var err error
		if groups[i], err = m.Group(fmt.Sprint(i), fxtasks.GroupConfig{MaxRunning: limits.groups[i]}); err != nil {
			t.Fatal(err)
		}
	}
	start := time.Now()
	tasks := make([]*turnTask, 25)
	for i := range tasks {
		// Whole seconds, so that many are due at once.
		task := &turnTask{group: r.IntN(3), delay: time.Duration(r.IntN(6)) * time.Second, retry: time.Duration(r.IntN(3)) * time.Second}
		tasks[i] = task
		for n := range 1 + r.IntN(3) {
			ends := time.Duration(3*i + n + 1) // no two end at the same moment
			task.attempts = append(task.attempts, time.Duration(r.IntN(3000))*time.Millisecond+ends)
		}
		submit(t, groups[task.group], "work", func(context.Context) error {
			n := len(task.seen)
			task.seen = append(task.seen, time.Since(start))
			time.Sleep(task.attempts[n])
			if n+1 < len(task.attempts) {
				return errAttempt
			}
			return nil
		}, fxtasks.WithDelay(task.delay), fxtasks.WithRetry(fxtasks.Retry{MaxAttempts: 3, Delay: func(int) time.Duration { return task.retry }}))
	}
	if err := m.Wait(t.Context()); err != nil {
		t.Fatal(err)
	}
	limits.plan(tasks)
	for i, task := range tasks {
		if !slices.Equal(task.seen, task.planned) {
			t.Errorf("limits %+v: task %d of group %d, delayed by %v: attempts started at %v, want %v",
				limits, i, task.group, task.delay, task.seen, task.planned)
		}
	}
}

// turnLimits are the limits of a program; 0: none.
type turnLimits struct {
	all    int
	groups [3]int
}

// plan sets when the attempts of the tasks start.
func (l turnLimits) plan(tasks []*turnTask) {
	type event struct {
		at   time.Duration
		task *turnTask
		ends bool // an attempt ends; else the task is due
	}
	var events []event
	for _, task := range tasks {
		events = append(events, event{at: task.delay, task: task})
	}
	var queue []*turnTask
	var running turnLimits
	free := func(running, limit int) bool { return limit == 0 || running < limit }
	for len(events) > 0 {
		slices.SortStableFunc(events, func(a, b event) int { return cmp.Compare(a.at, b.at) })
		now := events[0].at
		for len(events) > 0 && events[0].at == now {
			e := events[0]
			events = events[1:]
			switch {
			case !e.ends:
				queue = append(queue, e.task)
				continue
			case e.task.begun < len(e.task.attempts) && e.task.retry == 0:
				queue = append(queue, e.task)
			case e.task.begun < len(e.task.attempts):
				events = append(events, event{at: now + e.task.retry, task: e.task})
			}
			running.all--
			running.groups[e.task.group]--
		}
		queue = slices.DeleteFunc(queue, func(task *turnTask) bool {
			g := task.group
			if !free(running.all, l.all) || !free(running.groups[g], l.groups[g]) {
				return false
			}
			task.planned = append(task.planned, now)
			events = append(events, event{at: now + task.attempts[task.begun], task: task, ends: true})
			task.begun++
			running.all++
			running.groups[g]++
			return true
		})
	}
}
