package fxtasks_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"strconv"
	"time"

	"pgregory.net/rapid"

	"github.com/fxtasks/background/fxtasks"
)

// modelSubmit is a Submit.
type modelSubmit struct {
	task     *modelTask
	policy   fxtasks.DuplicatePolicy
	blocking bool
	call     *modelCall
	decided  bool
	gives    *modelTask // its own, or the one that it joins; nil for an error
}

func (md *model) stepSubmit(rt *rapid.T) {
	for range rapid.IntRange(1, 3).Draw(rt, "tasks") {
		md.submitOne(rt)
	}
}

func (md *model) submitOne(rt *rapid.T) {
	md.serial++
	t := &modelTask{
		serial:   md.serial,
		id:       rapid.SampledFrom([]string{"", "x", "y"}).Draw(rt, "id"),
		name:     rapid.SampledFrom([]string{"work", "other"}).Draw(rt, "name"),
		group:    rapid.SampledFrom(md.scopes).Draw(rt, "group"),
		kind:     rapid.SampledFrom([]string{"", "int", "string"}).Draw(rt, "kind"),
		metadata: map[string]string{"serial": strconv.Itoa(md.serial)},
		carries:  md.serial,
		orders:   make(chan func() error),
	}
	s := &modelSubmit{
		task:     t,
		policy:   fxtasks.DuplicatePolicy(rapid.IntRange(0, 2).Draw(rt, "policy")),
		blocking: rapid.SampledFrom([]bool{true, true, false}).Draw(rt, "blocking"),
	}
	if t.id != "" {
		s.blocking = false // which of several goes on first, when an ID changes hands and room comes at once, is not promised
	}
	opts := append(t.drawOptions(rt), t.drawRetry(rt)...)
	if t.delay = md.drawDelay(rt, 0, 0, 0, 0, 0, 0, modelDelay, modelLongDelay); t.delay > 0 {
		opts = append(opts, fxtasks.WithDelay(t.delay))
	}
	if t.id == "" {
		s.policy = fxtasks.Reject
	} else {
		opts = append(opts, fxtasks.WithDuplicate(s.policy))
	}
	if s.blocking {
		opts = append(opts, fxtasks.WithBlocking())
	}
	what := fmt.Sprintf("Submit of %v, %v, blocking: %v", t, s.policy, s.blocking)
	s.call = md.newCall(rt, what, md.waiter(rt), modelCallTimeout)
	s.call.submit = s
	by, ctx := s.call.by, context.WithValue(s.call.ctx, carriedKey{}, t.carries)
	if by != nil && rapid.Bool().Draw(rt, "context of its own") {
		ctx, t.carries = s.call.ctx, by.carries
	}

	var task *fxtasks.Task
	var value func(context.Context) (any, error)
	s.call.look = func(rt *rapid.T) {
		switch {
		case (task == nil) != (s.gives == nil):
			rt.Errorf("%v gave %v, want %v", s.call, task, s.gives)
		case task != nil:
			s.gives.adopt(rt, task, value)
		}
	}
	md.ask(s.call, func(context.Context) (err error) { task, value, err = t.submit(ctx, t.run(md.over), opts); return err })
	switch {
	case md.try(s):
	case by != nil && by == mustReturn(md.holder(t.id)) && md.noneMayWait(t.group):
		md.met["a task waits for itself"]++
		md.decided(s, nil, fxtasks.ErrInvalid)
	default:
		md.met["a submit waits for room"]++
	}
	md.await(rt, s.call, func() bool { return s.decided })
}

// try decides what comes of a submit, unless it has to wait for room.
func (md *model) try(s *modelSubmit) bool {
	gives, err := md.decide(s)
	hopeless := s.task.delay > 0 && md.noneMayWait(s.task.group) // there will never be room
	if s.blocking && err == fxtasks.ErrQueueFull && !hopeless {
		return false
	}
	md.decided(s, gives, err)
	return true
}

func (md *model) decided(s *modelSubmit, gives *modelTask, err error) {
	s.decided, s.gives = true, gives
	if err != nil {
		s.call.want = []error{err}
		md.refuse(s.task)
	}
}

// waitsForRoom says whether c is a submit that is not decided yet.
func (c *modelCall) waitsForRoom() bool {
	return c.submit != nil && !c.submit.decided && c.phase == waiting
}

// admit decides the submit that has waited longest, of those that there is room for.
func (md *model) admit() bool {
	for _, c := range md.calls {
		if c.waitsForRoom() && (md.hasSlot(c.submit.task.group) || md.hasRoom(c.submit.task.group, nil)) && md.try(c.submit) {
			md.met["a submit that waited is taken in"]++
			return true
		}
	}
	return false
}

func (t *modelTask) drawOptions(rt *rapid.T) []fxtasks.TaskOption {
	t.timeout, t.grace = t.group.cfg.TaskTimeout, t.group.cfg.DrainGrace
	opts := []fxtasks.TaskOption{fxtasks.WithMetadata(map[string]string{"serial": t.metadata["serial"], "key": "first"})}
	t.metadata["key"] = "first"
	if rapid.Bool().Draw(rt, "more metadata") {
		t.metadata["key"] = "second"
		opts = append(opts, fxtasks.WithMetadata(map[string]string{"key": "second"}))
	}
	if t.id != "" {
		opts = append(opts, fxtasks.WithID(t.id))
	}
	if d := rapid.SampledFrom([]time.Duration{-1, modelTimeout, 0}).Draw(rt, "timeout"); d >= 0 {
		t.timeout = d
		opts = append(opts, fxtasks.WithTimeout(d))
	}
	if d := rapid.SampledFrom([]time.Duration{-1, modelGrace, 0, time.Hour}).Draw(rt, "grace"); d >= 0 {
		t.grace = d
		opts = append(opts, fxtasks.WithDrainGrace(d))
	}
	return opts
}

// submit submits t, for real.
func (t *modelTask) submit(ctx context.Context, fn fxtasks.Func, opts []fxtasks.TaskOption) (*fxtasks.Task, func(context.Context) (any, error), error) {
	switch t.kind {
	case "int":
		return submitValue(ctx, t, t.serial, fn, opts)
	case "string":
		return submitValue(ctx, t, t.metadata["serial"], fn, opts)
	}
	task, err := t.group.into.Submit(ctx, t.name, fn, opts...)
	return task, nil, err
}

func submitValue[T any](ctx context.Context, t *modelTask, value T, fn fxtasks.Func, opts []fxtasks.TaskOption) (*fxtasks.Task, func(context.Context) (any, error), error) {
	work := func(ctx context.Context) (T, error) { return value, fn(ctx) }
	r, err := fxtasks.SubmitResult(ctx, t.group.into, t.name, work, opts...)
	if err != nil {
		return nil, nil, err
	}
	return r.Task, func(ctx context.Context) (any, error) { return r.Value(ctx) }, nil
}

// adopt keeps the handles that a submit gave.
func (t *modelTask) adopt(rt *rapid.T, task *fxtasks.Task, value func(context.Context) (any, error)) {
	info := task.Info()
	if !maps.Equal(info.Metadata, t.metadata) {
		rt.Fatalf("Submit gave %+v, want %v", info, t)
	}
	if value != nil {
		t.value = value
	}
	if t.task == nil {
		t.task, t.id = task, info.ID
		go func() { _ = task.Wait(context.Background()); t.woken = true }()
	}
}

// stepSubmitNonsense submits what must be refused.
func (md *model) stepSubmitNonsense(rt *rapid.T) {
	s := rapid.SampledFrom(md.scopes).Draw(rt, "group")
	ctx := context.Background()
	for _, c := range []struct {
		name string
		fn   fxtasks.Func
		opts []fxtasks.TaskOption
	}{
		{"", nothing, nil},
		{"work", nil, nil},
		{"work", nothing, []fxtasks.TaskOption{fxtasks.WithID("")}},
		{"work", nothing, []fxtasks.TaskOption{fxtasks.WithTimeout(-1)}},
		{"work", nothing, []fxtasks.TaskOption{fxtasks.WithDrainGrace(-1), fxtasks.WithBlocking()}},
		{"work", nothing, []fxtasks.TaskOption{fxtasks.WithDelay(-1)}},
		{"work", nothing, []fxtasks.TaskOption{fxtasks.WithRetry(fxtasks.Retry{MaxAttempts: -1})}},
	} {
		if task, err := s.into.Submit(ctx, c.name, c.fn, c.opts...); !errors.Is(err, fxtasks.ErrInvalid) || task != nil {
			rt.Errorf("Submit(%q, …) gave %v, %v, want ErrInvalid", c.name, task, err)
		}
		md.refused = append(md.refused, refusal{s, c.name})
	}
	for _, opt := range []fxtasks.TaskOption{
		fxtasks.WithRetry(fxtasks.Retry{MaxAttempts: 2}), fxtasks.WithDelay(1), fxtasks.WithBlocking(), fxtasks.WithTimeout(-1),
	} {
		if err := s.into.(runner).Run(ctx, "work", nothing, opt); !errors.Is(err, fxtasks.ErrInvalid) {
			rt.Errorf("Run gave %v, want ErrInvalid", err)
		}
		md.refused = append(md.refused, refusal{s, "work"})
	}
}
