// Package sqlite keeps durable jobs in a SQLite file, for the processes of one host, without a server.
package sqlite

import (
	"database/sql"

	"go.uber.org/fx"

	"github.com/fxtasks/background/riveradapter/internal/registration"
	"github.com/fxtasks/background/riveradapter/internal/replica"
)

// Module runs durable jobs on the file of the graph's Config, which it opens and closes itself. It provides a
// *river.Client[*sql.Tx], a riveradapter.Client and an httpapi.Jobs, and no *sql.DB: that is the
// application's. It takes a riveradapter.Config if the graph has one, by value.
var Module fx.Option = fx.Module("river-sqlite",
	fx.Supply(&registration.Database{}),
	fx.Provide(provide),
	fx.Invoke(replica.Run[*sql.Tx]),
)

// Config says where the jobs are kept.
type Config struct {
	// File is the database's. It is made if it is missing; its directory is not. Beside it are SQLite's own
	// files and, for each process that works its jobs, one that this process holds locked.
	File string

	// Synchronous is "FULL" or "NORMAL". With FULL no insert that was acknowledged is lost when the power
	// fails; NORMAL is faster, and loses none when the process is killed.
	//
	// Defaults to "FULL".
	Synchronous string
}

func provide(d replica.Dependencies, cfg Config) (replica.Result[*sql.Tx], error) {
	return replica.Provide(d, func(schema string) (replica.Database[*sql.Tx], error) {
		return newDatabase(cfg, schema)
	})
}
