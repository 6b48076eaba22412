package checks

import (
	"testing"
	"time"

	"go.uber.org/zap"

	"github.com/fxtasks/background/fxtasks"
)

func TestLines(t *testing.T) {
	about := []zap.Field{zap.String("task_id", "x"), zap.String("task_name", "send")}
	took, stack := zap.Duration("duration", time.Second), zap.String("stack", "main")
	with := func(fields ...zap.Field) []zap.Field { return append(about[:2:2], fields...) }
	h := &History{
		Accounts: []Account{{Deed: Deed{How: Panicked}}, {Refusal: fxtasks.ErrQueueFull}},
		Shutdowns: []Shutdown{
			{Group: "mail", Report: fxtasks.ShutdownReport{Status: completed}},
			{Report: fxtasks.ShutdownReport{Status: timeout, Remaining: 1, Stuck: make([]fxtasks.StuckTask, 1)}},
			{Report: fxtasks.ShutdownReport{Status: already}},
		},
	}
	right := func(log *zap.Logger) {
		log.Debug("task submitted", about...)
		log.Debug("task completed", with(took)...)
		log.Warn("task timed out", with(took)...)
		log.Error("task panicked", with(took, stack)...)
		log.With(about...).Info("a line of its own")
		log.Warn("tasks rejected", with(zap.Int("count", 3))...)
		log.Info("shutdown begins", zap.String("group", "mail"))
		log.Info("shutdown over", zap.String("group", "mail"), took)
		log.Info("shutdown begins")
		log.Warn("task still running", with(stack)...)
		log.Error("shutdown over: tasks still running", took)
	}
	for _, c := range []struct {
		name  string
		more  func(*zap.Logger)
		found string
	}{
		{"what there was to tell", func(*zap.Logger) {}, ""},
		{"a line without its task", func(log *zap.Logger) { log.Debug("task completed", took) }, "want task_id and task_name"},
		{"a line without the name", func(log *zap.Logger) { log.Info("of a task", about[0]) }, "want task_id and task_name"},
		{"a line with an empty name", func(log *zap.Logger) { log.Info("of a task", about[0], zap.String("task_name", "")) }, "want task_id and task_name"},
		{"a line without its group", func(log *zap.Logger) {
			log.Info("of a task", about[0], zap.String("task_name", "send@mail"))
		}, `has the group "", want "mail"`},
		{"a line with its group", func(log *zap.Logger) {
			log.Info("of a task", about[0], zap.String("task_name", "send@mail"), zap.String("group", "mail"))
		}, ""},
		{"submitted twice", func(log *zap.Logger) { log.Debug("task submitted", about...) }, "log: lines are"},
		{"ended twice", func(log *zap.Logger) { log.Error("task failed", with(took)...) }, "log: lines are"},
		{"a run is skipped, and none was", func(log *zap.Logger) { log.Warn("run skipped", about[1], zap.Int("count", 1)) }, "skipped:true"},
		{"skips told too often", func(log *zap.Logger) {
			log.Warn("run skipped", about[1], zap.Int("count", 1))
			log.Warn("run skipped", about[1], zap.Int("count", 1))
		}, "after the one before"},
		{"rejects told too often", func(log *zap.Logger) {
			log.Warn("tasks rejected", with(zap.Int("count", 1))...)
		}, "after the one before"},
		{"shutdown without an end", func(log *zap.Logger) { log.Info("shutdown begins") }, "log: lines are"},
		{"an attempt failed", func(log *zap.Logger) { log.Warn("attempt failed", with(took, zap.Duration("delay", 0))...) }, "retries:1"},
		{"stuck twice", func(log *zap.Logger) { log.Warn("task still running", with(stack)...) }, "log: lines are"},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := new(Findings)
			lines := NewLines(f)
			right(zap.New(lines))
			c.more(zap.New(lines))
			lines.End(fxtasks.Stats{Counts: fxtasks.Counts{Submitted: 1, Completed: 1, TimedOut: 1, Failed: 1}}, h)
			expect(t, f, c.found)
		})
	}
}
