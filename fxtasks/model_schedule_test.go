package fxtasks_test

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"github.com/fxtasks/background/fxtasks"
)

// modelEvery has the period of each schedule, by name. Its multiples fall on no tick and on none of the other's.
var modelEvery = map[string]time.Duration{"tick": 1_300_000_007, "tock": 4_700_000_011}

// modelSchedule is a Periodic.
type modelSchedule struct {
	periodic *fxtasks.Periodic
	name     string
	group    *modelScope
	every    time.Duration

	// What the contract says of it now.
	next          time.Time
	stopped       bool
	runs, skipped uint64
	run           *modelTask // the active run, which is last then; else the next run
	last          *modelTask // the latest run; nil: there was none
	lastCompleted time.Time
}

func (s *modelSchedule) isActive() bool { return s.run == s.last }

func (s *modelSchedule) GoString() string { return fmt.Sprintf("%q of group %q", s.name, s.group.name) } // for rapid

// scheduler is a manager or a group.
type scheduler interface {
	Schedule(name string, s fxtasks.Schedule, fn fxtasks.Func, opts ...fxtasks.TaskOption) (*fxtasks.Periodic, error)
}

// stepSchedule makes a schedule, or one that must be refused.
func (md *model) stepSchedule(rt *rapid.T) {
	s := &modelSchedule{
		name:  rapid.SampledFrom([]string{"tick", "tock"}).Draw(rt, "name"),
		group: rapid.SampledFrom(md.scopes).Draw(rt, "group"),
	}
	s.every = modelEvery[s.name]
	into := s.group.into.(scheduler)
	for _, opt := range []fxtasks.TaskOption{fxtasks.WithID("x"), fxtasks.WithDelay(1), fxtasks.WithBlocking(), fxtasks.WithTimeout(-1)} {
		if _, err := into.Schedule(s.name, fxtasks.Every(s.every), nothing, opt); !errors.Is(err, fxtasks.ErrInvalid) {
			rt.Errorf("Schedule gave %v, want ErrInvalid", err)
		}
	}
	like := &modelTask{
		name: s.name, group: s.group, schedule: s, metadata: map[string]string{"serial": "of " + s.name},
	}
	opts := append(like.drawOptions(rt), like.drawRetry(rt)...)
	md.prepareRun(like)

	var want error
	switch {
	case !md.isOpen(s.group):
		want = fxtasks.ErrShuttingDown
	case slices.ContainsFunc(md.schedules, func(other *modelSchedule) bool { return !other.stopped && other.name == s.name }):
		want = fxtasks.ErrInvalid
	}
	fn := func(ctx context.Context) error { return s.run.run(md.over)(ctx) }
	var err error
	if s.periodic, err = into.Schedule(s.name, fxtasks.Every(s.every), fn, opts...); !errors.Is(err, want) {
		rt.Fatalf("Schedule(%q) gave %v, want %v", s.name, err, want)
	}
	if want == nil {
		md.schedules = append(md.schedules, s)
		s.planNext()
	}
}

// prepareRun makes the next run of a schedule, with the options of the one before.
func (md *model) prepareRun(like *modelTask) {
	md.serial++
	like.schedule.run = &modelTask{
		serial: md.serial, name: like.name, group: like.group, schedule: like.schedule,
		timeout: like.timeout, grace: like.grace, retry: like.retry, metadata: like.metadata,
		orders: make(chan func() error),
	}
}

func (s *modelSchedule) planNext() {
	s.next = time.Unix(0, (time.Now().UnixNano()/int64(s.every)+1)*int64(s.every))
}

// submitRun accepts or refuses a run that begins now.
func (md *model) submitRun(s *modelSchedule) error {
	t := s.run
	if _, err := md.decide(&modelSubmit{task: t}); err != nil {
		md.refuse(t)
		return err
	}
	s.last = t
	s.runs++
	return nil
}

// fire submits the runs that are due now, or skips them.
func (md *model) fire(rt *rapid.T) {
	for _, s := range md.schedules {
		if s.stopped || time.Now().Before(s.next) {
			continue
		}
		synctest.Wait()
		s.planNext()
		switch {
		case s.isActive():
			md.met["a run is skipped"]++
			s.skipped++
		case md.submitRun(s) != nil:
			md.met["a run is refused"]++
			s.skipped++
		default:
			md.met["a run begins"]++
			task, ok := md.m.Task(s.periodic.Info().Last.ID)
			if !ok {
				rt.Fatalf("schedule %q has no run: %+v", s.name, s.periodic.Info())
			}
			s.last.adopt(rt, task, nil)
		}
	}
}

// stepTrigger begins a run.
func (md *model) stepTrigger(rt *rapid.T) {
	if len(md.schedules) == 0 {
		return
	}
	s := rapid.SampledFrom(md.schedules).Draw(rt, "schedule")
	serial := s.run.serial
	task, err := s.periodic.Trigger(context.WithValue(context.Background(), carriedKey{}, serial))
	var want error
	switch {
	case s.stopped:
		want = fxtasks.ErrShuttingDown
	case s.isActive():
		want = fxtasks.ErrStillRunning
	default:
		want = md.submitRun(s)
	}
	if !errors.Is(err, want) || (task != nil) != (want == nil) {
		rt.Fatalf("Trigger of %q gave %v, %v, want %v", s.name, task, err, want)
	}
	if task != nil {
		s.last.carries = serial
		s.last.adopt(rt, task, nil)
	}
	md.settle(rt)
}

func (md *model) stepStop(rt *rapid.T) {
	if len(md.schedules) == 0 {
		return
	}
	s := rapid.SampledFrom(md.schedules).Draw(rt, "schedule")
	s.periodic.Stop()
	s.stop()
}

func (s *modelSchedule) stop() { s.stopped, s.next = true, time.Time{} }

// checkSchedules compares what is known of the schedules.
func (md *model) checkSchedules(rt *rapid.T) {
	var active []*fxtasks.Periodic
	schedules := slices.Clone(md.schedules)
	slices.SortFunc(schedules, func(a, b *modelSchedule) int { return cmp.Compare(a.name, b.name) })
	for _, s := range schedules {
		if !s.stopped {
			active = append(active, s.periodic)
		}
		got := s.periodic.Info()
		if s.last != nil {
			md.checkInfo(rt, s.last, got.Last)
		}
		want := fxtasks.PeriodicInfo{
			Name: s.name, Group: s.group.name, Next: s.next, Runs: s.runs, Skipped: s.skipped, Last: got.Last, LastCompleted: s.lastCompleted,
		}
		if got.Name != want.Name || got.Group != want.Group || !got.Next.Equal(want.Next) || got.Runs != want.Runs || got.Skipped != want.Skipped ||
			!got.LastCompleted.Equal(want.LastCompleted) || s.last == nil && got.Last.Seq != 0 {
			rt.Errorf("schedule %q is %+v, want %+v", s.name, got, want)
		}
	}
	if got := md.m.Periodics(); !slices.Equal(got, active) {
		rt.Errorf("Periodics gave %v, want %v", got, active)
	}
}
