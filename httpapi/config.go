package httpapi

import (
	"errors"
	"fmt"
	"net/http"

	"go.uber.org/zap"

	"github.com/fxtasks/background/fxtasks"
)

// Config says who may do what, and how the page presents itself.
type Config struct {
	// Authorize decides about every request for data. Required, unless AllowUnauthenticated.
	Authorize Authorizer

	// AllowUnauthenticated opens everything to everybody who can reach the handler. With it,
	// Authorize must be nil.
	AllowUnauthenticated bool

	// ReadOnly refuses to cancel tasks, by the API and so on the page.
	ReadOnly bool

	// Title and Environment are shown on the page, for example "Billing" and "production". Title
	// defaults to "Background tasks".
	Title, Environment string

	// Redact gives what is shown of a metadata value, wherever one leaves. It is called often,
	// and from many goroutines. Defaults to showing all.
	Redact func(key, value string) string

	// LoginURL is where the page sends those whom Authorize refuses with ErrUnauthenticated: an http
	// or https address, or one relative to the page. "": nowhere.
	LoginURL string

	// MaxStreams is how many event streams may be open at once.
	//
	// Defaults to 100.
	MaxStreams int

	// Logger tells of cancels, each with the task and who asked. nil: no logs.
	Logger *zap.Logger
}

// Authorizer decides whether the caller of r may do a. nil allows; any error refuses, and is not
// shown to the caller.
//
// For lists, statistics and the event stream it is asked for ActionView with a nil task, then with
// each task that would be shown. For one task it is asked with that task: for ActionView, and then
// for ActionViewStack if there is a stack, or ActionCancel. A task that may not be viewed is a 404.
// It must not change task, and runs on many goroutines at once.
type Authorizer func(r *http.Request, a Action, task *fxtasks.Info) error

// Action is what an Authorizer is asked about.
type Action string

// The actions.
const (
	ActionView      Action = "view"
	ActionViewStack Action = "view_stack"
	ActionCancel    Action = "cancel"
)

const (
	defaultTitle      = "Background tasks"
	defaultMaxStreams = 100
)

func (c Config) withDefaults() Config {
	if c.Title == "" {
		c.Title = defaultTitle
	}
	if c.MaxStreams == 0 {
		c.MaxStreams = defaultMaxStreams
	}
	if c.Redact == nil {
		c.Redact = func(_, value string) string { return value }
	}
	if c.Logger == nil {
		c.Logger = zap.NewNop()
	}
	if c.AllowUnauthenticated {
		c.Authorize = func(*http.Request, Action, *fxtasks.Info) error { return nil }
	}
	return c
}

func (c Config) validate() error {
	switch {
	case c.Authorize == nil && !c.AllowUnauthenticated:
		return errors.New("httpapi: Config.Authorize is nil: say who may do what, or set AllowUnauthenticated")
	case c.Authorize != nil && c.AllowUnauthenticated:
		return errors.New("httpapi: Config.AllowUnauthenticated is set, and so is Authorize: which is meant?")
	case c.MaxStreams < 0:
		return fmt.Errorf("httpapi: Config.MaxStreams is %d: must not be negative", c.MaxStreams)
	}
	return nil
}
