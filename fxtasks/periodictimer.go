package fxtasks

import (
	"context"
	"fmt"
	"time"

	"go.uber.org/zap"
)

// This file is about when the runs of a schedule are due. Each schedule has a timer that waits for its next run.

// wakeEvery is how often a schedule looks at the clock, which may have been set.
const wakeEvery = time.Minute

// fire submits a run if one is due. The timer calls it when a run is due, and each minute.
func (p *Periodic) fire() {
	due, setBack := p.due()
	if setBack {
		p.planNext()
	}
	if !due {
		return
	}
	defer p.planNext() // also when a logger ends this goroutine
	if _, err := p.Trigger(context.Background()); err != nil {
		p.skip(err)
	}
}

// due reports whether a run is due by the clock on the wall, or whether that clock was set back to before next was
// planned: to wait for next could then take years. If neither is the case it sets the timer.
func (p *Periodic) due() (due, setBack bool) {
	cs := p.group.m.reg.enter()
	defer cs.leave()
	if p.stopped || p.next.IsZero() {
		return false, false
	}
	now := cs.r.wall()
	if now.Before(p.planned) {
		return false, true
	}
	if left := p.next.Sub(now); left > 0 {
		p.setTimer(left)
		return false, false
	}
	return true, false
}

func (p *Periodic) setTimer(left time.Duration) {
	left = min(left, wakeEvery)
	if p.timer == nil {
		p.timer = time.AfterFunc(left, p.fire)
	} else {
		p.timer.Reset(left)
	}
}

// planNext asks the schedule for the next run. Next is the user's code: if it panics, or ends the
// goroutine, so does the schedule.
func (p *Periodic) planNext() {
	var next, now time.Time
	problem := "Next ended its goroutine"
	defer func() { p.setNext(next, now, problem) }()
	defer func() {
		if v := recover(); v != nil {
			problem = "Next panicked: " + typeText(v) // stays if the next line ends the goroutine
			problem = "Next panicked: " + valueText(v)
		}
	}()
	now = p.group.m.reg.wall()
	next = p.schedule.Next(now)
	problem = ""
	if !next.IsZero() && !next.After(now) {
		problem = fmt.Sprintf("Next(%v) gave %v, which is not after it", now.Format(time.RFC3339Nano), next.Format(time.RFC3339Nano))
		next = time.Time{}
	}
}

// setNext sets what planNext has found out. A problem ends the schedule, with a line.
func (p *Periodic) setNext(next, planned time.Time, problem string) {
	cs := p.group.m.reg.enter()
	if !p.stopped {
		p.next, p.planned = next.Round(0), planned
		if !next.IsZero() {
			p.setTimer(max(0, p.next.Sub(cs.r.wall())))
		}
	}
	cs.leave()
	if problem != "" {
		p.group.m.write(zap.ErrorLevel, "schedule ended", p.fields(zap.String("error", problem))...)
	}
}

// skip counts a run that could not be submitted.
func (p *Periodic) skip(err error) {
	cs := p.group.m.reg.enter()
	var count uint64
	if !p.stopped {
		p.skipped++
		count = cs.r.skipLog.add(cs.now())
	}
	cs.leave()
	if count > 0 {
		p.group.m.write(zap.WarnLevel, "run skipped", p.fields(zap.String("error", errorText(err)), zap.Uint64("count", count))...)
	}
}

// wallClock reads the clock without its monotonic part: schedules are about the time on the wall.
func wallClock() time.Time { return time.Now().Round(0) }

func (p *Periodic) fields(fields ...zap.Field) []zap.Field {
	fields = append(fields, zap.String("task_name", p.name))
	if p.group.name != "" {
		fields = append(fields, zap.String("group", p.group.name))
	}
	return fields
}
