package fxtasks_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fxtasks/background/fxtasks"
)

// report is a result that tests submit for.
type report struct{ pages int }

// submitReport submits for a report and fails the test if that fails.
func submitReport(t *testing.T, s fxtasks.Submitter, fn func(context.Context) (report, error), opts ...fxtasks.TaskOption) *fxtasks.Result[report] {
	t.Helper()
	result, err := fxtasks.SubmitResult(context.Background(), s, "report", fn, opts...)
	if err != nil {
		t.Fatal(err)
	}
	return result
}

func TestValueWaitsForWhatTheFunctionGives(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newManager(t, fxtasks.Config{})
		g, err := m.Group("g", fxtasks.GroupConfig{})
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range []fxtasks.Submitter{m, g} {
			result := submitReport(t, s, func(context.Context) (report, error) {
				time.Sleep(time.Second)
				return report{pages: 7}, nil
			})
			began := time.Now()
			got, err := result.Value(t.Context())
			if err != nil || got != (report{pages: 7}) || time.Since(began) != time.Second {
				t.Errorf("Value gave %v, %v after %v", got, err, time.Since(began))
			}
			if again, err := result.Value(t.Context()); err != nil || again != got {
				t.Errorf("a second Value gave %v, %v", again, err)
			}
		}
	})
}

func TestValueGivesTheErrOfTheTask(t *testing.T) {
	for _, w := range ways {
		t.Run(w.what, func(t *testing.T) {
			m := newManager(t, fxtasks.Config{})
			result := submitReport(t, m, func(context.Context) (report, error) { return report{}, w.end() })
			got, err := result.Value(context.Background())
			if err != result.Err() || got != (report{}) {
				t.Errorf("Value gave %v, %v, want no report and the task's Err %v", got, err, result.Err())
			}
		})
	}
}

func TestValueGivesTheErrorOfItsCtxIfThatEndsFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newManager(t, fxtasks.Config{})
		release := make(chan struct{})
		defer close(release)
		result := submitReport(t, m, func(context.Context) (report, error) {
			<-release
			return report{pages: 7}, nil
		})
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		got, err := result.Value(ctx)
		if err != context.DeadlineExceeded || got != (report{}) || result.Status() != fxtasks.Running {
			t.Errorf("Value gave %v, %v of a %v task", got, err, result.Status())
		}
	})
}

func TestValueOfAFinishedTaskNeedsNoLivingCtx(t *testing.T) {
	m := newManager(t, fxtasks.Config{})
	result := submitReport(t, m, func(context.Context) (report, error) { return report{pages: 7}, nil })
	<-result.Done()
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if got, err := result.Value(ctx); err != nil || got.pages != 7 {
		t.Errorf("Value gave %v, %v", got, err)
	}
	m.Cleanup() // the handle stays valid
	if got, err := result.Value(ctx); err != nil || got.pages != 7 {
		t.Errorf("after the record has gone Value gave %v, %v", got, err)
	}
}

func TestWaitingWithBadContextsGivesErrInvalid(t *testing.T) {
	m := newManager(t, fxtasks.Config{})
	var self *fxtasks.Result[report]
	submitted := make(chan struct{})
	var byItself error
	self = submitReport(t, m, func(ctx context.Context) (report, error) {
		<-submitted
		_, byItself = self.Value(ctx)
		return report{}, nil
	})
	close(submitted)
	var nilCtx context.Context
	_, err := self.Value(nilCtx)
	wantInvalid(t, err, "ctx")
	wantInvalid(t, self.Wait(nilCtx), "ctx")
	if err := self.Wait(context.Background()); err != nil {
		t.Error(err)
	}
	wantInvalid(t, byItself)
}

func TestJoinSharesTheResult(t *testing.T) {
	for _, finished := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			m := newManager(t, fxtasks.Config{})
			release := make(chan struct{})
			first := submitReport(t, m, func(context.Context) (report, error) {
				<-release
				return report{pages: 7}, nil
			}, fxtasks.WithID("id"))
			if finished {
				close(release)
				synctest.Wait()
			}
			second := submitReport(t, m, func(context.Context) (report, error) {
				t.Error("the function of the one that joins has run")
				return report{}, nil
			}, fxtasks.WithID("id"), fxtasks.WithDuplicate(fxtasks.Join))
			if !finished {
				close(release)
			}
			if second.Task != first.Task {
				t.Error("Join gave another task")
			}
			if got, err := second.Value(t.Context()); err != nil || got.pages != 7 {
				t.Errorf("Value of the one that joined gave %v, %v", got, err)
			}
		})
	}
}

func TestJoinOfAnotherTypeGivesErrInvalid(t *testing.T) {
	join := []fxtasks.TaskOption{fxtasks.WithID("id"), fxtasks.WithDuplicate(fxtasks.Join)}
	count := func(context.Context) (int, error) { return 1, nil }
	for _, c := range []struct {
		what  string
		first func(t *testing.T, m *fxtasks.Manager)
		parts []string
	}{
		{"other type", func(t *testing.T, m *fxtasks.Manager) {
			submitReport(t, m, func(ctx context.Context) (report, error) { <-ctx.Done(); return report{}, nil }, join...)
		}, []string{"report", "int"}},
		{"no result", func(t *testing.T, m *fxtasks.Manager) {
			submit(t, m, "plain", untilCancelled, join...)
		}, []string{"plain", "int"}},
		{"an interface that the type implements", func(t *testing.T, m *fxtasks.Manager) {
			if _, err := fxtasks.SubmitResult(context.Background(), m, "any", func(ctx context.Context) (any, error) {
				<-ctx.Done()
				return 1, nil
			}, join...); err != nil {
				t.Fatal(err)
			}
		}, []string{"interface", "int"}},
	} {
		t.Run(c.what, func(t *testing.T) {
			m := newManager(t, fxtasks.Config{})
			c.first(t, m)
			result, err := fxtasks.SubmitResult(context.Background(), m, "count", count, join...)
			wantInvalid(t, err, c.parts...)
			if result != nil {
				t.Error("SubmitResult gave a result along with its error")
			}
			if stats := m.Stats(); stats.Rejected != 1 || stats.Running != 1 {
				t.Errorf("%d rejected, %d running, want 1 of each", stats.Rejected, stats.Running)
			}
		})
	}
}

func TestSubmitMayJoinATaskWithAResult(t *testing.T) {
	m := newManager(t, fxtasks.Config{})
	result := submitReport(t, m, func(context.Context) (report, error) { return report{pages: 7}, nil }, fxtasks.WithID("id"))
	task := submit(t, m, "work", nothing, fxtasks.WithID("id"), fxtasks.WithDuplicate(fxtasks.Join))
	if task != result.Task {
		t.Error("Join gave another task")
	}
	if err := task.Wait(context.Background()); err != nil {
		t.Error(err)
	}
}

func TestSubmitResultGivesTheErrorsOfSubmit(t *testing.T) {
	m := newManager(t, fxtasks.Config{MaxRunning: 1, MaxPending: -1})
	submit(t, m, "busy", untilCancelled, fxtasks.WithID("id"))
	ctx := context.Background()
	fn := func(context.Context) (report, error) { return report{}, nil }
	for _, c := range []struct {
		what string
		name string
		fn   func(context.Context) (report, error)
		opts []fxtasks.TaskOption
		want error
	}{
		{"nil fn", "work", nil, nil, fxtasks.ErrInvalid},
		{"bad name", "", fn, nil, fxtasks.ErrInvalid},
		{"taken ID", "work", fn, []fxtasks.TaskOption{fxtasks.WithID("id")}, fxtasks.ErrDuplicateID},
		{"full", "work", fn, nil, fxtasks.ErrQueueFull},
	} {
		t.Run(c.what, func(t *testing.T) {
			if result, err := fxtasks.SubmitResult(ctx, m, c.name, c.fn, c.opts...); result != nil || !errors.Is(err, c.want) {
				t.Errorf("SubmitResult gave %v, %v, want %v", result, err, c.want)
			}
		})
	}
}

func TestSubmitResultLeavesTheCallersOptionsAlone(t *testing.T) {
	m := newManager(t, fxtasks.Config{})
	shared := make([]fxtasks.TaskOption, 1, 8) // room that an append would write to
	shared[0] = fxtasks.WithTimeout(time.Minute)
	submitReport(t, m, func(context.Context) (report, error) { return report{}, nil }, shared...)
	if shared[:2][1] != nil {
		t.Error("SubmitResult wrote into the caller's slice")
	}
}
