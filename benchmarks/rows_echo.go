package main

import (
	"context"
	"net"
	"net/http"
	"time"

	"github.com/google/uuid"
	"github.com/labstack/echo/v4"

	"github.com/fxtasks/background/echoadapter"
	"github.com/fxtasks/background/httpapi"
)

// echoRows is about a request that starts work.
func echoRows(n sizes) []row {
	return []row{{
		key:   "echo",
		title: "requests per second to an Echo handler that starts a task",
		note: "Clients on loopback, each with one connection. Adapter.Submit answers with all of the task and its Location, " +
			"a bare go statement with an ID and a status; by hand, it can also be seen and cancelled.",
		unit: rate,
		ours: contender{name: "Adapter.Submit", sample: serve(n.requests, submitting)},
		peers: []contender{
			{"bare go", 0.9, serve(n.requests, bareGo)},
			{"by hand", 0, serve(n.requests, trackedByHand)},
		},
	}}
}

// route adds POST /work to an Echo. What it gives is to be called when the server has stopped.
type route func(e *echo.Echo) (close func())

func submitting(e *echo.Echo) (close func()) {
	o := open(defaults)
	a := must(echoadapter.New(echoadapter.Params{Echo: e, Manager: o.m, Config: echoadapter.Config{
		API: httpapi.Config{AllowUnauthenticated: true},
	}}))
	e.POST("/work", func(c echo.Context) error { return a.Submit(c, o.m, "work", nothing.run) })
	return o.close
}

// answer is what a handler without a manager can say.
type answer struct {
	ID     string `json:"id"`
	Status string `json:"status"`
}

func bareGo(e *echo.Echo) (close func()) {
	e.POST("/work", func(c echo.Context) error {
		ctx := context.WithoutCancel(c.Request().Context())
		go func() { _ = nothing.run(ctx) }()
		return c.JSON(http.StatusAccepted, answer{uuid.NewString(), "running"})
	})
	return func() {}
}

func trackedByHand(e *echo.Echo) (close func()) {
	b := newByHand()
	e.POST("/work", func(c echo.Context) error {
		r := b.submit(context.WithoutCancel(c.Request().Context()), "work", nothing.run, nil)
		c.Response().Header().Set(echo.HeaderLocation, "/tasks/"+r.id)
		return c.JSON(http.StatusAccepted, answer{r.id, "running"})
	})
	return b.close
}

// serve measures how many requests a second are answered.
func serve(n int, add route) func() float64 {
	return func() float64 {
		e := echo.New()
		e.HideBanner, e.HidePort = true, true
		defer add(e)()
		e.Listener = must(net.Listen("tcp", "127.0.0.1:0"))
		served := make(chan error)
		go func() { served <- e.Start("") }()
		defer func() { _ = e.Close(); <-served }()

		address := e.Listener.Addr().String()
		post(address, n/4)
		took := nanoseconds(func() { post(address, n) })
		return float64(n) / (took / float64(time.Second))
	}
}
