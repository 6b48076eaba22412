// Observability is a small shop, made of Fx and Echo, whose tasks and durable jobs are traced and measured
// with OpenTelemetry: an order's card is charged in a task, and its receipt is sent by a durable job.
//
//	go run ./examples/observability -load 10                # with ten orders a second of its own
//	curl http://127.0.0.1:8080/metrics                      # for Prometheus
//	curl -i -X POST -d '{"id":"A-1"}' -H 'Content-Type: application/json' http://127.0.0.1:8080/orders
//
// With -export stdout it also writes spans, and each minute metrics, as JSON; with -export otlp it sends both
// to a collector, at http://localhost:4318 or where OTEL_EXPORTER_OTLP_ENDPOINT says. The request's trace
// goes on by links: from the task to the request, and from the job to the task.
//
// On Ctrl-C the server stops first, then the tasks and jobs; what has been measured meanwhile is exported last.
package main

import (
	"flag"
	"time"

	"go.uber.org/fx"

	"github.com/fxtasks/background"
	"github.com/fxtasks/background/echoadapter"
	"github.com/fxtasks/background/examples/internal/console"
	"github.com/fxtasks/background/fxtasks"
	"github.com/fxtasks/background/httpapi"
	"github.com/fxtasks/background/oteladapter"
	"github.com/fxtasks/background/riveradapter"
	"github.com/fxtasks/background/riveradapter/sqlite"
)

// Flags is what the command line says.
type Flags struct {
	Addr   string
	Jobs   string
	Export string
	Load   int
}

func main() {
	var flags Flags
	flag.StringVar(&flags.Addr, "addr", "127.0.0.1:8080", "`address` to serve HTTP on")
	flag.StringVar(&flags.Jobs, "jobs", "jobs.db", "SQLite `file` of the durable jobs")
	flag.StringVar(&flags.Export, "export", "none", "`where` traces and metrics go, besides /metrics: none, stdout or otlp")
	flag.IntVar(&flags.Load, "load", 0, "`orders` a second that the program sends to itself")
	flag.Parse()

	app := fx.New(
		fx.Supply(flags),
		fx.Supply(fxtasks.Config{MaxRunning: 16, DrainGrace: time.Second}),
		fx.Supply(sqlite.Config{File: flags.Jobs}),
		fx.Supply(echoadapter.Config{API: httpapi.Config{
			AllowUnauthenticated: true, // on a loopback address; elsewhere set Authorize
			Title:                "Shop",
			Environment:          "local",
		}}),
		fx.Provide(console.NewLogger, NewShop, NewEcho, NewServer),

		fx.Provide(NewResource, NewTracerProvider, NewRegistry, NewMeterProvider),
		background.Module,
		oteladapter.Module, // spans and metrics of all tasks and jobs, by the providers above

		background.Periodic("reconcile", fxtasks.Every(2*time.Second), NewReconcile),
		sqlite.Module, // durable jobs
		riveradapter.WorkFunc(sendReceipt),
		echoadapter.Module, // API and dashboard under /background
		fx.Invoke(StartTraffic),
		fx.WithLogger(console.NewFxLogger),
	)
	app.Wait() // listens for signals from here on: Run does so once all has started, and one that came before would kill
	app.Run()
}
