package postgres

import (
	"context"
	"fmt"
	"net"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/riverqueue/river/riverdriver"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"

	"github.com/fxtasks/background/fxtasks"
	"github.com/fxtasks/background/riveradapter/internal/replica"
)

// River holds one connection to listen on, and needs another to do anything.
const minConnections = 2

// database is a replica.Database on PostgreSQL.
type database struct {
	pool   *pgxpool.Pool
	driver *riverpgxv5.Driver
	schema string // "" for the search path's

	lifeline lifeline
}

func newDatabase(pool *pgxpool.Pool, schema string) (*database, error) {
	if n := pool.Config().MaxConns; n < minConnections {
		return nil, fmt.Errorf("%w: riveradapter: the *pgxpool.Pool has pool_max_conns=%d: River needs at least %d, "+
			"one of them to listen on", fxtasks.ErrInvalid, n, minConnections)
	}
	d := &database{pool: pool, driver: riverpgxv5.New(pool), schema: schema}
	d.lifeline.d = d
	return d, nil
}

// Name gives host, port and database.
func (d *database) Name() string {
	cfg := d.pool.Config().ConnConfig
	return net.JoinHostPort(cfg.Host, strconv.Itoa(int(cfg.Port))) + "/" + cfg.Database
}

func (d *database) Driver() riverdriver.Driver[pgx.Tx] { return d.driver }
func (d *database) Reader() riverdriver.Driver[pgx.Tx] { return d.driver }

// Close lets go of the heartbeat's connection. The pool is the application's.
func (d *database) Close() error { return d.lifeline.close() }

func (d *database) InTx(ctx context.Context, fn func(tx pgx.Tx) error) error {
	return pgx.BeginFunc(ctx, d.pool, fn)
}

// sql fills in the schema.
func (d *database) sql(query string) string {
	prefix := ""
	if d.schema != "" {
		prefix = pgx.Identifier{d.schema}.Sanitize() + "."
	}
	return strings.ReplaceAll(query, "{schema}", prefix)
}

// connect makes a connection as the pool would, besides the pool's: it is there when those are all busy.
func (d *database) connect(ctx context.Context) (*pgx.Conn, error) {
	cfg := d.pool.Config()
	if cfg.BeforeConnect != nil {
		if err := cfg.BeforeConnect(ctx, cfg.ConnConfig); err != nil {
			return nil, err
		}
	}
	conn, err := pgx.ConnectConfig(ctx, cfg.ConnConfig)
	if err != nil {
		return nil, err
	}
	if cfg.AfterConnect != nil {
		if err := cfg.AfterConnect(ctx, conn); err != nil {
			_ = conn.Close(ctx)
			return nil, err
		}
	}
	return conn, nil
}

var _ replica.Database[pgx.Tx] = (*database)(nil)
