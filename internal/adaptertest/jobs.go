package adaptertest

import (
	"context"
	"net/http"
	"testing"

	"go.uber.org/fx"

	"github.com/fxtasks/background"
	"github.com/fxtasks/background/fxtasks"
	"github.com/fxtasks/background/fxtasks/fxtaskstest"
	"github.com/fxtasks/background/httpapi"
)

// jobs has one running job of that kind, whose ID is "7".
type jobs string

func (kind jobs) Job(_ context.Context, id string) (httpapi.Job, error) {
	if id != "7" {
		return httpapi.Job{}, fxtasks.ErrNotFound
	}
	return httpapi.Job{Info: fxtasks.Info{ID: id, Name: string(kind), Group: "jobs/default", Status: fxtasks.Running}}, nil
}

func (kind jobs) List(context.Context, httpapi.JobFilter) (httpapi.JobPage, error) {
	return httpapi.JobPage{}, nil
}

func (kind jobs) Counts(context.Context) (map[fxtasks.Status]int, error) { return nil, nil }

func (kind jobs) Cancel(ctx context.Context, id, _, _ string) (httpapi.Job, error) {
	return kind.Job(ctx, id)
}

func (kind jobs) Retry(context.Context, string) (httpapi.Job, error) {
	return httpapi.Job{}, fxtasks.ErrStillRunning
}

func provideJobs(kind string) fx.Option {
	return fx.Provide(func() httpapi.Jobs { return jobs(kind) })
}

func acceptedJob(t *testing.T, v Version) {
	a := start(t, v, Config{API: open}, provideJobs("graph"))
	insert := func(id string) Handler {
		return func(c Context) error { return a.adapter.AcceptedJob(c, id) }
	}
	a.echo.Add("POST", "/reports", insert("7"))
	a.echo.Add("POST", "/unknown", insert("8"))
	a.do("POST", "/reports").want(http.StatusAccepted, `"id":"7"`, `"name":"graph"`).
		wantHeader("Location", "/background/jobs/7").wantHeader("Retry-After", "1")
	a.do("GET", "/background/jobs/7").want(http.StatusOK, `"id":"7"`)
	a.do("POST", "/unknown").want(http.StatusNotFound, `"message"`)

	own := start(t, v, Config{API: open, Location: func(_ Context, id string) string { return "/orders/" + id }}, provideJobs("graph"))
	own.echo.Add("POST", "/reports", func(c Context) error { return own.adapter.AcceptedJob(c, "7") })
	own.do("POST", "/reports").want(http.StatusAccepted).wantHeader("Location", "/orders/7")

	none := start(t, v, Config{API: open})
	none.echo.Add("POST", "/reports", func(c Context) error { return none.adapter.AcceptedJob(c, "7") })
	none.do("POST", "/reports").want(http.StatusInternalServerError)
}

func whoseJobs(t *testing.T, v Version) {
	api := open
	api.Jobs = jobs("own")
	start(t, v, Config{API: api}, provideJobs("graph")).do("GET", "/background/jobs/7").want(http.StatusOK, `"name":"own"`)
	start(t, v, Config{API: open}).do("GET", "/background/jobs/7").want(http.StatusNotFound)

	app := fx.New(fx.NopLogger, background.Module, v.Module, v.Supply(v.NewEcho(), Config{API: open}),
		fx.Provide(func(Missing) httpapi.Jobs { return jobs("lost") }))
	wantError(t, app.Err(), "httpapi.Jobs cannot be built", "adaptertest.Missing")
}

func callers(t *testing.T, v Version) {
	both := Config{API: open, Caller: func(Context) string { return "" }}
	both.API.Caller = func(*http.Request) string { return "" }
	_, err := v.New(v.NewEcho(), fxtaskstest.New(t), both)
	wantError(t, err, "Config.Caller", "Config.API.Caller")

	ofRequest := Config{API: open}
	ofRequest.API.Caller = func(r *http.Request) string { return r.Header.Get("User") }
	for name, cfg := range map[string]Config{
		"Config.Caller":     {API: open, Caller: func(c Context) string { return c.Request().Header.Get("User") }},
		"Config.API.Caller": ofRequest,
	} {
		t.Run(name, func(t *testing.T) {
			a := start(t, v, cfg)
			a.submits("/reports", untilCancelled)
			ann := a.do("POST", "/reports", "User: ann", "Idempotency-Key: k").want(http.StatusAccepted)
			if bob := a.do("POST", "/reports", "User: bob", "Idempotency-Key: k"); bob.idOf() == ann.idOf() {
				t.Error("their keys meet")
			}
			a.do("DELETE", ann.header.Get("Location"), "User: carol")
			a.do("GET", ann.header.Get("Location")).want(http.StatusOK, `"by":"carol"`)
		})
	}
}
