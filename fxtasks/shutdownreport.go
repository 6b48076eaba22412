package fxtasks

import (
	"cmp"
	"time"
)

// What a ShutdownReport says in Status.
const (
	shutdownCompleted = "completed"
	shutdownTimeout   = "timeout"
	shutdownAlready   = "already_shutdown"
)

// ShutdownReport tells what came of the tasks that were active when Shutdown began. After StartDrain it tells of those
// that were active when that began, and of those that were submitted since.
type ShutdownReport struct {
	Status    string // "completed", "timeout", "already_shutdown"
	Initial   int    // how many they are
	Returned  int    // of Initial: have ended in time
	Cancelled int    // of Returned: have ended as cancelled
	Remaining int    // of Initial: are still running
	Duration  time.Duration
	Stuck     []StuckTask // the remaining ones, the newest first
}

// StuckTask is a task that had not returned when Shutdown gave up on it.
type StuckTask struct {
	Info  Info
	Age   time.Duration // how long ago it started
	Stack string        // of its goroutine, and of goroutines that this one started, as runtime.Stack formats them
}

// end makes the report, and sets the state to Stopped.
func (d *shutdownCall) end() (ShutdownReport, error) {
	tasks := d.m.reg.activeTasks(d.group)
	report := ShutdownReport{Status: shutdownCompleted, Initial: d.initial}
	tasks, report.Stuck = d.stuck(tasks)

	cs := d.m.reg.enter()
	r := cs.r
	n := 0 // how many have not returned meanwhile: all figures are of this moment
	for i, t := range tasks {
		if !t.status.Finished() {
			tasks[n], report.Stuck[n] = t, report.Stuck[i]
			report.Stuck[n].Age = cs.now().Sub(t.at(t.startedAt))
			n++
		}
	}
	tasks, report.Stuck = tasks[:n], report.Stuck[:n]
	report.Remaining = len(tasks)
	report.Returned = d.initial - len(tasks)
	report.Cancelled = int(d.limits.counts.Cancelled - d.cancelledBefore)
	report.Duration = cs.now().Sub(d.began)
	never := make(map[string]int)
	for _, g := range r.groups {
		if d.group == nil || d.group == g {
			for name, n := range g.neverStarted {
				never[name] += n
			}
			g.neverStarted = nil
		}
	}
	d.limits.state = Stopped
	cs.close(d.limits.stopped)
	if d.ownClock || d.group == nil {
		d.clock.stop()
	}
	if d.group == nil {
		r.wakeReaders()
		for _, timer := range []*time.Timer{r.expiry, r.dueTimer} { // they would keep the registry in memory
			if timer != nil {
				timer.Stop()
			}
		}
		r.expiry = nil
	}
	quiet := r.awaitLines()
	d.log.patience = d.clock.patience
	cs.leave()

	d.log.writeEnd(report, tasks, never)
	began := time.Now()
	d.log.wait(quiet)
	d.clock.spendPatience(time.Since(began))
	if len(tasks) == 0 {
		return report, nil
	}
	report.Status = shutdownTimeout
	return report, &ShutdownError{Report: report}
}

// stuck describes those of the tasks that still run.
func (d *shutdownCall) stuck(tasks []*Task) (running []*Task, stuck []StuckTask) {
	for i := 0; i < len(tasks); i += batch {
		cs := d.m.reg.enter()
		for _, t := range tasks[i:min(i+batch, len(tasks))] {
			if t.status.Finished() {
				continue
			}
			running = append(running, t)
			stuck = append(stuck, StuckTask{Age: cs.now().Sub(t.at(t.startedAt))})
			stuck[len(stuck)-1].Info.fill(t)
		}
		cs.leave()
	}
	for i, t := range running {
		stuck[i].Info.complete(running[i])
		if d.stacks != nil {
			stuck[i].Stack = cmp.Or(d.stacks[t], "stack not found")
		}
	}
	return running, stuck
}

// reportAgain reports what is still running now, after another Shutdown.
func (d *shutdownCall) reportAgain() (ShutdownReport, error) {
	report := ShutdownReport{Status: shutdownAlready}
	_, report.Stuck = d.stuck(d.m.reg.activeTasks(d.group))
	report.Remaining = len(report.Stuck)
	report.Duration = time.Since(d.began)
	if report.Remaining == 0 {
		return report, nil
	}
	return report, &ShutdownError{Report: report}
}
