package fxtasks_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fxtasks/background/fxtasks"
)

// derivations are the ways in which functions derive contexts from the task's. Each gives one that
// ends only with the task's own.
var derivations = []struct {
	what   string
	derive func(ctx context.Context) (context.Context, context.CancelFunc)
}{
	{"the task's own", func(ctx context.Context) (context.Context, context.CancelFunc) { return ctx, func() {} }},
	{"WithCancel", context.WithCancel},
	{"WithTimeout", func(ctx context.Context) (context.Context, context.CancelFunc) {
		return context.WithTimeout(ctx, time.Hour)
	}},
	{"WithValue", func(ctx context.Context) (context.Context, context.CancelFunc) {
		return context.WithValue(ctx, valueKey{}, 1), func() {}
	}},
	{"WithCancel of WithValue", func(ctx context.Context) (context.Context, context.CancelFunc) {
		return context.WithCancel(context.WithValue(ctx, valueKey{}, 1))
	}},
	{"WithTimeout of WithCancel", func(ctx context.Context) (context.Context, context.CancelFunc) {
		ctx, cancel := context.WithCancel(ctx)
		derived, cancelDerived := context.WithTimeout(ctx, time.Hour)
		return derived, func() { cancelDerived(); cancel() }
	}},
}

// endedAs tells, in one value to compare, how ctx has ended.
func endedAs(ctx context.Context) string {
	select {
	case <-ctx.Done():
		return fmt.Sprintf("Err %v, Cause %v", ctx.Err(), context.Cause(ctx))
	default:
		return fmt.Sprintf("not ended; Err %v, Cause %v", ctx.Err(), context.Cause(ctx))
	}
}

func TestContextEndsWithExactlyTheCause(t *testing.T) {
	for _, r := range requests {
		for _, d := range derivations {
			t.Run(r.what+"/"+d.what, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					m := newManager(t, fxtasks.Config{})
					task := submit(t, m, "work", func(ctx context.Context) error {
						before, cancelBefore := d.derive(ctx)
						defer cancelBefore()
						if before.Err() != nil || context.Cause(before) != nil {
							t.Errorf("at the start: %s", endedAs(before))
						}
						<-ctx.Done()
						synctest.Wait() // the end has reached the derived one
						after, cancelAfter := d.derive(ctx)
						defer cancelAfter()
						for when, derived := range map[string]context.Context{"before": before, "after": after} {
							if derived.Err() != r.ctxErr || context.Cause(derived) != r.cause {
								t.Errorf("derived %s the end: %s, want Err %v, Cause %v", when, endedAs(derived), r.ctxErr, r.cause)
							}
							select {
							case <-derived.Done():
							default:
								t.Errorf("derived %s the end: Done is not closed", when)
							}
						}
						return nil
					}, fxtasks.WithTimeout(taskTimeout))
					synctest.Wait()
					r.ask(m, task)
					_ = task.Wait(t.Context())
				})
			})
		}
	}
}

// The submitter's ctx may carry, among its values, how a request has ended. That is not the task's.
func TestCauseIsTheTasksThoughTheSubmittersCtxHasOne(t *testing.T) {
	for _, r := range requests {
		t.Run(r.what, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				m := newManager(t, fxtasks.Config{})
				request, end := context.WithCancelCause(context.Background())
				end(errors.New("request is over"))
				task, err := m.Submit(detached{request}, "work", func(ctx context.Context) error {
					derived, cancel := context.WithCancel(ctx)
					defer cancel()
					<-derived.Done()
					for what, ctx := range map[string]context.Context{"task's": ctx, "derived": derived} {
						if ctx.Err() != r.ctxErr || context.Cause(ctx) != r.cause {
							t.Errorf("%s ctx: %s, want Err %v, Cause %v", what, endedAs(ctx), r.ctxErr, r.cause)
						}
					}
					return nil
				}, fxtasks.WithTimeout(taskTimeout))
				if err != nil {
					t.Fatal(err)
				}
				synctest.Wait()
				r.ask(m, task)
				_ = task.Wait(t.Context())
			})
		})
	}
}

func TestFirstCauseWins(t *testing.T) {
	for _, first := range requests {
		for _, second := range requests {
			t.Run(first.what+" then "+second.what, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					m := newManager(t, fxtasks.Config{})
					release := make(chan struct{})
					task := submit(t, m, "work", func(ctx context.Context) error {
						<-release
						if ctx.Err() != first.ctxErr || context.Cause(ctx) != first.cause {
							t.Errorf("ctx: %s, want Err %v, Cause %v", endedAs(ctx), first.ctxErr, first.cause)
						}
						return errWork
					}, fxtasks.WithTimeout(taskTimeout))
					synctest.Wait()
					first.ask(m, task)
					synctest.Wait()
					asked := time.Now()
					time.Sleep(time.Millisecond)
					second.ask(m, task)
					synctest.Wait()
					if info := task.Info(); info.CancelCause != first.cause || !info.CancelRequestedAt.Equal(asked) {
						t.Errorf("requested at %v because: %v, want %v, %v", info.CancelRequestedAt, info.CancelCause, asked, first.cause)
					}
					close(release)
					err := task.Wait(t.Context())
					if task.Status() != first.status {
						t.Errorf("status is %v, want %v", task.Status(), first.status)
					}
					wantErr(t, err, errWork, first.cause, first.also)
				})
			})
		}
	}
}

func TestContextAfterFunc(t *testing.T) {
	for _, d := range derivations {
		t.Run(d.what, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				m := newManager(t, fxtasks.Config{})
				called := make(chan error, 1)
				task := submit(t, m, "work", func(ctx context.Context) error {
					derived, cancel := d.derive(ctx)
					defer cancel()
					context.AfterFunc(derived, func() { called <- context.Cause(derived) })
					stop := context.AfterFunc(derived, func() { t.Error("called though it was stopped") })
					if !stop() || stop() {
						t.Error("stop did not report that the first call of it stopped the function")
					}
					<-derived.Done()
					// It runs on a goroutine of its own, while the task goes on.
					if cause := <-called; cause != errOwn {
						t.Errorf("cause is %v, want %v", cause, errOwn)
					}
					late := make(chan struct{})
					context.AfterFunc(derived, func() { close(late) })
					<-late
					return nil
				})
				synctest.Wait()
				task.Cancel(errOwn)
				if err := task.Wait(t.Context()); err != nil {
					t.Error(err)
				}
			})
		})
	}
}

func TestContextReportsTheDeadline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newManager(t, fxtasks.Config{MaxRunning: 1})
		submit(t, m, "busy", func(context.Context) error { time.Sleep(time.Minute); return nil })
		deadline := make(chan time.Time, 1)
		task := submit(t, m, "work", func(ctx context.Context) error {
			d, _ := ctx.Deadline()
			deadline <- d
			return nil
		}, fxtasks.WithTimeout(time.Second))
		if got, want := <-deadline, task.Info().StartedAt.Add(time.Second); !got.Equal(want) {
			t.Errorf("deadline is %v, want %v", got, want)
		}
	})
}

func TestContextEndsWhenTheFunctionReturns(t *testing.T) {
	for _, w := range ways {
		for _, d := range derivations {
			t.Run(w.what+"/"+d.what, func(t *testing.T) {
				m := newManager(t, fxtasks.Config{})
				var derived context.Context
				var cancel context.CancelFunc
				task := submit(t, m, "work", func(ctx context.Context) error {
					derived, cancel = d.derive(ctx)
					return w.end()
				}, fxtasks.WithTimeout(time.Hour))
				<-task.Done()
				<-derived.Done()
				defer cancel()
				if derived.Err() != context.Canceled {
					t.Errorf("Err is %v, want %v", derived.Err(), context.Canceled)
				}
			})
		}
	}
}
