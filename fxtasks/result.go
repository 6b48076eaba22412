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

type resultTyper interface{ resultType() reflect.Type }

func (*resultBox[T]) resultType() reflect.Type { return reflect.TypeFor[T]() }

// SubmitResult is Submit for a function that gives a value. The value is kept as long as the
// task's record or the Result is. Joining, under Join, a task that was not submitted by
// SubmitResult with the same T is an error that matches ErrInvalid.
func SubmitResult[T any](ctx context.Context, s Submitter, name string,
	fn func(context.Context) (T, error), opts ...TaskOption) (*Result[T], error) {
	if s == nil {
		return nil, invalid("submitter is nil")
	}
	box := new(resultBox[T])
	var work Func // stays nil for a nil fn, which Submit refuses
	if fn != nil {
		work = func(ctx context.Context) (err error) {
			box.value, err = fn(ctx)
			return err
		}
	}
	t, err := s.Submit(ctx, name, work, append(opts[:len(opts):len(opts)], withResult(box))...)
	if err != nil {
		return nil, err
	}
	if joined, ok := t.result.(*resultBox[T]); ok {
		box = joined
	}
	return &Result[T]{Task: t, box: box}, nil
}

// Value blocks until the task has finished and gives what its function returned, with the task's
// Err; or ctx's error, and no value, if ctx ends first. It waits as Task.Wait does.
func (r *Result[T]) Value(ctx context.Context) (T, error) {
	err := r.Wait(ctx)
	if !r.Status().Finished() {
		var none T
		return none, err
	}
	return r.box.value, err
}
