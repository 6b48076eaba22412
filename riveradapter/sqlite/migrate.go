package sqlite

import (
	"context"
	"database/sql"
	"fmt"
	"log/slog"

	"github.com/riverqueue/river/rivermigrate"

	"github.com/fxtasks/background/riveradapter"
)

// Migrate does all in one transaction, which holds the write lock from its beginning: processes that start at
// once migrate one after the other.
func (d *database) Migrate(ctx context.Context, how riveradapter.Migrate) error {
	if how == riveradapter.Off {
		return d.write.PingContext(ctx)
	}
	migrator, err := rivermigrate.New(d.driver, &rivermigrate.Config{Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		return err
	}
	return d.InTx(ctx, func(tx *sql.Tx) error {
		if how == riveradapter.Check {
			return check(ctx, migrator, tx)
		}
		//lint:ignore SA1019 River advises against it for PostgreSQL; here the transaction is the lock, and DDL is transactional
		if _, err := migrator.MigrateTx(ctx, tx, rivermigrate.DirectionUp, nil); err != nil {
			return err
		}
		_, err := tx.ExecContext(ctx, sqlTables)
		return err
	})
}

func check(ctx context.Context, migrator *rivermigrate.Migrator[*sql.Tx], tx *sql.Tx) error {
	result, err := migrator.ValidateTx(ctx, tx, nil)
	if err != nil {
		return err
	}
	if !result.OK {
		return fmt.Errorf("the tables of River are not up to date, and Config.Migrate is Check: %v", result.Messages)
	}
	if _, err := tx.ExecContext(ctx, sqlTablesThere); err != nil {
		return fmt.Errorf("the tables of riveradapter are not up to date, and Config.Migrate is Check: %w", err)
	}
	return nil
}
