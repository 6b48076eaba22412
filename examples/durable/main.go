// Durable is a small web service whose work outlives its process: reports are built by durable jobs, on this
// replica or another, and go on elsewhere when one is stopped or killed.
//
//	go run ./examples/durable                    # jobs in the SQLite file jobs.db: nothing else is needed
//	go run ./examples/durable -db postgres://…   # or in PostgreSQL, for any number of replicas
//	curl -i -X POST -d '{"name":"sales","steps":100}' -H 'Content-Type: application/json' http://127.0.0.1:8080/reports
//	curl -i http://127.0.0.1:8080/reports        # those that are done
//
// Kill it while a report is being built, start it again, and see the report built. The page with all jobs is at
// http://127.0.0.1:8080/background/.
package main

import (
	"flag"
	"os"
	"time"

	"github.com/riverqueue/river"
	"go.uber.org/fx"

	"github.com/fxtasks/background"
	"github.com/fxtasks/background/echoadapter"
	"github.com/fxtasks/background/examples/internal/console"
	"github.com/fxtasks/background/fxtasks"
	"github.com/fxtasks/background/httpapi"
	"github.com/fxtasks/background/riveradapter"
)

// Flags is what the command line says.
type Flags struct {
	Addr     string
	DB       string
	Instance string
	Workers  int
}

func main() {
	var flags Flags
	flag.StringVar(&flags.Addr, "addr", "127.0.0.1:8080", "`address` to serve HTTP on")
	flag.StringVar(&flags.DB, "db", "sqlite:jobs.db", "`database` of the jobs: sqlite:FILE or postgres://…")
	flag.StringVar(&flags.Instance, "instance", hostname(), "`name` of this replica")
	flag.IntVar(&flags.Workers, "workers", 10, "`number` of jobs that run here at a time")
	flag.Parse()
	app := fx.New(application(flags), fx.WithLogger(console.NewFxLogger))
	app.Wait() // listens for signals from here on: Run does so once all has started, and one that came before would kill
	app.Run()
}

func hostname() string {
	name, err := os.Hostname()
	if err != nil {
		return "replica"
	}
	return name
}

func application(flags Flags) fx.Option {
	return fx.Options(
		fx.Supply(flags),
		fx.Supply(fxtasks.Config{DrainGrace: 2 * time.Second}),
		fx.Supply(riveradapter.Config{
			Instance: flags.Instance,
			Queues:   map[string]river.QueueConfig{river.QueueDefault: {MaxWorkers: flags.Workers}},
		}),
		fx.Supply(echoadapter.Config{API: httpapi.Config{
			AllowUnauthenticated: true, // on a loopback address; elsewhere set Authorize
			Title:                "Reports",
			Environment:          "local",
		}}),
		fx.Provide(console.NewLogger, NewHandlers, NewEcho),
		background.Module,
		database(flags.DB), // one line: River's module on either database, and the store of the application's own tables
		riveradapter.Worker[BuildReport](NewReportWorker),
		riveradapter.Worker[Tick](NewTickWorker),
		riveradapter.Periodic("tick", fxtasks.Every(tickPeriod), func(at time.Time) (Tick, *river.InsertOpts) {
			return Tick{At: at}, nil
		}),
		echoadapter.Module, // API and page under /background, which show the jobs as well
		fx.Invoke(StartServer),
	)
}
