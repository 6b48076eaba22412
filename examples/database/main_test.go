package main

import (
	"database/sql"
	"errors"
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"go.uber.org/fx"
	"go.uber.org/fx/fxtest"
	"go.uber.org/goleak"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest"

	"github.com/fxtasks/background/fxtasks"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func Example() {
	main()
	// Output: 20000 readings accepted, 20000 in the file
}

func TestStopInTheGraceWritesAllThatWasAccepted(t *testing.T) {
	app := newTestApp(t)
	batches := app.acceptBatches(t)
	app.stopMidWrite(t)

	accepted := 0
	for _, batch := range batches {
		accepted += batchSize
		if n, err := batch.Value(t.Context()); n != batchSize || err != nil {
			t.Errorf("a batch of %d has %d written, with error %v", batchSize, n, err)
		}
	}
	app.checkRows(t, accepted)
}

func TestStopAfterTheGraceCutsNoTransaction(t *testing.T) {
	noGrace := fxtasks.Config{MaxRunning: 2}
	app := newTestApp(t, fx.Replace(noGrace))
	batches := app.acceptBatches(t)
	app.stopMidWrite(t)

	written, stoppedMidway := 0, 0
	for _, batch := range batches {
		_, err := batch.Value(t.Context())
		n := int(batch.Info().Progress.Current) // of what was cut short there is no value
		written += n
		if err != nil && !errors.Is(err, fxtasks.ErrShutdown) { // such as: database is closed
			t.Errorf("a writer was not just told to stop, but failed: %v", err)
		}
		if n%rowsPerTransaction != 0 {
			t.Errorf("a writer has written %d rows, want whole transactions of %d", n, rowsPerTransaction)
		}
		if 0 < n && n < batchSize {
			stoppedMidway++
		}
	}
	if stoppedMidway == 0 {
		t.Error("no writer has stopped between two transactions")
	}
	app.checkRows(t, written)
}

const batchSize = 20 * rowsPerTransaction

// testApp is the application without its traffic.
type testApp struct {
	*fxtest.App
	file     File
	tasks    *fxtasks.Manager
	readings *Readings
	db       *sql.DB
}

func newTestApp(t *testing.T, opts ...fx.Option) *testApp {
	app := &testApp{file: File(filepath.Join(t.TempDir(), "readings.db"))}
	app.App = fxtest.New(t,
		application(app.file),
		fx.Decorate(func() *zap.Logger { return zaptest.NewLogger(t) }),
		fx.Populate(&app.readings, &app.tasks, &app.db),
		fx.Options(opts...),
	)
	app.RequireStart()
	return app
}

// acceptBatches gives more than are written at a time.
func (app *testApp) acceptBatches(t *testing.T) (batches []*fxtasks.Result[int]) {
	t.Helper()
	for n := range 5 {
		batch, err := app.readings.Accept(t.Context(), newBatch(fmt.Sprint("meter-", n), batchSize))
		if err != nil {
			t.Fatal(err)
		}
		batches = append(batches, batch)
	}
	return batches
}

// stopMidWrite stops the application while some of what was accepted is in the database, and some
// is not. It holds the only connection meanwhile: then no writer can get on.
func (app *testApp) stopMidWrite(t *testing.T) {
	t.Helper()
	for event := range app.tasks.Subscribe(0).All(t.Context()) {
		if event.Kind == fxtasks.EventProgress {
			break
		}
	}
	conn, err := app.db.Conn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var rows int
	if err := conn.QueryRowContext(t.Context(), `SELECT count(*) FROM readings`).Scan(&rows); err != nil {
		t.Fatal(err)
	}
	if rows == 0 || rows >= app.readings.Accepted() {
		t.Fatalf("%d rows of %d are written: this is not in the midst of it", rows, app.readings.Accepted())
	}

	stopped := make(chan error, 1)
	go func() { stopped <- app.Stop(t.Context()) }()
	for app.tasks.State() == fxtasks.Open && len(stopped) == 0 {
		<-time.After(time.Millisecond)
	}
	if err := conn.Close(); err != nil { // back to the pool: the writers go on
		t.Error(err)
	}
	if err := <-stopped; err != nil {
		t.Errorf("stop: %v", err)
	}
}

// checkRows opens the file again.
func (app *testApp) checkRows(t *testing.T, want int) {
	t.Helper()
	rows, err := countRows(app.file)
	if err != nil {
		t.Fatal(err)
	}
	if rows != want {
		t.Errorf("%d rows are in the file, want %d", rows, want)
	}
}
