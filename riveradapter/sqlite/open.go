package sqlite

import (
	"database/sql"
	"fmt"
	"net/url"
	"path/filepath"
	"strings"

	"github.com/fxtasks/background/fxtasks"
)

const (
	full   = "FULL"
	normal = "NORMAL"
)

// Open opens the file of the jobs for the application's own tables, so that rows and jobs can be written in one
// transaction, by InsertTx. It is set up as River's own connection is: write-ahead log, transactions that take
// the write lock when they begin, five seconds of patience for it. The caller closes it.
func Open(file string) (*sql.DB, error) {
	source, err := sourceName(Config{File: file})
	if err != nil {
		return nil, err
	}
	return openSource(source)
}

// sourceName gives the driver's name for the file. Transactions begin as immediate: one that begins by reading
// and then writes fails with SQLITE_BUSY at once, whatever the timeout.
func sourceName(cfg Config, more ...string) (string, error) {
	switch {
	case cfg.File == "":
		return "", fmt.Errorf("%w: riveradapter: sqlite.Config.File is empty", fxtasks.ErrInvalid)
	case strings.HasPrefix(cfg.File, "file:") || strings.Contains(cfg.File, ":memory:"):
		return "", fmt.Errorf("%w: riveradapter: sqlite.Config.File is %q: must be a path, for jobs that outlive the process", fxtasks.ErrInvalid, cfg.File)
	}
	if cfg.Synchronous == "" {
		cfg.Synchronous = full
	}
	if cfg.Synchronous != full && cfg.Synchronous != normal {
		return "", fmt.Errorf("%w: riveradapter: sqlite.Config.Synchronous is %q: must be %q or %q", fxtasks.ErrInvalid, cfg.Synchronous, full, normal)
	}
	query := append([]string{
		fmt.Sprintf("_pragma=busy_timeout(%d)", busyTimeout.Milliseconds()),
		"_pragma=journal_mode(WAL)",
		"_pragma=synchronous(" + cfg.Synchronous + ")",
		"_txlock=immediate",
	}, more...)
	path := (&url.URL{Path: filepath.ToSlash(cfg.File)}).EscapedPath()
	return "file:" + path + "?" + strings.Join(query, "&"), nil
}
