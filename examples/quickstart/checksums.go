package main

import (
	"context"
	"io/fs"
	"maps"
	"os"
	"sync"

	"go.uber.org/fx"

	"github.com/fxtasks/background/fxtasks"
)

// OpenDir opens the directory that is checksummed, and closes it on stop.
func OpenDir(lc fx.Lifecycle, flags Flags) (*os.Root, error) {
	dir, err := os.OpenRoot(flags.Dir)
	if err != nil {
		return nil, err
	}
	lc.Append(fx.StopHook(dir.Close))
	return dir, nil
}

// Checksums computes the checksums of a directory's files, in background tasks.
type Checksums struct {
	tasks *fxtasks.Manager
	dir   fs.FS

	mu   sync.Mutex // protects what follows
	byID map[string]*Checksum
}

// Checksum is one of those tasks. Its value is there once it has completed.
type Checksum = fxtasks.Result[Sums]

// checksumTask is the name of the tasks.
const checksumTask = "checksum"

// NewChecksums makes the service for the files below dir.
func NewChecksums(tasks *fxtasks.Manager, dir *os.Root) *Checksums {
	return &Checksums{tasks: tasks, dir: dir.FS(), byID: make(map[string]*Checksum)}
}

// Start starts a checksum, or queues it, and does not wait for it. It goes on when ctx has ended.
func (s *Checksums) Start(ctx context.Context) (*Checksum, error) {
	sum, err := fxtasks.SubmitResult(ctx, s.tasks, checksumTask, func(ctx context.Context) (Sums, error) {
		return sumFiles(ctx, s.dir)
	})
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.forgetLocked()
	s.byID[sum.ID()] = sum
	return sum, nil
}

// Find gives the checksum that has the ID.
func (s *Checksums) Find(id string) (*Checksum, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	sum, ok := s.byID[id]
	return sum, ok
}

// List gives the newest checksums, the newest first.
func (s *Checksums) List() []fxtasks.Info {
	return s.tasks.List(fxtasks.Filter{Name: checksumTask}).Tasks
}

// forgetLocked lets go of what the manager has forgotten. It keeps the finished tasks' records up
// to a number and an age, so what is kept here is bounded as well.
func (s *Checksums) forgetLocked() {
	maps.DeleteFunc(s.byID, func(id string, _ *Checksum) bool {
		_, known := s.tasks.Task(id)
		return !known
	})
}
