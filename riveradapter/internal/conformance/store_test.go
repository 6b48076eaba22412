package conformance

import (
	"context"
	"database/sql"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5/pgxpool"
	_ "github.com/jackc/pgx/v5/stdlib" // the driver "pgx"
	"go.uber.org/fx"
	"go.uber.org/goleak"

	"github.com/fxtasks/background/internal/pgtest"
	"github.com/fxtasks/background/riveradapter/postgres"
	"github.com/fxtasks/background/riveradapter/sqlite"
)

func TestMain(m *testing.M) {
	if source := os.Getenv(childEnv); source != "" {
		runChild(source)
		return
	}
	code := m.Run()
	pgtest.Stop()
	if code == 0 {
		// Applications that fx.New refuses are never stopped: what they have opened stays open.
		refused := []goleak.Option{
			goleak.IgnoreTopFunction("database/sql.(*DB).connectionOpener"),
			goleak.IgnoreTopFunction("github.com/jackc/pgx/v5/pgxpool.(*Pool).backgroundHealthCheck"),
		}
		err := goleak.Find(refused...)
		for range 20 { // River tries for a while to write the results of a stuck job after its database has closed
			if err != nil {
				err = goleak.Find(refused...)
			}
		}
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			code = 1
		}
	}
	os.Exit(code)
}

// store is one empty database, of either kind.
type store struct {
	source string // sqlite:FILE or a URL of PostgreSQL
	db     *sql.DB
}

func (s *store) isSQLite() bool { return strings.HasPrefix(s.source, "sqlite:") }

// onBoth runs test on an empty database of each kind.
func onBoth(t *testing.T, test func(t *testing.T, s *store)) {
	t.Run("postgres", func(t *testing.T) { t.Parallel(); test(t, onPostgres(t)) })
	t.Run("sqlite", func(t *testing.T) { t.Parallel(); test(t, onSQLite(t)) })
}

func onPostgres(t *testing.T) *store {
	return newStore(t, pgtest.Shared(t).Database(t))
}

func onSQLite(t *testing.T) *store {
	return newStore(t, "sqlite:"+filepath.Join(t.TempDir(), "jobs 100%.db"))
}

func newStore(t *testing.T, source string) *store {
	t.Helper()
	s := &store{source: source, db: openDB(t, source)}
	t.Cleanup(func() { s.db.Close() })
	return s
}

// openDB opens the database for the test's own look.
func openDB(tb testing.TB, source string) *sql.DB {
	tb.Helper()
	open := func() (*sql.DB, error) { return sql.Open("pgx", source) }
	if file, ok := strings.CutPrefix(source, "sqlite:"); ok {
		open = func() (*sql.DB, error) { return sqlite.Open(file) }
	}
	db, err := open()
	if err != nil {
		tb.Fatal(err)
	}
	return db
}

// module gives an application the database at source.
func module(source string) fx.Option {
	if file, ok := strings.CutPrefix(source, "sqlite:"); ok {
		return fx.Options(sqlite.Module, fx.Supply(sqlite.Config{File: file}))
	}
	return fx.Options(postgres.Module, fx.Provide(func(lc fx.Lifecycle) (*pgxpool.Pool, error) {
		pool, err := pgxpool.New(context.Background(), source)
		if err == nil {
			lc.Append(fx.StopHook(pool.Close))
		}
		return pool, err
	}))
}

// exec runs a statement, of which each database may want its own.
func (s *store) exec(t *testing.T, onPostgres, onSQLite string, args ...any) {
	t.Helper()
	query := onPostgres
	if s.isSQLite() {
		query = onSQLite
	}
	if _, err := s.db.Exec(query, args...); err != nil {
		t.Fatal(err)
	}
}

func (s *store) count(t *testing.T, query string, args ...any) (n int) {
	t.Helper()
	if err := s.db.QueryRow(query, args...).Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}
