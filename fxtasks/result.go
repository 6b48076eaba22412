package fxtasks

import (
	"context"
	"reflect"
	"sync"
)

// Result is a Task whose function returns a value.
type Result[T any] struct {
	*Task
	box *resultBox[T]
}

// resultBox holds the value of a task's function: that of the first call that returned nil while the attempt
// ran. Calls that a middleware repeats, or has not waited for, change nothing.
type resultBox[T any] struct {
	mu     sync.Mutex   // protects what follows
	taking *taskContext // of the attempt that runs, whose value is taken; nil: none runs
	has    bool
	value  T
}

// resultHandle refers to the box that one SubmitResult reads: that of its own task or, under Join, of the
// task that it joins. It is never called under another lock than that of a section, and calls no user code.
type resultHandle interface {
	resultType() reflect.Type
	open(c *taskContext) // the attempt of c begins
	close(keep bool)     // the attempt has ended; keep is false if it failed
	get() (any, bool)
	// join moves the handle to the box of another task. It reports false if that has another type, or none.
	join(other resultHandle) bool
}

type typedHandle[T any] struct{ box *resultBox[T] }

func (*typedHandle[T]) resultType() reflect.Type { return reflect.TypeFor[T]() }

func (h *typedHandle[T]) open(c *taskContext) {
	h.box.mu.Lock()
	defer h.box.mu.Unlock()
	h.box.taking = c
}

func (h *typedHandle[T]) close(keep bool) {
	h.box.mu.Lock()
	defer h.box.mu.Unlock()
	h.box.taking = nil
	if !keep {
		var none T
		h.box.value, h.box.has = none, false
	}
}

// attemptOf returns the context of the attempt that a call of the function belongs to. That is the one of ctx, or,
// where a middleware has passed a context that is not the task's, the one that runs.
func (b *resultBox[T]) attemptOf(ctx context.Context) *taskContext {
	c := taskContextOf(ctx)
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.taking != nil && (c == nil || c.task != b.taking.task) {
		return b.taking
	}
	return c
}

func (b *resultBox[T]) put(c *taskContext, value T) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.taking != nil && b.taking == c && !b.has {
		b.value, b.has = value, true
	}
}

func (b *resultBox[T]) get() (T, bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.value, b.has
}

func (h *typedHandle[T]) get() (any, bool) { return h.box.get() }

func (h *typedHandle[T]) join(other resultHandle) bool {
	o, ok := other.(*typedHandle[T])
	if ok {
		h.box = o.box
	}
	return ok
}

// SubmitResult is Submit for a function that returns a value: that of the first call of fn that returned
// a nil error, if the task completes. The value is kept as long as the task's record or the Result is.
// Joining, under Join, a task that was not submitted by SubmitResult with the same T is an error that
// matches ErrInvalid.
func SubmitResult[T any](ctx context.Context, s Submitter, name string,
	fn func(context.Context) (T, error), opts ...TaskOption) (*Result[T], error) {
	if s == nil {
		return nil, invalid("submitter is nil")
	}
	handle := &typedHandle[T]{new(resultBox[T])}
	box := handle.box
	var work Func // stays nil for a nil fn, which Submit refuses
	if fn != nil {
		work = func(ctx context.Context) error {
			attempt := box.attemptOf(ctx)
			value, err := fn(ctx)
			if err == nil {
				box.put(attempt, value)
			}
			return err
		}
	}
	t, err := s.Submit(ctx, name, work, append(opts[:len(opts):len(opts)], withResult(handle))...)
	if err != nil {
		return nil, err
	}
	return &Result[T]{Task: t, box: handle.box}, nil
}

// ResultOf returns the Result of a task that was submitted by SubmitResult with the same T; false for
// any other, and for one whose record has been forgotten.
func ResultOf[T any](t *Task) (*Result[T], bool) {
	if t == nil {
		return nil, false
	}
	cs := t.group.m.reg.enter()
	handle, ok := t.opts.result.(*typedHandle[T])
	cs.leave()
	if !ok {
		return nil, false
	}
	return &Result[T]{Task: t, box: handle.box}, true
}

// Value blocks until the task has finished and returns its value, with the task's Err; or ctx's error,
// and no value, if ctx ends first. It waits as Task.Wait does.
func (r *Result[T]) Value(ctx context.Context) (T, error) {
	var none T
	if err := r.await(ctx); err != nil {
		return none, err
	}
	if err := r.final(); err != nil {
		return none, err
	}
	value, _ := r.box.get()
	return value, nil
}

// Result returns the value of a task that was submitted by SubmitResult; ok is false unless it has
// completed and its record is known. The value must not be changed once fn has returned.
func (t *Task) Result() (value any, ok bool) {
	cs := t.group.m.reg.enter()
	handle, done := t.opts.result, t.status == Completed
	cs.leave()
	if handle == nil || !done {
		return nil, false
	}
	return handle.get()
}
