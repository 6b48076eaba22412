package fxtasks

import (
	"context"
	"reflect"
)

// Result is a Task whose function gives a value.
type Result[T any] struct {
	*Task
	box *resultBox[T]
}

// resultBox is where the function leaves its value. The task's end orders the write before reads.
type resultBox[T any] struct{ value T }

func (*resultBox[T]) resultType() reflect.Type { return reflect.TypeFor[T]() }

// anyResultBox is a *resultBox of some type.
type anyResultBox interface{ resultType() reflect.Type }

// resultHandle leads one SubmitResult to the box of the task that it gets: its own, or, under
// Join, the other's.
type resultHandle[T any] struct{ box *resultBox[T] }

type anyResultHandle interface {
	own() anyResultBox
	// join moves the handle to the box of another task. It reports false if that has another
	// type. The registry calls it, before the other task can be forgotten and its box with it.
	join(other anyResultBox) bool
}

func (h *resultHandle[T]) own() anyResultBox { return h.box }

func (h *resultHandle[T]) join(other anyResultBox) bool {
	box, ok := other.(*resultBox[T])
	if ok {
		h.box = box
	}
	return ok
}

// SubmitResult is Submit for a function that gives a value. The value is kept as long as the
// task's record or the Result is. Joining, under Join, a task that was not submitted by
// SubmitResult with the same T is an error that matches ErrInvalid.
func SubmitResult[T any](ctx context.Context, s Submitter, name string,
	fn func(context.Context) (T, error), opts ...TaskOption) (*Result[T], error) {
	if s == nil {
		return nil, invalid("submitter is nil")
	}
	box := new(resultBox[T])
	handle := &resultHandle[T]{box}
	var work Func // stays nil for a nil fn, which Submit refuses
	if fn != nil {
		work = func(ctx context.Context) (err error) {
			box.value, err = fn(ctx)
			return err
		}
	}
	t, err := s.Submit(ctx, name, work, append(opts[:len(opts):len(opts)], withResult(handle))...)
	if err != nil {
		return nil, err
	}
	return &Result[T]{Task: t, box: handle.box}, nil
}

// Value blocks until the task has finished and gives what its function returned, with the task's
// Err; or ctx's error, and no value, if ctx ends first. It waits as Task.Wait does.
func (r *Result[T]) Value(ctx context.Context) (T, error) {
	if err := r.await(ctx); err != nil {
		var none T
		return none, err
	}
	return r.box.value, r.err
}
