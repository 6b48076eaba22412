package conformance

import (
	"context"
	"database/sql"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/riverqueue/river"
	"github.com/riverqueue/river/rivertype"

	"github.com/fxtasks/background/riveradapter"
	"github.com/fxtasks/background/riveradapter/sqlite"
	"go.uber.org/fx"
)

func TestALongTransactionOfTheApplicationIsNoDeath(t *testing.T) {
	t.Parallel()
	s := onSQLite(t)
	done, started := make(chan struct{}), make(chan struct{})
	a := start(t, s, quick("a"), riveradapter.WorkFunc(func(ctx context.Context, _ *river.Job[Job]) error {
		close(started)
		select {
		case <-done:
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	}))
	id := a.insert(Job{}, nil)
	receive(t, started)
	start(t, s, quick("b"), nothing())
	tx, err := s.db.Begin() // which takes the write lock
	if err != nil {
		t.Fatal(err)
	}
	time.Sleep(8 * heartbeat) // the test's point: nothing happens
	if err := tx.Rollback(); err != nil {
		t.Fatal(err)
	}
	close(done)
	if row := a.ended(id); row.State != rivertype.JobStateCompleted || row.Attempt != 1 || len(row.Errors) != 0 {
		t.Errorf("the job is %+v", row)
	}
}

func TestAReplicaThatKnowsTheFileByAnotherNameIsAlive(t *testing.T) {
	t.Parallel()
	s := onSQLite(t)
	link := filepath.Join(t.TempDir(), "link.db")
	if err := os.Symlink(strings.TrimPrefix(s.source, "sqlite:"), link); err != nil {
		t.Fatal(err)
	}
	done, started := make(chan struct{}), make(chan struct{})
	a := start(t, newStore(t, "sqlite:"+link), quick("a"), riveradapter.WorkFunc(func(context.Context, *river.Job[Job]) error {
		close(started)
		<-done
		return nil
	}))
	id := a.insert(Job{}, nil)
	receive(t, started)
	b := start(t, s, quick("b"), nothing()) // which recovers the jobs of dead replicas when it starts
	if row := b.row(id); row.State != rivertype.JobStateRunning || len(row.Errors) != 0 {
		t.Errorf("the job is %+v, want it left to the replica that runs it", row)
	}
	close(done)
	if row := b.ended(id); row.State != rivertype.JobStateCompleted {
		t.Errorf("the job is %+v", row)
	}
}

func TestMisuseOfSQLite(t *testing.T) {
	t.Parallel()
	for what, c := range map[string]struct {
		cfg   sqlite.Config
		names string
	}{
		"no file":          {sqlite.Config{}, "File"},
		"memory":           {sqlite.Config{File: ":memory:"}, ":memory:"},
		"a URI":            {sqlite.Config{File: "file:x.db"}, "file:x.db"},
		"a bad pragma":     {sqlite.Config{File: "x.db", Synchronous: "OFF"}, "Synchronous"},
		"a Schema":         {sqlite.Config{File: "x.db"}, "Schema"},
		"a directory gone": {sqlite.Config{File: "/nowhere/x.db"}, "/nowhere/x.db"},
	} {
		cfg := quick("a")
		if what == "a Schema" {
			cfg.Configure = func(c *river.Config) { c.Schema = "jobs" }
		}
		a := newApp(t, "sqlite:"+c.cfg.File, cfg, nothing(), fx.Replace(c.cfg))
		err := a.fx.Err()
		if err == nil {
			err = a.fx.Start(t.Context())
			_ = a.stop()
		}
		if err == nil || !strings.Contains(err.Error(), c.names) {
			t.Errorf("%s: the error is %v", what, err)
		}
	}
	if _, err := sqlite.Open(""); err == nil {
		t.Error("Open of no file gives no error")
	}
}

// SQLite refuses at once, whatever busy_timeout is, to change a file to a write-ahead log that another connection writes.
func TestAConnectionWaitsForWhoeverMakesTheFile(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "jobs.db")
	other, err := sql.Open("sqlite", "file:"+file+"?_txlock=immediate")
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	tx, err := other.Begin()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := tx.Exec("CREATE TABLE made (id INTEGER)"); err != nil {
		t.Fatal(err)
	}
	db, err := sqlite.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	if err := db.PingContext(ctx); !errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), "SQLITE_BUSY") {
		t.Errorf("a connection to a file that is being made gives %v, want that of its context, and why", err)
	}
	connected := make(chan error, 1)
	go func() { connected <- db.Ping() }()
	if err := tx.Commit(); err != nil {
		t.Fatal(err)
	}
	if err := receive(t, connected); err != nil {
		t.Error(err)
	}
}
