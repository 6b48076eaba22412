package main

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"go.uber.org/fx"
	_ "modernc.org/sqlite" // the driver "sqlite"
)

// File is the path of the database.
type File string

// OpenDB opens the database, and closes it on stop.
func OpenDB(lc fx.Lifecycle, file File) (*sql.DB, error) {
	db, err := open(file)
	if err != nil {
		return nil, err
	}
	lc.Append(fx.StopHook(db.Close))
	return db, nil
}

func open(file File) (*sql.DB, error) {
	db, err := sql.Open("sqlite", string(file))
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(1) // SQLite has one writer at a time: let the others wait here, not fail there
	_, err = db.Exec(`CREATE TABLE IF NOT EXISTS readings (meter TEXT, at TEXT, value REAL)`)
	if err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return db, nil
}

// insert stores all rows or none.
func insert(ctx context.Context, db *sql.DB, rows []Reading) error {
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback() // does nothing after Commit
	for _, row := range rows {
		_, err := tx.ExecContext(ctx, `INSERT INTO readings (meter, at, value) VALUES (?, ?, ?)`,
			row.Meter, row.At.Format(time.RFC3339Nano), row.Value)
		if err != nil {
			return err
		}
	}
	return tx.Commit()
}

// countRows opens the file anew: what it counts has been committed.
func countRows(file File) (n int, err error) {
	db, err := open(file)
	if err != nil {
		return 0, err
	}
	defer db.Close()
	err = db.QueryRow(`SELECT count(*) FROM readings`).Scan(&n)
	return n, err
}
