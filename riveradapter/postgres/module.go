// Package postgres keeps durable jobs in PostgreSQL, for any number of machines.
package postgres

import (
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"go.uber.org/fx"

	"github.com/fxtasks/background/riveradapter/internal/registration"
	"github.com/fxtasks/background/riveradapter/internal/replica"
)

// Module runs durable jobs on the database of the graph's *pgxpool.Pool, which stays the application's and
// needs two connections or more; one besides, made from the pool's configuration, is for the heartbeat. It
// provides a *river.Client[pgx.Tx], a riveradapter.Client and an httpapi.Jobs, and takes a
// riveradapter.Config if the graph has one, by value.
var Module fx.Option = fx.Module("river-postgres",
	fx.Supply(&registration.Database{}),
	fx.Provide(provide),
	fx.Invoke(replica.Run[pgx.Tx]),
)

func provide(d replica.Dependencies, pool *pgxpool.Pool) (replica.Result[pgx.Tx], error) {
	return replica.Provide(d, func(schema string) (replica.Database[pgx.Tx], error) {
		return newDatabase(pool, schema)
	})
}
