package fxtasks

import (
	"fmt"
	"maps"
	"time"
	"unicode"
	"unicode/utf8"

	"go.uber.org/zap"
)

// Option configures a Manager beyond its Config.
type Option func(*options)

type options struct {
	log        *zap.Logger
	middleware []Middleware
}

// WithLogger makes the manager log to l. Without it, or with nil, it logs nothing.
func WithLogger(l *zap.Logger) Option {
	return func(o *options) { o.log = l }
}

// Middleware wraps the function of a task. It is called once for each attempt, on the goroutine that runs
// it, and a panic in it fails the attempt. What it returns may call next more than once, and may return
// before next does: the value of a SubmitResult is that of the first call that returned nil before the
// attempt ended.
type Middleware func(next Func) Func

// WithMiddleware wraps every task's function; the first is outermost. Given again, it adds further ones
// inside of those. New refuses a nil one with ErrInvalid.
func WithMiddleware(mw ...Middleware) Option {
	return func(o *options) { o.middleware = append(o.middleware, mw...) }
}

// TaskOption configures the task of one Submit or Run, or the tasks of a Schedule. A negative duration is
// ErrInvalid.
type TaskOption func(*taskOptions)

// taskOptions are what TaskOptions set. They begin as a copy of the group's; tasks that are submitted without
// options share the group's. Those of a task never change, but for the result and the schedule.
type taskOptions struct {
	id        string // the one that was chosen, if idSet
	idSet     bool
	timeout   time.Duration
	grace     time.Duration
	delay     time.Duration
	retry     Retry
	metadata  map[string]string
	duplicate DuplicatePolicy
	policySet bool // whether duplicate was chosen
	blocking  bool
	result    resultHandle // nil for Submit, and once the record is forgotten: events may hold on to the task
	periodic  *Periodic    // the schedule that the task is a run of; nil once the task has been accepted
}

// WithID chooses the task's ID: 1–128 bytes of valid UTF-8 without control characters, and not
// ".", ".." or "/". Without it the task gets a UUIDv7.
func WithID(id string) TaskOption {
	return func(o *taskOptions) { o.id, o.idSet = id, true }
}

// WithTimeout ends the task's context with ErrTimeout after d of running; waiting to be started
// does not count. 0 means none. Without it the group's TaskTimeout or the manager's applies.
func WithTimeout(d time.Duration) TaskOption {
	return func(o *taskOptions) { o.timeout = d }
}

// WithMetadata attaches pairs that Info, List and the task's events show. md is copied. Given
// again, it merges over what was there before.
func WithMetadata(md map[string]string) TaskOption {
	md = maps.Clone(md)
	return func(o *taskOptions) {
		if len(md) == 0 {
			return
		}
		if o.metadata == nil {
			o.metadata = make(map[string]string, len(md))
		}
		maps.Copy(o.metadata, md)
	}
}

// WithDrainGrace lets the task go on for d after Shutdown begins, before it is cancelled. 0
// means none. Without it the group's DrainGrace or the manager's applies.
func WithDrainGrace(d time.Duration) TaskOption {
	return func(o *taskOptions) { o.grace = d }
}

// WithDuplicate says what happens when the chosen ID belongs to another task. Defaults to Reject. Without
// WithID it is ErrInvalid.
func WithDuplicate(p DuplicatePolicy) TaskOption {
	return func(o *taskOptions) { o.duplicate, o.policySet = p, true }
}

// WithBlocking makes Submit wait for room, until its ctx ends, where it would otherwise return ErrQueueFull.
// It goes on as soon as the same Submit, made then, would be accepted. A task that calls it with its own
// context counts as waiting meanwhile.
func WithBlocking() TaskOption {
	return func(o *taskOptions) { o.blocking = true }
}

// WithRetry gives the task more attempts when one fails, panics or times out; see Retry. Between two
// attempts the task is pending and holds no slot, no goroutine and no room in the queue. A timeout is each
// attempt's. A cancel, a Replace, a shutdown and runtime.Goexit end the task, whatever is left.
func WithRetry(r Retry) TaskOption {
	return func(o *taskOptions) { o.retry = r }
}

// WithDelay makes the task start d after it was submitted at the earliest. Meanwhile it is pending, and takes
// room in the queue: where none may be pending, Submit returns ErrQueueFull, with WithBlocking too. 0 means at
// once. A shutdown cancels a delayed task when it begins.
func WithDelay(d time.Duration) TaskOption {
	return func(o *taskOptions) { o.delay = d }
}

func withResult(h resultHandle) TaskOption {
	return func(o *taskOptions) { o.result = h }
}

// apply applies the options and checks them.
func (o *taskOptions) apply(opts []TaskOption) error {
	for i, opt := range opts {
		if opt == nil {
			return invalid("task option %d is nil", i)
		}
		opt(o)
	}
	if o.idSet {
		if err := checkID("ID", o.id); err != nil {
			return err
		}
	}
	if o.timeout < 0 {
		return invalid("WithTimeout is %v: must not be negative", o.timeout)
	}
	if o.grace < 0 {
		return invalid("WithDrainGrace is %v: must not be negative", o.grace)
	}
	if o.delay < 0 {
		return invalid("WithDelay is %v: must not be negative", o.delay)
	}
	if err := o.retry.check(); err != nil {
		return err
	}
	if o.duplicate > Replace {
		return invalid("WithDuplicate is %v: no such policy", o.duplicate)
	}
	if o.policySet && !o.idSet {
		return invalid("WithDuplicate is %v without WithID: an ID that is made here has no duplicate", o.duplicate)
	}
	return nil
}

const maxNameBytes = 128 // bytes in a name or an ID

// checkName checks s by the rule for names: short, printable, and fit to label a metric.
func checkName(what, s string) error {
	switch {
	case s == "":
		return invalid("%s is empty", what)
	case len(s) > maxNameBytes:
		return invalid("%s %s has %d bytes: at most %d", what, fmt.Sprintf("%.40q…", s), len(s), maxNameBytes)
	case !utf8.ValidString(s):
		return invalid("%s %q is not valid UTF-8", what, s)
	}
	for _, r := range s {
		if unicode.IsControl(r) {
			return invalid("%s %q has the control character %U", what, s, r)
		}
	}
	return nil
}

// checkID checks s by the rule for names, and refuses the three that no URL path can carry as a segment.
func checkID(what, s string) error {
	if err := checkName(what, s); err != nil {
		return err
	}
	if s == "." || s == ".." || s == "/" {
		return invalid("%s %q: a URL path cannot carry it", what, s)
	}
	return nil
}
