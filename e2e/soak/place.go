package main

import (
	"context"

	"github.com/fxtasks/background/e2e/soak/checks"
	"github.com/fxtasks/background/fxtasks"
)

// placed is a submission that has been submitted. result is nil but for SubmitResult.
type placed struct {
	*checks.Entry
	result *fxtasks.Result[int]
}

// target is what tasks are given to: the manager, and each of its groups.
type target interface {
	fxtasks.Submitter
	Run(ctx context.Context, name string, fn fxtasks.Func, opts ...fxtasks.TaskOption) error
	Schedule(name string, s fxtasks.Schedule, fn fxtasks.Func, opts ...fxtasks.TaskOption) (*fxtasks.Periodic, error)
}

// target gives a group, or the manager for "".
func (r *round) target(group string) target {
	if group == "" {
		return r.manager
	}
	return r.group[group]
}

// place submits with ctx, which ends as soon as that is done: the task must not mind.
func (r *round) place(ctx context.Context, sub submission) placed {
	e := r.ledger.Open(sub.order)
	ctx, end := context.WithCancel(context.WithValue(ctx, cargoKey{}, r.cargo.load(e.N, "the ctx of Submit")))
	defer end()
	return r.placeWith(ctx, e, sub)
}

// placeWith submits with ctx as it is.
func (r *round) placeWith(ctx context.Context, e *checks.Entry, sub submission) placed {
	fn, opts := r.arm(ctx, e, sub)
	into := r.target(sub.order.Group)
	var task *fxtasks.Task
	var result *fxtasks.Result[int]
	var err error
	if sub.order.Typed {
		result, err = fxtasks.SubmitResult(ctx, into, sub.name, typed(fn), opts...)
		if result != nil {
			task = result.Task
		}
	} else {
		task, err = into.Submit(ctx, sub.name, fn, opts...)
	}
	e.Answer(task, err, ctx.Err())
	r.tally.beats.Add(1)
	return placed{e, result}
}

// arm gives the function and the options for e. The function wants the values of ctx in its context.
func (r *round) arm(ctx context.Context, e *checks.Entry, sub submission) (fn fxtasks.Func, opts []fxtasks.TaskOption) {
	opts = sub.opts
	if !e.Bare {
		metadata := e.Metadata()
		opts = append(opts, fxtasks.WithMetadata(metadata))
		clear(metadata) // it is copied
	}
	if sub.act == nil {
		return nil, opts
	}
	captured, values := r.cargo.load(e.N, "the function"), cargoOf(ctx).number
	return func(ctx context.Context) error {
		if got := cargoOf(ctx).number; captured.number != e.N || got != values {
			r.findings.Addf("submit %d: its context has the values of submit %d, want those of %d", e.N, got, values)
		}
		return r.perform(ctx, e, sub)
	}, opts
}

// typed makes fn give a value by which its attempt can be told from others.
func typed(fn fxtasks.Func) func(context.Context) (int, error) {
	if fn == nil {
		return nil
	}
	return func(ctx context.Context) (int, error) {
		self, _ := fxtasks.FromContext(ctx)
		return valueOf(self.Info()), fn(ctx)
	}
}

func valueOf(i fxtasks.Info) int { return checks.OrderOf(i)<<4 + i.Attempt }

// await waits for what was placed with ctx, in one of the ways there are.
func (r *round) await(ctx context.Context, l luck, p placed) {
	task := p.Task()
	if _, nested := fxtasks.FromContext(ctx); nested {
		r.awaited.Store(task.Info().Seq, true)
	}
	if p.result == nil || l.oneIn(2) {
		err := task.Wait(ctx)
		r.findings.Waited("Wait", task, err, ctx.Err())
		return
	}
	value, err := p.result.Value(ctx)
	r.findings.Waited("Value", task, err, ctx.Err())
	if want := valueOf(task.Info()); err == nil && value != want {
		r.findings.Addf("Value gave %d, want %d, which the last attempt returned", value, want)
	}
}
