package sqlite

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"time"

	"github.com/gofrs/flock"

	"github.com/fxtasks/background/riveradapter/internal/replica"
)

// presence is the lock on a file beside the database that a replica holds while it lives. A heartbeat in the
// database would not do: any transaction of the application can hold the write lock for longer than a replica
// may be silent. The operating system frees the lock a millisecond after a kill -9, and not of a process that
// is only frozen.
type presence struct {
	prefix string // of the names of all lock files
	id     string
	lock   *flock.Flock
}

const lockName = 16 // bytes after the prefix: the random part of a replica's ID

// lockPrefix is the same for all processes that have the file open, whatever they call it: one that found no
// lock of another would take it for dead.
func lockPrefix(file string) (string, error) {
	resolved, err := filepath.EvalSymlinks(file)
	if err != nil {
		return "", err
	}
	resolved, err = filepath.Abs(resolved)
	return resolved + "-replica-", err
}

var ours = regexp.MustCompile(replica.IDSuffix + "$")

// lockFile gives the name of the file that the replica with this ID holds.
func (d *database) lockFile(id string) string {
	return d.presence.prefix + id[len(id)-lockName:]
}

// Enter takes the lock.
func (d *database) Enter(_ context.Context, id string, _ time.Duration) error {
	prefix, err := lockPrefix(d.file)
	if err != nil {
		return err
	}
	d.presence.prefix, d.presence.id = prefix, id
	file := d.lockFile(id)
	for {
		lock := flock.New(file)
		held, err := lock.TryLock()
		if err != nil {
			return fmt.Errorf("locking %s: %w", file, err)
		}
		if held && isStill(file, lock) {
			d.presence.lock = lock
			return nil
		}
		// Another replica has just tried whether we are dead, and deleted the file: again.
		_ = lock.Close()
	}
}

// isStill reports whether the file that is locked is the one that has its name.
func isStill(file string, lock *flock.Flock) bool {
	locked, err := lock.Stat()
	if err != nil {
		return false
	}
	named, err := os.Stat(file)
	return err == nil && os.SameFile(locked, named)
}

// isDead reports whether nobody holds the lock of the replica with this ID, and then deletes its file.
func (d *database) isDead(id string) (bool, error) {
	return free(d.lockFile(id))
}

func free(file string) (bool, error) {
	if _, err := os.Stat(file); errors.Is(err, os.ErrNotExist) {
		return true, nil
	}
	lock := flock.New(file)
	held, err := lock.TryLock()
	if err != nil || !held {
		return false, errors.Join(err, lock.Close())
	}
	err = os.Remove(file)
	return true, errors.Join(err, lock.Close())
}

// Beat has nothing to prove: the lock does.
func (d *database) Beat(context.Context) error { return nil }

// Expires: a replica is alive as long as its process is.
func (d *database) Expires() bool { return false }

// Leave frees the lock. It is not called while jobs still run.
func (d *database) Leave(context.Context) error {
	lock := d.presence.lock
	if lock == nil {
		return nil
	}
	d.presence.lock = nil
	return errors.Join(os.Remove(d.lockFile(d.presence.id)), lock.Close())
}

func (d *database) Owned(ctx context.Context) (owned []replica.Attempt, err error) {
	rows, err := d.read.QueryContext(ctx, sqlOwned, d.presence.id)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var a replica.Attempt
		if err := rows.Scan(&a.JobID, &a.Attempt); err != nil {
			return nil, err
		}
		owned = append(owned, a)
	}
	return owned, rows.Err()
}

func (d *database) GiveBack(ctx context.Context, attempts []replica.Attempt) error {
	for _, a := range attempts {
		if _, err := d.write.ExecContext(ctx, sqlGiveBack, a.JobID, a.Attempt, d.presence.id); err != nil {
			return err
		}
	}
	return nil
}

func (d *database) Recover(ctx context.Context) (total int64, err error) {
	owners, err := d.owners(ctx)
	if err != nil {
		return 0, err
	}
	for _, id := range owners {
		if id == d.presence.id || !ours.MatchString(id) {
			continue
		}
		dead, err := d.isDead(id)
		if err != nil {
			return total, err
		}
		if !dead {
			continue
		}
		result, err := d.write.ExecContext(ctx, sqlRecover, id)
		if err != nil {
			return total, err
		}
		n, err := result.RowsAffected()
		if err != nil {
			return total, err
		}
		total += n
	}
	return total, nil
}

// owners gives the IDs of the clients that the database says run jobs.
func (d *database) owners(ctx context.Context) (ids []string, err error) {
	rows, err := d.read.QueryContext(ctx, sqlOwners)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var id string
		if err := rows.Scan(&id); err != nil {
			return nil, err
		}
		ids = append(ids, id)
	}
	return ids, rows.Err()
}

// Tidy deletes the progress of jobs that are gone, and the lock files of replicas that died running nothing.
func (d *database) Tidy(ctx context.Context) error {
	if _, err := d.write.ExecContext(ctx, sqlTidyProgress); err != nil {
		return err
	}
	dir, prefix := filepath.Split(d.presence.prefix)
	entries, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	for _, e := range entries {
		if len(e.Name()) == len(prefix)+lockName && strings.HasPrefix(e.Name(), prefix) {
			if _, err := free(filepath.Join(dir, e.Name())); err != nil {
				return err
			}
		}
	}
	return nil
}
