package fxtasks

import (
	"maps"
	"slices"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
)

// shutdownLog writes the lines of one Shutdown, in order, on a goroutine of its own: the drain never
// waits for a log.
type shutdownLog struct {
	m        *Manager
	group    string
	lines    chan func() // nil: no logger
	written  chan struct{}
	patience time.Duration // how long wait blocks at the most, set before writeEnd; 0: nobody waits for the lines
}

func newShutdownLog(m *Manager, g *Group) *shutdownLog {
	l := &shutdownLog{m: m}
	if g != nil {
		l.group = g.name
	}
	return l
}

// open starts the goroutine of write. If a logger ends it by runtime.Goexit, another one goes on with the next line.
func (l *shutdownLog) open() {
	l.lines, l.written = make(chan func(), 2), make(chan struct{})
	go l.write()
}

func (l *shutdownLog) write() {
	for f := range l.lines {
		func() {
			returned := false
			defer func() {
				if !returned {
					go l.write()
				}
			}()
			f()
			returned = true
		}()
	}
	close(l.written)
}

func (l *shutdownLog) fields(fields ...zap.Field) []zap.Field {
	if l.group != "" {
		fields = append(fields, zap.String("group", l.group))
	}
	return fields
}

// writeBegin has the first line written. It does not block.
func (l *shutdownLog) writeBegin(c Counts, budget time.Duration) {
	if l.m.log == nil {
		return
	}
	l.open()
	l.lines <- func() {
		l.m.write(zap.InfoLevel, "shutdown begins", l.fields(zap.Int("pending", c.Pending), zap.Int("running", c.Running),
			zap.Uint64("rejected", c.Rejected), zap.Duration("budget", budget))...)
	}
}

// writeEnd has the other lines written. It does not block. The tasks that are left have a line each, for as long as
// wait does not give up: after a thousand stacks in a slow log the last line would otherwise be missing.
func (l *shutdownLog) writeEnd(report ShutdownReport, tasks []*Task, never map[string]int) {
	if l.m.log == nil {
		return
	}
	l.lines <- func() {
		began, slowest := time.Now(), time.Duration(0)
		if len(never) > 0 {
			l.m.write(zap.InfoLevel, "pending tasks cancelled by the shutdown", l.fields(zap.Object("by_name", byName(never)))...)
		}
		left := 0
		for i, t := range tasks {
			line := time.Now()
			if l.patience > 0 && line.Sub(began)+2*slowest > l.patience { // the last line has to fit in, too
				left = len(tasks) - i
				break
			}
			stuck := &report.Stuck[i]
			fields := append(taskFields(t), zap.Duration("age", stuck.Age), zap.String("stack", stuck.Stack))
			if stuck.Info.MaxAttempts > 1 {
				fields = append(fields, zap.Int("attempt", stuck.Info.Attempt))
			}
			l.m.write(zap.WarnLevel, "task still running", fields...)
			slowest = max(slowest, time.Since(line))
		}
		fields := l.fields(zap.Int("initial", report.Initial), zap.Int("returned", report.Returned),
			zap.Int("cancelled", report.Cancelled), zap.Int("remaining", report.Remaining), zap.Duration("duration", report.Duration))
		if left > 0 {
			fields = append(fields, zap.Int("not_logged", left))
		}
		if len(tasks) == 0 {
			l.m.write(zap.InfoLevel, "shutdown over", fields...)
		} else {
			l.m.write(zap.ErrorLevel, "shutdown over: tasks still running", fields...)
		}
	}
	close(l.lines)
}

// byName logs counts by name. zap.Any would add 170 KB to every program.
type byName map[string]int

func (b byName) MarshalLogObject(e zapcore.ObjectEncoder) error {
	for _, name := range slices.Sorted(maps.Keys(b)) {
		e.AddInt(name, b[name])
	}
	return nil
}

// wait blocks until all lines are written and quiet, if it is not nil, is closed; or until patience is over: then
// a goroutine stays behind in the logger.
func (l *shutdownLog) wait(quiet <-chan struct{}) {
	if l.m.log == nil {
		return
	}
	timer := time.NewTimer(l.patience)
	defer timer.Stop()
	for _, c := range []<-chan struct{}{l.written, quiet} {
		if c == nil {
			continue
		}
		select {
		case <-c:
		case <-timer.C:
			return
		}
	}
}
