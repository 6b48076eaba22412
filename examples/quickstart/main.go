// Quickstart is a small web service, made of Fx and Echo, whose requests start work that outlives
// them: it checksums the files below a directory.
//
//	go run ./examples/quickstart -dir .
//	curl -i -X POST   http://127.0.0.1:8080/checksums       # starts one: 202, its id, and where the API has it
//	curl -i           http://127.0.0.1:8080/checksums/{id}  # how far it is, and the result
//	curl -i -X DELETE http://127.0.0.1:8080/checksums/{id}  # asks it to stop
//	curl -i           http://127.0.0.1:8080/checksums       # all of them; with ?pretty to read them
//
// Two run at a time, a hundred may wait, and further ones are refused with 429. Ctrl-C stops the server
// first, then the tasks, and closes the directory last.
package main

import (
	"flag"
	"os"
	"time"

	"go.uber.org/fx"

	"github.com/fxtasks/background"
	"github.com/fxtasks/background/echoadapter"
	"github.com/fxtasks/background/examples/internal/console"
	"github.com/fxtasks/background/fxtasks"
	"github.com/fxtasks/background/httpapi"
)

// Flags is what the command line says.
type Flags struct {
	Addr     string
	Dir      string
	Demo     bool
	ReadOnly bool
}

func main() {
	var flags Flags
	flag.StringVar(&flags.Addr, "addr", "127.0.0.1:8080", "`address` to serve HTTP on")
	flag.StringVar(&flags.Dir, "dir", ".", "`directory` with the files to checksum")
	flag.BoolVar(&flags.Demo, "demo", false, "submit a mix of made-up work, for the dashboard to show")
	flag.BoolVar(&flags.ReadOnly, "read-only", false, "refuse to cancel tasks on the dashboard")
	flag.Parse()

	limits := fxtasks.Config{
		MaxRunning:     2,               // at a time;
		MaxPending:     100,             // so many more may wait
		DrainGrace:     2 * time.Second, // on stop, those that are nearly done may finish
		RetainFinished: 100,             // and be asked for their results
	}
	if flags.Demo {
		limits.MaxRunning = 10
	}
	fx.New(
		fx.Supply(flags, limits),
		fx.Supply(echoadapter.Config{API: httpapi.Config{
			AllowUnauthenticated: true, // on a loopback address; elsewhere set Authorize
			ReadOnly:             flags.ReadOnly,
			Title:                "Quickstart",
			Environment:          "local",
		}}),
		fx.Provide(console.NewLogger, OpenDir, NewChecksums, NewHandlers, NewEcho),
		background.Module,           // provides *fxtasks.Manager, drains it on stop
		background.Uses[*os.Root](), // tasks read the directory: drain before it is closed
		echoadapter.Module,          // API and dashboard under /background
		fx.Invoke(StartDemo, StartServer),
		fx.WithLogger(console.NewFxLogger),
	).Run()
}
