package fxtasks

import (
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
)

// A logger is the user's code: it may panic, end the goroutine, block, or call back. Lines are written
// outside of sections, and whoever writes one has already done what others wait for, or does it in a defer.

// engineLogger keeps zap from adding the engine's own stack to lines of errors.
func engineLogger(l *zap.Logger) *zap.Logger {
	return l.WithOptions(zap.AddStacktrace(zap.LevelEnablerFunc(func(zapcore.Level) bool { return false })))
}

// logs reports whether lines of the level are written.
func (m *Manager) logs(level zapcore.Level) (enabled bool) {
	if m.log == nil {
		return false
	}
	defer func() { _ = recover() }()
	return m.log.Core().Enabled(level)
}

// write writes a line. A panic of the logger ends here.
func (m *Manager) write(level zapcore.Level, message string, fields ...zap.Field) {
	if m.log == nil {
		return
	}
	defer func() { _ = recover() }()
	if line := m.log.Check(level, message); line != nil {
		line.Write(fields...)
	}
}

// taskFields are on every line about a task.
func taskFields(t *Task) []zap.Field {
	fields := []zap.Field{zap.String("task_id", t.ID()), zap.String("task_name", t.name)}
	if t.group.name != "" {
		fields = append(fields, zap.String("group", t.group.name))
	}
	if id := t.opts.metadata["job_id"]; t.external && id != "" { // of the job of the scheduler that has called Run
		fields = append(fields, zap.String("job_id", id))
	}
	return fields
}

// retriedElsewhere is an error after which the scheduler that has called Run makes another attempt.
type retriedElsewhere interface{ RetriedElsewhere() }

func (t *Task) writeSubmitted() {
	t.group.m.write(zap.DebugLevel, "task submitted", taskFields(t)...)
}

// endLine returns level and message of the line about the end of t.
func (t *Task) endLine() (zapcore.Level, string) {
	switch t.outcome {
	case Pending:
		return zap.WarnLevel, "attempt failed and is retried"
	case Completed:
		return zap.DebugLevel, "task completed"
	case Cancelled:
		if t.ctx.decided.Load() == endShutdown {
			return zap.InfoLevel, "task cut off by the shutdown"
		}
		return zap.DebugLevel, "task cancelled"
	case TimedOut:
		return zap.WarnLevel, "task timed out"
	default:
		if t.external {
			if _, ok := t.failure.err.(retriedElsewhere); ok {
				return zap.WarnLevel, "attempt failed and is retried"
			}
		}
		return zap.ErrorLevel, "task failed"
	}
}

// logsEnd reports whether there is a line to be written. It is apart from writeEnd, which needs more
// stack than a new goroutine has: to grow it only to find that no line is wanted made the drain of
// 100,000 parked tasks a sixth slower.
func (t *Task) logsEnd() bool {
	if t.group.m.log == nil {
		return false
	}
	level, _ := t.endLine()
	return t.group.m.logs(level)
}

// writeEnd writes the line about the end of t, before the end is on record.
//
//go:noinline
func (t *Task) writeEnd(panicked *PanicError) {
	level, message := t.endLine()
	fields := append(taskFields(t), zap.Duration("duration", time.Since(t.Info().StartedAt)))
	if t.attempts != nil && t.attempts.retry.MaxAttempts > 1 {
		fields = append(fields, zap.Int("attempt", int(t.ctx.number)))
		if t.outcome == Pending {
			fields = append(fields, zap.Duration("delay", t.attempts.delay))
		}
	}
	if t.failure != nil {
		fields = append(fields, zap.String("error", t.failure.text))
	}
	if panicked != nil {
		if t.outcome != Pending {
			message = "task panicked"
		}
		fields = append(fields, zap.ByteString("stack", panicked.Stack))
	}
	t.group.m.write(level, message, fields...)
}

// writeAfterUnlock arranges for writeEndAndCloseDone, for a task whose end is decided in this section and not by
// the goroutine that runs it.
func (cs *section) writeAfterUnlock(t *Task) {
	t.logging = true
	cs.r.pendingLines++
	after := cs.afterUnlock()
	after.endLines = append(after.endLines, t)
}

// writeEndAndCloseDone writes the line about the end of a task that a section has ended: before it started, between
// two attempts, or after a line that announced another attempt. Then it closes Done.
func (t *Task) writeEndAndCloseDone() {
	defer func() {
		cs := t.group.m.reg.enter()
		defer cs.leave()
		t.logging = false
		if t.done != nil {
			cs.close(t.done)
			t.done = nil
		}
		if cs.r.pendingLines--; cs.r.pendingLines == 0 && cs.r.linesWritten != nil {
			cs.close(cs.r.linesWritten)
			cs.r.linesWritten = nil
		}
	}()
	info := t.Info()
	level, message, from := zap.DebugLevel, "task cancelled before it started", info.CreatedAt
	switch {
	case info.Status == Failed:
		level, message, from = zap.ErrorLevel, "task failed", info.StartedAt
	case info.Status == TimedOut:
		level, message, from = zap.WarnLevel, "task timed out", info.StartedAt
	case info.Attempt > 0:
		message = "task cancelled between two attempts"
	}
	fields := append(taskFields(t), zap.Duration("duration", info.FinishedAt.Sub(from)), zap.String("error", info.ErrText))
	if info.MaxAttempts > 1 {
		fields = append(fields, zap.Int("attempt", info.Attempt))
	}
	t.group.m.write(level, message, fields...)
}

// awaitLines returns a channel that is closed when no goroutine of writeEndAndCloseDone is left, or nil if there
// is none now.
func (r *registry) awaitLines() chan struct{} {
	if r.pendingLines == 0 {
		return nil
	}
	if r.linesWritten == nil {
		r.linesWritten = make(chan struct{})
	}
	return r.linesWritten
}

// limitedLog limits the lines about something that can happen often to one in limitedLogEvery, so that they
// do not flood the log under load. The next line has the count of all that came before it; what comes after
// the last line is only in the counters. It is protected by the registry's mutex.
type limitedLog struct {
	last  time.Time // when the last line was due
	count uint64    // how often it has happened since then
}

const limitedLogEvery = 5 * time.Second

// add counts one. It returns the count to log now, or 0.
func (l *limitedLog) add(now time.Time) uint64 {
	l.count++
	if !l.last.IsZero() && now.Sub(l.last) < limitedLogEvery {
		return 0
	}
	n := l.count
	l.last, l.count = now, 0
	return n
}

// logRejected writes the line about count rejects, the latest of which is t's. For 0 it does nothing.
func (m *Manager) logRejected(t *Task, count uint64) {
	if count > 0 {
		m.write(zap.WarnLevel, "tasks rejected: queue is full", append(taskFields(t), zap.Uint64("count", count))...)
	}
}
