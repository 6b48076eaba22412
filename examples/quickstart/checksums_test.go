package main

import (
	"context"
	"errors"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/fxtasks/background/echoadapter"
	"github.com/fxtasks/background/fxtasks"
	"github.com/fxtasks/background/fxtasks/fxtaskstest"
	"github.com/fxtasks/background/httpapi"
)

// lockedFS is a file system in which some files and directories cannot be opened, not even by root.
type lockedFS struct {
	fs.FS
	locked []string
}

func (f lockedFS) Open(name string) (fs.File, error) {
	if slices.Contains(f.locked, name) {
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrPermission}
	}
	return f.FS.Open(name)
}

func TestWhatCannotBeReadIsPartOfTheResult(t *testing.T) {
	dir := lockedFS{fstest.MapFS{
		"a":        {Data: []byte("first")},
		"file":     {Data: []byte("12345678")},
		"folder/b": {Data: []byte("abcdefgh")},
		"z":        {Data: []byte("last")},
	}, []string{"file", "folder"}}
	tasks := fxtaskstest.New(t)
	task, err := fxtasks.SubmitResult(t.Context(), tasks, checksumTask, func(ctx context.Context) (Sums, error) {
		return sumFiles(ctx, dir)
	})
	if err != nil {
		t.Fatal(err)
	}
	sums, err := task.Value(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var paths []string
	for _, f := range sums.Files {
		paths = append(paths, f.Path)
		locked := slices.Contains(dir.locked, f.Path)
		if locked != strings.Contains(f.Error, fs.ErrPermission.Error()) || locked != (f.SHA256 == "") {
			t.Errorf("file is %+v", f)
		}
	}
	if want := []string{"a", "file", "folder", "z"}; !slices.Equal(paths, want) {
		t.Errorf("paths are %q, want %q", paths, want)
	}
	want := int64(len("first") + len("last"))
	if p := task.Info().Progress; sums.Bytes != want || p.Current != want || p.Total != want {
		t.Errorf("%d bytes, progress %d of %d, want %d each: what could not be read does not count",
			sums.Bytes, p.Current, p.Total, want)
	}
}

func TestADirectoryThatCannotBeReadIsAnError(t *testing.T) {
	_, err := sumFiles(t.Context(), lockedFS{fstest.MapFS{}, []string{"."}})
	if !errors.Is(err, fs.ErrPermission) {
		t.Errorf("the error is %v, want %v", err, fs.ErrPermission)
	}
}

func TestResultsAreForgottenWithTheirTasks(t *testing.T) {
	tasks := fxtaskstest.NewWithConfig(t, fxtasks.Config{RetainFinished: 2})
	checksums := newTestChecksums(t, tasks)
	var newest *Checksum
	for range 10 {
		sum, err := checksums.Start(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if err := sum.Wait(t.Context()); err != nil {
			t.Fatal(err)
		}
		newest = sum
	}
	if n, want := len(checksums.byID), 2+1; n > want {
		t.Errorf("%d results are kept, want at most %d", n, want)
	}
	if found, ok := checksums.Find(newest.ID()); !ok || found != newest {
		t.Error("the newest is not found")
	}
}

func TestNoneIsStartedDuringShutdown(t *testing.T) {
	tasks := fxtaskstest.New(t)
	if _, err := tasks.Shutdown(t.Context()); err != nil {
		t.Fatal(err)
	}
	e := NewEcho()
	adapter, err := echoadapter.New(echoadapter.Params{
		Echo: e, Manager: tasks, Config: echoadapter.Config{API: httpapi.Config{AllowUnauthenticated: true}},
	})
	if err != nil {
		t.Fatal(err)
	}
	NewHandlers(newTestChecksums(t, tasks), adapter).Register(e)
	answer := httptest.NewRecorder()
	e.ServeHTTP(answer, httptest.NewRequest(http.MethodPost, "/checksums", nil))
	if answer.Code != http.StatusServiceUnavailable {
		t.Errorf("POST: %d %s, want 503", answer.Code, answer.Body)
	}
}

func newTestChecksums(t *testing.T, tasks *fxtasks.Manager) *Checksums {
	t.Helper()
	dir, err := os.OpenRoot(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { dir.Close() })
	return NewChecksums(tasks, dir)
}
