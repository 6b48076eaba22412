// Database shows that a database is closed after the last task that uses it, whatever the order of
// parameters: meters deliver batches of readings, and each batch is written to SQLite by a task.
//
//	go run ./examples/database
//
// Stop it with Ctrl-C whenever you like, or let it end by itself. No more batches are accepted
// then, those that were are written, the database is closed, and the file has all that was
// accepted. Take background.Uses out, and see readings get lost.
package main

import (
	"database/sql"
	"fmt"
	"log"
	"os"
	"path/filepath"
	"time"

	"go.uber.org/fx"

	"github.com/fxtasks/background"
	"github.com/fxtasks/background/examples/internal/console"
	"github.com/fxtasks/background/fxtasks"
)

func main() {
	dir, err := os.MkdirTemp("", "readings-")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	file := File(filepath.Join(dir, "readings.db"))

	var readings *Readings
	fx.New(
		application(file),
		fx.Invoke(StartDeliveries),
		fx.Populate(&readings),
		fx.WithLogger(console.NewFxLogger),
	).Run() // returns when all is drained and closed

	stored, err := countRows(file)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%d readings accepted, %d in the file\n", readings.Accepted(), stored)
}

// application is all but the traffic.
func application(file File) fx.Option {
	return fx.Options(
		fx.Supply(file, fxtasks.Config{
			MaxRunning: 3,
			MaxPending: 2,               // accept no more than can be written
			DrainGrace: 8 * time.Second, // in this time on stop
		}),
		fx.Provide(console.NewLogger, OpenDB, NewReadings),
		background.Module,          // provides *fxtasks.Manager, drains it on stop
		background.Uses[*sql.DB](), // tasks write to it: drain before it is closed
	)
}
