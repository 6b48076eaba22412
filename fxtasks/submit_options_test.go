package fxtasks_test

import (
	"context"
	"errors"
	"maps"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fxtasks/background/fxtasks"
)

func TestMetadataIsMergedInOrder(t *testing.T) {
	m := newManager(t, fxtasks.Config{})
	task := submit(t, m, "work", nothing,
		fxtasks.WithMetadata(map[string]string{"user": "7", "region": "eu"}),
		fxtasks.WithMetadata(nil),
		fxtasks.WithMetadata(map[string]string{"region": "us", "plan": "pro"}))
	want := map[string]string{"user": "7", "region": "us", "plan": "pro"}
	if got := task.Info().Metadata; !maps.Equal(got, want) {
		t.Errorf("metadata is %v, want %v", got, want)
	}
}

func TestMetadataIsCopiedInAndOut(t *testing.T) {
	m := newManager(t, fxtasks.Config{})
	given, second := map[string]string{"user": "7"}, map[string]string{"plan": "pro"}
	want := map[string]string{"user": "7", "plan": "pro"}
	task := submit(t, m, "work", nothing, fxtasks.WithMetadata(given), fxtasks.WithMetadata(second))
	given["user"], second["plan"] = "changed by the submitter", "changed by the submitter"

	task.Info().Metadata["user"] = "changed through Info"
	m.List(fxtasks.Filter{}).Tasks[0].Metadata["user"] = "changed through List"
	event, err := m.Subscribe(0).Next(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	event.Task.Metadata["user"] = "changed through an event"

	if got := task.Info().Metadata; !maps.Equal(got, want) {
		t.Errorf("metadata is %v, want %v", got, want)
	}
	if len(given) != 1 || len(second) != 1 {
		t.Errorf("the submitter's maps became %v and %v", given, second)
	}
}

// valueKey is the key under which tests put a value into a submitter's ctx.
type valueKey struct{}

// detached is what code from before context.WithoutCancel uses to outlive a request.
type detached struct{ context.Context }

func (detached) Deadline() (time.Time, bool) { return time.Time{}, false }
func (detached) Done() <-chan struct{}       { return nil }
func (detached) Err() error                  { return nil }

func TestTaskKeepsValuesAndDropsCancellation(t *testing.T) {
	withValue := func() context.Context { return context.WithValue(context.Background(), valueKey{}, "kept") }
	for _, c := range []struct {
		what string
		ctx  func() (ctx context.Context, end func())
	}{
		{"never ends", func() (context.Context, func()) {
			return withValue(), func() {}
		}},
		{"cancelled after Submit", func() (context.Context, func()) {
			return context.WithCancel(withValue())
		}},
		{"cancelled before Submit", func() (context.Context, func()) {
			ctx, cancel := context.WithCancelCause(withValue())
			cancel(errors.New("request is over"))
			return ctx, func() {}
		}},
		{"deadline passes", func() (context.Context, func()) {
			ctx, cancel := context.WithTimeout(withValue(), time.Second)
			return ctx, func() { time.Sleep(2 * time.Second); cancel() }
		}},
		{"detached by hand from a cancelled one", func() (context.Context, func()) {
			ctx, cancel := context.WithCancelCause(withValue())
			return detached{ctx}, func() { cancel(errors.New("request is over")) }
		}},
	} {
		t.Run(c.what, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				m := newManager(t, fxtasks.Config{})
				ctx, end := c.ctx()
				ended := make(chan struct{})
				task, err := m.Submit(ctx, "work", func(ctx context.Context) error {
					<-ended
					if deadline, ok := ctx.Deadline(); ok {
						t.Errorf("task has the deadline %v", deadline)
					}
					if ctx.Err() != nil || context.Cause(ctx) != nil {
						t.Errorf("task's ctx has ended: %v, because: %v", ctx.Err(), context.Cause(ctx))
					}
					derived, cancel := context.WithCancel(ctx)
					defer cancel()
					if derived.Err() != nil || context.Cause(derived) != nil {
						t.Errorf("ctx derived from the task's has ended: %v, because: %v", derived.Err(), context.Cause(derived))
					}
					if got := ctx.Value(valueKey{}); got != "kept" {
						t.Errorf("value is %v, want that of the submitter's ctx", got)
					}
					return nil
				})
				if err != nil {
					t.Fatal(err)
				}
				end()
				close(ended)
				if err := task.Wait(t.Context()); err != nil {
					t.Error(err)
				}
			})
		})
	}
}

func TestTaskOutlivesTheTaskThatSubmittedIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newManager(t, fxtasks.Config{})
		ctx := context.WithValue(context.Background(), valueKey{}, "kept")
		var child *fxtasks.Task
		parent, err := m.Submit(ctx, "parent", func(ctx context.Context) (err error) {
			child, err = m.Submit(ctx, "child", func(ctx context.Context) error {
				<-ctx.Done()
				if got := ctx.Value(valueKey{}); got != "kept" {
					t.Errorf("value is %v, want that of the first submitter's ctx", got)
				}
				return nil
			})
			return err
		}, fxtasks.WithTimeout(time.Second))
		if err != nil {
			t.Fatal(err)
		}
		if err := parent.Wait(t.Context()); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Minute)
		if got := child.Status(); got != fxtasks.Running {
			t.Errorf("child is %v after its parent has ended, want running", got)
		}
	})
}

func TestSubmitReturnsAtOnceUnlessBlocking(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newManager(t, fxtasks.Config{MaxRunning: 1, MaxPending: 1})
		release := make(chan struct{})
		submit(t, m, "runs", until(release))
		submit(t, m, "waits", nothing)
		time.AfterFunc(time.Minute, func() { close(release) })

		began := time.Now()
		if _, err := m.Submit(t.Context(), "refused", nothing); !errors.Is(err, fxtasks.ErrQueueFull) {
			t.Errorf("Submit gave %v, want ErrQueueFull", err)
		}
		if took := time.Since(began); took != 0 {
			t.Errorf("Submit took %v", took)
		}
		task := submit(t, m, "blocks", nothing, fxtasks.WithBlocking())
		if took := time.Since(began); took != time.Minute {
			t.Errorf("blocking Submit took %v, want until there was room", took)
		}
		if err := task.Wait(t.Context()); err != nil {
			t.Error(err)
		}
	})
}

func TestBlockingSubmitWithAnEndedCtxTakesFreeRoom(t *testing.T) {
	m := newManager(t, fxtasks.Config{MaxRunning: 1})
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	task, err := m.Submit(ctx, "work", nothing, fxtasks.WithBlocking())
	if err != nil {
		t.Fatalf("Submit gave %v though it need not wait", err)
	}
	if err := task.Wait(context.Background()); err != nil {
		t.Error(err)
	}
}

func TestBlockingSubmitWaitsThoughAFinishedTaskHasItsID(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newManager(t, fxtasks.Config{MaxRunning: 1, MaxPending: -1})
		_ = submit(t, m, "before", nothing, fxtasks.WithID("id")).Wait(t.Context())
		release := make(chan struct{})
		busy := submit(t, m, "busy", until(release))
		got := make(chan error, 1)
		go func() {
			task, err := m.Submit(context.Background(), "again", nothing, fxtasks.WithID("id"), fxtasks.WithBlocking())
			if err == nil {
				err = task.Wait(context.Background())
			}
			got <- err
		}()
		synctest.Wait()
		busy.Cancel(nil) // it does not listen, so there is no more room than before
		synctest.Wait()
		close(release)
		if err := <-got; err != nil {
			t.Errorf("Submit gave %v, want it to wait for room", err)
		}
	})
}
