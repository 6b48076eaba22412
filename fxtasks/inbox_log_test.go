package fxtasks_test

import (
	"context"
	"slices"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"github.com/fxtasks/background/fxtasks"
)

// newHanging makes a manager whose log hangs on the lines that tell of the submits of "hangs 1" and "hangs 2".
func newHanging(t *testing.T, maxRunning int) (m *fxtasks.Manager, release map[string]chan struct{}) {
	release = map[string]chan struct{}{"hangs 1": make(chan struct{}), "hangs 2": make(chan struct{})}
	var armed atomic.Bool
	m = newManager(t, fxtasks.Config{MaxRunning: maxRunning}, fxtasks.WithLogger(zap.New(lineFunc(func(e zapcore.Entry, fields []zapcore.Field) {
		for _, f := range fields {
			if hangs := release[f.String]; armed.Load() && e.Message == "task submitted" && hangs != nil {
				<-hangs
			}
		}
	}))))
	for name := range release { // from now on they are known
		submit(t, m, name, nothing)
	}
	synctest.Wait()
	armed.Store(true)
	return m, release
}

// TestHangingLineOfOneSubmitHoldsUpNoOtherTask: the second submit, which decides about a chosen ID,
// is also the one that decides that the first task can start.
func TestHangingLineOfOneSubmitHoldsUpNoOtherTask(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, release := newHanging(t, 2)
		ran := make(chan struct{})
		go m.Submit(t.Context(), "hangs 1", func(context.Context) error { close(ran); return nil })
		synctest.Wait()
		go m.Submit(t.Context(), "hangs 2", nothing, fxtasks.WithID("x"))
		synctest.Wait()
		close(release["hangs 1"])
		synctest.Wait()
		select {
		case <-ran:
		default:
			t.Errorf("its submit has returned, but the task has not started; Stats are %+v", m.Stats())
		}
		close(release["hangs 2"])
		synctest.Wait()
	})
}

// TestFirstSubmittedFirstStartedThoughItsSubmitIsNotThrough has the second one submitted in the other way.
func TestFirstSubmittedFirstStartedThoughItsSubmitIsNotThrough(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, release := newHanging(t, 1)
		var started []uint64
		fn := func(ctx context.Context) error {
			self, _ := fxtasks.FromContext(ctx)
			started = append(started, self.Info().Seq)
			return nil
		}
		go m.Submit(t.Context(), "hangs 1", fn)
		synctest.Wait()
		submit(t, m, "task", fn, fxtasks.WithID("x"))
		close(release["hangs 1"])
		synctest.Wait()
		if len(started) != 2 || !slices.IsSorted(started) {
			t.Errorf("tasks were started in the order %v", started)
		}
	})
}
