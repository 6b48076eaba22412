package httpapi

import (
	"errors"
	"fmt"
	"net/http"

	"go.uber.org/zap"

	"github.com/fxtasks/background/fxtasks"
)

// Config says who may do what, and how the page presents itself. Its functions run on many
// goroutines at once.
type Config struct {
	// Authorize decides about every request for data. Required, unless AllowUnauthenticated.
	Authorize Authorizer

	// AllowUnauthenticated opens everything to everybody who can reach the handler. With it,
	// Authorize must be nil.
	AllowUnauthenticated bool

	// ReadOnly refuses to cancel tasks, to run schedules and to retry jobs, by the API and so on
	// the page.
	ReadOnly bool

	// Title and Environment are shown on the page, for example "Billing" and "production". Title
	// defaults to "Background tasks".
	Title, Environment string

	// Redact gives what is shown of a metadata value, wherever one leaves. It is called often.
	// Defaults to showing all.
	Redact func(key, value string) string

	// Caller tells who asks, for example by the session: for the log, for "cancelled by" on the page,
	// and so that the Idempotency-Keys of different callers never meet. nil: all are one caller.
	Caller func(r *http.Request) string

	// LoginURL is where the page sends those whom Authorize refuses with ErrUnauthenticated: an http
	// or https address, or one relative to the page. "": nowhere.
	LoginURL string

	// TrustedOrigins may send requests that change something, as "https://ops.example.com". Needed
	// behind a proxy that changes the Host header, since the page then seems to be of another origin.
	// See http.CrossOriginProtection.AddTrustedOrigin.
	TrustedOrigins []string

	// AllowedHosts are the names and addresses in Host headers that are served, whatever the port;
	// all others are answered with 421, but for livez and readyz. Set it where nobody logs in,
	// against DNS rebinding. None: all are served.
	AllowedHosts []string

	// Links gives links that are shown with a task, for example to its trace or its log. Addresses
	// that are neither http, https nor relative are left out.
	Links func(task fxtasks.Info) []Link

	// Jobs are durable jobs, which are then served and shown as well.
	Jobs Jobs

	// MaxStreams is how many event streams may be open at once.
	//
	// Defaults to 100.
	MaxStreams int

	// Logger tells of cancels, runs and retries, each with the task and who asked, and of panics in
	// the functions above. nil: no logs.
	Logger *zap.Logger
}

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
	if c.Caller == nil {
		c.Caller = func(*http.Request) string { return "" }
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
	case c.LoginURL != "" && !isWebAddress(c.LoginURL):
		return fmt.Errorf("httpapi: Config.LoginURL is %q: must be an http or https address, or a relative one", c.LoginURL)
	}
	return nil
}
