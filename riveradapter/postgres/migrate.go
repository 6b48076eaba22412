package postgres

import (
	"context"
	"fmt"
	"log/slog"

	"github.com/jackc/pgx/v5"
	"github.com/riverqueue/river/rivermigrate"

	"github.com/fxtasks/background/riveradapter"
)

// Migrate takes a lock, since River's migrations take none, on a connection besides the pool's, which River may
// need all of. The lock is a transaction's: a session's would stay behind in PgBouncer, which keeps the session.
func (d *database) Migrate(ctx context.Context, how riveradapter.Migrate) error {
	if how == riveradapter.Off {
		return nil
	}
	conn, err := d.connect(ctx)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close(context.WithoutCancel(ctx)) }()
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
	return pgx.BeginFunc(ctx, conn, func(lock pgx.Tx) error {
		if _, err := lock.Exec(ctx, sqlLockMigration); err != nil {
			return err
		}
		if _, err := migrator.Migrate(ctx, rivermigrate.DirectionUp, nil); err != nil {
			return err
		}
		_, err := lock.Exec(ctx, d.sql(sqlTables))
		return err
	})
}
