package echov5adapter

import (
	"net/http"
	"strconv"

	"github.com/labstack/echo/v5"

	"github.com/fxtasks/background/fxtasks"
	"github.com/fxtasks/background/httpapi"
	"github.com/fxtasks/background/internal/echomount"
)

// Adapter answers handlers that start tasks. It is made by New and safe for any number of requests
// at once.
type Adapter struct {
	api      *httpapi.API
	prefix   string
	caller   func(c *echo.Context) string
	location func(c *echo.Context, id string) string
}

// Submit submits fn to s, with the request's context, and answers with the task: 202, its Location
// and its state. It does not wait for the task, unless the client asks for that by
// "Prefer: wait=N"; with an Idempotency-Key a repeated request joins the task of the first.
//
// A refusal is not answered but returned, as an *echo.HTTPError with Retry-After set on the
// response, so that the application's error handler renders it like its others.
func (a *Adapter) Submit(c *echo.Context, s fxtasks.Submitter, name string, fn fxtasks.Func, opts ...fxtasks.TaskOption) error {
	caller := ""
	if a.caller != nil {
		caller = a.caller(c)
	}
	var t *fxtasks.Task
	var err error
	echomount.Unhurried(c.Response(), c.Request(), func() { t, err = a.api.Submit(c.Request(), caller, s, name, fn, opts...) })
	if err != nil {
		return refuse(c, err)
	}
	return a.Accepted(c, t)
}

// Accepted answers with a task that the handler has submitted itself, and honours "Prefer: wait=N".
// An Idempotency-Key needs Submit.
func (a *Adapter) Accepted(c *echo.Context, t *fxtasks.Task) error {
	a.api.Accepted(a.writer(c, t.ID()), c.Request(), a.prefix, t)
	return nil
}

// AcceptedJob does the same for a durable job that the handler has inserted: its Location answers on
// every replica. An Idempotency-Key is the insert's matter. It is an error without an httpapi.Jobs.
func (a *Adapter) AcceptedJob(c *echo.Context, id string) error {
	if err := a.api.AcceptedJob(a.writer(c, id), c.Request(), a.prefix, id); err != nil {
		return refuse(c, err)
	}
	return nil
}

// writer returns the response writer of c, which sets the Location of the task or job if the Config has one.
func (a *Adapter) writer(c *echo.Context, id string) http.ResponseWriter {
	if a.location != nil {
		if location := a.location(c, id); location != "" {
			return echomount.WithLocation(c.Response(), location)
		}
	}
	return c.Response()
}

// BeforeServe makes server end all open event streams when it shuts down; its Shutdown would wait
// for them. It fits Echo's StartConfig, and never fails:
//
//	echo.StartConfig{Address: ":8080", BeforeServeFunc: adapter.BeforeServe}.Start(ctx, e)
//
// e.Start takes no such function: it waits for open streams until its timeout.
func (a *Adapter) BeforeServe(server *http.Server) error {
	server.RegisterOnShutdown(a.CloseStreams)
	return nil
}

// CloseStreams ends all open event streams, also those whose client has stopped reading.
func (a *Adapter) CloseStreams() { a.api.CloseStreams() }

// refuse sets the Retry-After header for err, and returns the error for Echo.
func refuse(c *echo.Context, err error) error {
	if refusal := httpapi.RefusalOf(err); refusal.RetryAfter > 0 {
		c.Response().Header().Set(echo.HeaderRetryAfter, strconv.Itoa(refusal.RetryAfter))
	}
	return HTTPError(err)
}
