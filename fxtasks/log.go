package fxtasks

import (
	"errors"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
)

// taskFields are on every line about a task.
func taskFields(t *Task) []zap.Field {
	fields := []zap.Field{zap.String("task_id", t.id), zap.String("task_name", t.name)}
	if t.group.name != "" {
		fields = append(fields, zap.String("group", t.group.name))
	}
	return fields
}

func (m *Manager) logSubmitted(t *Task) {
	if line := m.log.Check(zap.DebugLevel, "task submitted"); line != nil {
		line.Write(taskFields(t)...)
	}
}

// logEnd tells how t ended, which is passed in because it is logged before it is on record. Like
// call it is a frame by which stacksOf finds the goroutine of a task: a logger may hang.
//
//go:noinline
func (t *Task) logEnd(status Status, err error, took time.Duration) {
	level, message := endLine(status, err)
	line := t.m.log.Check(level, message)
	if line == nil {
		return
	}
	fields := append(taskFields(t), zap.Duration("duration", took))
	if err != nil {
		fields = append(fields, zap.Error(err))
	}
	if p := (*PanicError)(nil); status == Failed && errors.As(err, &p) {
		fields = append(fields, zap.ByteString("stack", p.Stack))
	}
	line.Write(fields...)
}

func endLine(status Status, err error) (zapcore.Level, string) {
	switch status {
	case Completed:
		return zap.DebugLevel, "task completed"
	case Cancelled:
		return zap.DebugLevel, "task cancelled"
	case TimedOut:
		return zap.WarnLevel, "task timed out"
	}
	if _, ok := err.(*PanicError); ok {
		return zap.ErrorLevel, "task panicked"
	}
	return zap.ErrorLevel, "task failed"
}

// fullLog keeps rejects because of a full queue to one line in fullLogEvery: it would otherwise be
// the log that falls over under load. It is protected by the registry's mutex.
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
func (m *Manager) logRejected(t *Task, count uint64) {
	if count > 0 {
		m.log.Warn("tasks rejected: queue is full", append(taskFields(t), zap.Uint64("count", count))...)
	}
}
