//go:build unix

package main

import (
	"crypto/sha256"
	"encoding/hex"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/fxtasks/background/fxtasks"
)

func TestAChecksumGivesTheHashesOfTheFiles(t *testing.T) {
	t.Parallel()
	contents := map[string]string{
		"a.txt":         "hello",
		"empty":         "",
		"sub/dir/b.txt": strings.Repeat("world", 1_000_000), // more than one report of progress
	}
	dir := t.TempDir()
	for path, content := range contents {
		writeFile(t, filepath.Join(dir, path), content)
	}
	writeFile(t, filepath.Join(dir, ".git/config"), "not to be hashed")
	if err := os.Symlink("a.txt", filepath.Join(dir, "link")); err != nil {
		t.Fatal(err)
	}
	server := start(t, dir)

	created, location := server.post()
	if want := "/background/tasks/" + created.ID; created.ID == "" || location != want {
		t.Errorf("Location is %q, want %q", location, want)
	}
	if task := server.do(http.MethodGet, location, new(view)); task.StatusCode != http.StatusOK {
		t.Errorf("GET %s: %s, want 200", location, task.Status)
	}
	done := server.waitFor(created.ID, "completed", func(v view) bool { return v.Status.Finished() })
	if done.Status != fxtasks.Completed || done.Result == nil {
		t.Fatalf("it ended as %+v, want a result", done)
	}

	var total int64
	got := make(map[string]string)
	for _, f := range done.Result.Files {
		got[f.Path] = f.SHA256
		if int(f.Size) != len(contents[f.Path]) {
			t.Errorf("size of %s is %d, want %d", f.Path, f.Size, len(contents[f.Path]))
		}
		total += f.Size
	}
	for path, content := range contents {
		hash := sha256.Sum256([]byte(content))
		if want := hex.EncodeToString(hash[:]); got[path] != want {
			t.Errorf("hash of %s is %q, want %q", path, got[path], want)
		}
	}
	if len(got) != len(contents) {
		t.Errorf("%d files have been hashed, want %d: %v", len(got), len(contents), got)
	}
	if done.Result.Bytes != total {
		t.Errorf("bytes are %d, want %d", done.Result.Bytes, total)
	}
	if want := (progressView{total, total, "bytes", "sub/dir/b.txt"}); done.Progress != want {
		t.Errorf("progress is %+v, want %+v", done.Progress, want)
	}

	if again, code := server.delete(created.ID); code != http.StatusOK || again.Status != fxtasks.Completed {
		t.Errorf("DELETE of one that has ended: %d %v, want 200 completed", code, again.Status)
	}
}

func TestTheLimitHoldsTheRestPending(t *testing.T) {
	t.Parallel()
	server := start(t, endlessDir(t))
	first, _ := server.post()
	second, _ := server.post()
	third, _ := server.post()
	server.waitForProgress(first.ID)
	server.waitForProgress(second.ID)
	if v := server.get(third.ID); v.Status != fxtasks.Pending || v.Progress != (progressView{}) {
		t.Errorf("the third is %+v, want pending: two run", v)
	}

	asked, code := server.delete(first.ID)
	if ended := asked.Status.Finished(); !asked.CancelRequested || ended != (code == http.StatusOK) || !ended && code != http.StatusAccepted {
		t.Errorf("DELETE of a running one: %d %+v", code, asked)
	}
	server.waitFor(first.ID, "cancelled", func(v view) bool { return v.Status == fxtasks.Cancelled })
	server.waitForProgress(third.ID)

	var ids []string
	for _, v := range server.list() {
		ids = append(ids, v.ID)
	}
	if want := []string{third.ID, second.ID, first.ID}; !slices.Equal(ids, want) {
		t.Errorf("the list has %v, want %v: the newest first", ids, want)
	}
}

func TestRefusals(t *testing.T) {
	t.Parallel()
	server := start(t, endlessDir(t))
	for range 2 + 100 { // run and wait
		server.post()
	}
	for _, refused := range []struct {
		method, path string
		code         int
	}{
		{http.MethodPost, "/checksums", http.StatusTooManyRequests},
		{http.MethodGet, "/checksums/unknown", http.StatusNotFound},
		{http.MethodDelete, "/checksums/unknown", http.StatusNotFound},
	} {
		var body struct{ Message string }
		response := server.do(refused.method, refused.path, &body)
		if response.StatusCode != refused.code || body.Message == "" {
			t.Errorf("%s %s: %s with message %q, want %d with one",
				refused.method, refused.path, response.Status, body.Message, refused.code)
		}
	}
}

func TestASignalDrainsWhatRunsAndWhatWaits(t *testing.T) {
	for _, signal := range []syscall.Signal{syscall.SIGTERM, syscall.SIGINT} {
		t.Run(signal.String(), func(t *testing.T) {
			t.Parallel()
			server := start(t, endlessDir(t))
			var ids []string
			for range 3 {
				created, _ := server.post()
				ids = append(ids, created.ID)
			}
			server.waitForProgress(ids[0])
			server.waitForProgress(ids[1])
			if err := server.Cmd.Process.Signal(signal); err != nil {
				t.Fatal(err)
			}
			if code := server.ExitCode(); code != 0 {
				t.Errorf("exit code is %d, want 0", code)
			}
			_, log, _ := strings.Cut(server.Stderr.String(), "stopping")
			_, drain, serverFirst := strings.Cut(log, "server stopped")
			if !serverFirst || !strings.Contains(drain, "shutdown begins") || !strings.Contains(drain, "shutdown over") {
				t.Errorf("want the server to stop and then the tasks:\n%s", log)
			}
			for _, id := range ids[:2] {
				if !strings.Contains(drain, id) {
					t.Errorf("the log does not tell what came of %s:\n%s", id, log)
				}
			}
			if !strings.Contains(drain, "pending tasks cancelled by the shutdown") {
				t.Errorf("the log does not tell what came of the one that waited:\n%s", log)
			}
		})
	}
}

func TestItDoesNotStart(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	taken := ln.Addr().String()
	missing := filepath.Join(t.TempDir(), "missing")
	for name, test := range map[string]struct {
		args []string
		says string
	}{
		"port taken":   {[]string{"-addr", taken}, taken},
		"no directory": {[]string{"-addr", "127.0.0.1:0", "-dir", missing}, missing},
	} {
		t.Run(name, func(t *testing.T) {
			p := run(t, test.args...)
			if code := p.ExitCode(); code != 1 {
				t.Errorf("exit code is %d, want 1", code)
			}
			if out := p.Stderr.String(); !strings.Contains(out, "cannot start") || !strings.Contains(out, test.says) {
				t.Errorf("want an error that names %s:\n%s", test.says, out)
			}
		})
	}
}

func writeFile(t *testing.T, path, content string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}

// endlessDir gives a directory whose only file is sparse: it takes no room, and longer to hash
// than any test.
func endlessDir(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	path := filepath.Join(dir, "sparse")
	writeFile(t, path, "")
	if err := os.Truncate(path, 1<<40); err != nil {
		t.Fatal(err)
	}
	return dir
}
