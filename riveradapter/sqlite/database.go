package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/riverqueue/river/riverdriver"
	"github.com/riverqueue/river/riverdriver/riversqlite"

	"github.com/fxtasks/background/fxtasks"
	"github.com/fxtasks/background/riveradapter/internal/replica"
)

const readers = 4

// database is a replica.Database in a SQLite file.
type database struct {
	file  string
	write *sql.DB // one connection, River's
	read  *sql.DB // lists and counts, which would hold up the work

	driver, reader *riversqlite.Driver

	presence presence
}

func newDatabase(cfg Config, schema string) (*database, error) {
	if schema != "" {
		return nil, fmt.Errorf("%w: riveradapter: Config.Configure has set Schema to %q: SQLite has none", fxtasks.ErrInvalid, schema)
	}
	forWork, err := sourceName(cfg)
	if err != nil {
		return nil, err
	}
	forReading, err := sourceName(cfg, "_pragma=query_only(1)")
	if err != nil {
		return nil, err
	}
	d := &database{file: cfg.File}
	if d.write, err = openSource(forWork); err != nil {
		return nil, err
	}
	d.write.SetMaxOpenConns(1)
	if d.read, err = openSource(forReading); err != nil {
		return nil, errors.Join(err, d.write.Close())
	}
	d.read.SetMaxOpenConns(readers)
	d.driver, d.reader = riversqlite.New(d.write), riversqlite.New(d.read)
	return d, nil
}

func (d *database) Name() string                        { return d.file }
func (d *database) Driver() riverdriver.Driver[*sql.Tx] { return d.driver }
func (d *database) Reader() riverdriver.Driver[*sql.Tx] { return d.reader }
func (d *database) Close() error                        { return errors.Join(d.read.Close(), d.write.Close()) }

func (d *database) InTx(ctx context.Context, fn func(tx *sql.Tx) error) error {
	tx, err := d.write.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }()
	if err := fn(tx); err != nil {
		return err
	}
	return tx.Commit()
}

var _ replica.Database[*sql.Tx] = (*database)(nil)
