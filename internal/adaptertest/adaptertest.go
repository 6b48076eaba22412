// Package adaptertest is the one set of behaviour tests that the adapters of all of Echo's major
// versions pass. It speaks to them over HTTP, and knows no Echo.
package adaptertest

import (
	"context"
	"crypto/tls"
	"net"
	"net/http"
	"testing"

	"go.uber.org/fx"

	"github.com/fxtasks/background/fxtasks"
	"github.com/fxtasks/background/httpapi"
)

// Context is what the contexts of all versions have in common.
type Context interface {
	Request() *http.Request
	String(code int, s string) error
	NoContent(code int) error
}

// Handler is an Echo's handler.
type Handler = func(c Context) error

// Middleware is an Echo's middleware.
type Middleware = func(next Handler) Handler

// Echo is an *echo.Echo.
type Echo interface {
	Add(method, path string, h Handler)
	Group(prefix string, m Middleware) // with nothing in it
	Static(path, folder string)
	UseStandard(m func(http.Handler) http.Handler)
	OnError(handle func(c Context, err error))
	Validate(validate func(any) error)
	Routes() int
	ServeHTTP(w http.ResponseWriter, r *http.Request)
}

// Adapter is an *Adapter.
type Adapter interface {
	Submit(c Context, s fxtasks.Submitter, name string, fn fxtasks.Func, opts ...fxtasks.TaskOption) error
	Accepted(c Context, t *fxtasks.Task) error
	AcceptedJob(c Context, id string) error
	CloseStreams()
}

// Config is the adapter's.
type Config struct {
	Prefix     string
	Middleware []Middleware
	Caller     func(c Context) string
	Location   func(c Context, id string) string
	API        httpapi.Config
}

// Report is what requests are bound to.
type Report struct {
	Year   int      `param:"year" json:"-"`
	Format string   `query:"format" json:"format"`
	Pages  []string `json:"pages"`
}

// Version is one major version's adapter.
type Version struct {
	Echo         string // import path, as the two that follow
	OtherEcho    string
	OtherAdapter string

	NewEcho func() Echo
	Module  fx.Option
	Supply  func(e Echo, cfg Config) fx.Option // e and cfg by their own types; and an Adapter
	New     func(e Echo, m *fxtasks.Manager, cfg Config) (Adapter, error)

	// Unbuildable provides an *echo.Echo that needs a Missing.
	Unbuildable fx.Option

	// Serve serves e on l, as the application of this version does, until stop, which returns when
	// all requests are over or ctx has ended.
	Serve func(t testing.TB, e Echo, a Adapter, l net.Listener, config *tls.Config) (stop func(ctx context.Context) error)

	HTTPError func(err error) error
	Status    func(err error) (code int, message string, direct bool) // direct: err is itself an *echo.HTTPError
	OwnError  func(code int, message string) error

	Handle        func(a Adapter, s fxtasks.Submitter, name string, fn func(context.Context, Report) error, opts ...fxtasks.TaskOption) Handler
	HandlePointer func(a Adapter, s fxtasks.Submitter, name string, fn func(context.Context, *Report) error, opts ...fxtasks.TaskOption) Handler
}

// Missing is what nothing provides.
type Missing struct{}

// Run runs all tests.
func Run(t *testing.T, v Version) {
	for _, test := range []struct {
		name string
		run  func(*testing.T, Version)
	}{
		{"the module serves the API", servesTheAPI},
		{"methods that the router does not know get a 405 of the API's (H16)", unknownMethods},
		{"prefixes", prefixes},
		{"New fails on a bad Config", badConfigs},
		{"an application without an Authorizer does not start", noAuthorizer},
		{"middleware", middleware},
		{"the logger defaults to the graph's", logger},
		{"writers that cannot flush (H13, echo2592)", cannotFlush},
		{"a stream outlives the server's timeouts", outlivesTimeouts},
		{"open streams do not hold up shutdown", shutdown},
		{"CloseStreams for a server of one's own", closeStreams},
		{"routes and mounts that are there already (H20)", collisionsAtMount},
		{"routes that come later (H20)", collisionsAtStart},
		{"routes that do not collide", noCollisions},
		{"no Echo at all (H23)", noEcho},
		{"an Echo that cannot be built (H23)", unbuildableEcho},
		{"Submit", submit},
		{"Submit to a group", submitToAGroup},
		{"Accepted", accepted},
		{"Prefer wait", preferWait},
		{"Location", location},
		{"refusals are rendered by the application", refusals},
		{"a blocking submit ends with its client", blockingSubmit},
		{"a blocking submit outlives the server's timeouts (H1, go47229)", blockingOutlivesTimeouts},
		{"Idempotency-Keys", idempotencyKeys},
		{"a chosen ID has the say over the key", chosenID},
		{"Handle", handle},
		{"Handle refuses what cannot be bound or is not valid", handleRefuses},
		{"HTTPError", httpErrors},
		{"Caller by Echo's context or by the request, not both (H21)", callers},
		{"AcceptedJob", acceptedJob},
		{"whose jobs are served", whoseJobs},
	} {
		t.Run(test.name, func(t *testing.T) { test.run(t, v) })
	}
}
