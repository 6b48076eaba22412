package postgres

import (
	"context"
	"fmt"
	"log/slog"

	"github.com/riverqueue/river/rivermigrate"

	"github.com/fxtasks/background/riveradapter"
)

// migrationLock is the key of the advisory lock under which replicas that start at once migrate one after the
// other: River's migrations take none.
const migrationLock = 0x6261636b67726e64

// Migrate takes the lock on a connection besides the pool's, which River may need all of.
func (d *database) Migrate(ctx context.Context, how riveradapter.Migrate) (err error) {
	if how == riveradapter.Off {
		return nil
	}
	conn, err := d.connect(ctx)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close(context.WithoutCancel(ctx)) }() // which frees the lock
	migrator, err := rivermigrate.New(d.driver, &rivermigrate.Config{Schema: d.schema, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		return err
	}
	if how == riveradapter.Check {
		result, err := migrator.Validate(ctx, nil)
		if err != nil {
			return err
		}
		if !result.OK {
			return fmt.Errorf("the tables of River are not up to date, and Config.Migrate is Check: %v", result.Messages)
		}
		if _, err := conn.Exec(ctx, d.sql(sqlTablesThere)); err != nil {
			return fmt.Errorf("the tables of riveradapter are not up to date, and Config.Migrate is Check: %w", err)
		}
		return nil
	}
	if _, err := conn.Exec(ctx, "SELECT pg_advisory_lock($1)", int64(migrationLock)); err != nil {
		return err
	}
	if _, err := migrator.Migrate(ctx, rivermigrate.DirectionUp, nil); err != nil {
		return err
	}
	_, err = conn.Exec(ctx, d.sql(sqlTables))
	return err
}
