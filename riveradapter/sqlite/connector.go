package sqlite

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"time"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

// busyTimeout is how long a connection waits for the locks of others.
const busyTimeout = 5 * time.Second

// openSource opens the database that has this name for the driver. It makes no connection yet.
func openSource(source string) (*sql.DB, error) {
	c, err := sqlite.NewConnector(source)
	if err != nil {
		return nil, err
	}
	return sql.OpenDB(patient{c}), nil
}

// patient is a connector that tries again while SQLite is busy. busy_timeout does not do that when a connection changes
// a new file to a write-ahead log while another one writes it: replicas that started together on no file failed.
type patient struct{ driver.Connector }

// Connect makes a connection.
func (p patient) Connect(ctx context.Context) (driver.Conn, error) {
	const pause = 10 * time.Millisecond
	for end := time.Now().Add(busyTimeout); ; {
		conn, err := p.Connector.Connect(ctx)
		if !isBusy(err) || time.Now().After(end) {
			return conn, err
		}
		select {
		case <-time.After(pause):
		case <-ctx.Done():
			return nil, fmt.Errorf("%w: %w", ctx.Err(), err)
		}
	}
}

func isBusy(err error) bool {
	var failed *sqlite.Error
	return errors.As(err, &failed) && failed.Code()&0xff == sqlite3.SQLITE_BUSY // the low byte is the code without its details
}
