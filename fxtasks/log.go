package fxtasks

import (
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
)

// taskFields are on every line about a task.
func taskFields(t *Task) []zap.Field {
	fields := []zap.Field{zap.String("task_id", t.ID()), zap.String("task_name", t.name)}
	if t.group.name != "" {
		fields = append(fields, zap.String("group", t.group.name))
	}
	return fields
}

func (t *Task) logSubmitted() {
	if line := t.group.m.log.Check(zap.DebugLevel, "task submitted"); line != nil {
		line.Write(taskFields(t)...)
	}
}

// logEnd tells how t ended, before that is on record. It must not look into an error that fn returned, whose methods may panic:
// zap.Error recovers.
//
// Like call it is a frame by which stacksOf finds the goroutine of a task: a logger may hang.
//
//go:noinline
func (t *Task) logEnd(crashed bool) {
	level, message := zap.ErrorLevel, "task failed"
	var stack []byte
	switch t.outcome {
	case Completed:
		level, message = zap.DebugLevel, "task completed"
	case Cancelled:
		level, message = zap.DebugLevel, "task cancelled"
	case TimedOut:
		level, message = zap.WarnLevel, "task timed out"
	case Failed:
		if p, ok := t.err.(*PanicError); ok && crashed { // not one of another task, passed on
			message, stack = "task panicked", p.Stack
		}
	}
	if t.group.m.log.Core().Enabled(level) {
		t.writeEnd(level, message, stack)
	}
}

// writeEnd is the part of logEnd that needs more stack than a new goroutine has. To grow it just to
// find out that nobody listens made the drain of 100,000 parked tasks a sixth slower.
//
//go:noinline
func (t *Task) writeEnd(level zapcore.Level, message string, stack []byte) {
	line := t.group.m.log.Check(level, message)
	if line == nil {
		return
	}
	fields := append(taskFields(t), zap.Duration("duration", time.Since(t.Info().StartedAt)))
	if t.err != nil {
		fields = append(fields, zap.Error(t.err))
	}
	if stack != nil {
		fields = append(fields, zap.ByteString("stack", stack))
	}
	line.Write(fields...)
}

// logDropped tells that t has ended without having started.
func (t *Task) logDropped() {
	line := t.group.m.log.Check(zap.DebugLevel, "task cancelled before it started")
	if line != nil {
		line.Write(append(taskFields(t), zap.Duration("duration", t.at(t.finished).Sub(t.created)), zap.Error(t.err))...)
	}
}

// fullLog keeps rejects because of a full queue to one line in fullLogEvery: it would otherwise be
// the log that falls over under load. Those after the last line stay untold until the next; Stats
// counts them all. It is protected by the registry's mutex.
type fullLog struct {
	last  time.Time // when a line was due
	count uint64    // of rejects since
}

const fullLogEvery = 5 * time.Second

// add counts one reject. It gives the count to log now, or 0.
func (l *fullLog) add(now time.Time) uint64 {
	l.count++
	if !l.last.IsZero() && now.Sub(l.last) < fullLogEvery {
		return 0
	}
	n := l.count
	l.last, l.count = now, 0
	return n
}

// logRejected tells of count rejects, of which t's is the latest. 0: nothing to tell.
func (t *Task) logRejected(count uint64) {
	if count > 0 {
		t.group.m.log.Warn("tasks rejected: queue is full", append(taskFields(t), zap.Uint64("count", count))...)
	}
}
