package openapi_test

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/fxtasks/background/fxtasks"
	"github.com/fxtasks/background/fxtasks/fxtaskstest"
	"github.com/fxtasks/background/httpapi"
)

const (
	ogen        = "github.com/ogen-go/ogen/cmd/ogen@v1.24.0"
	oapiCodegen = "github.com/oapi-codegen/oapi-codegen/v2/cmd/oapi-codegen@v2.8.2"
)

// project is a folder with the document, in which generators and what they have made run.
type project struct {
	t   *testing.T
	dir string
	url string // of a running API
}

// newProject copies a folder of testdata, and starts an API with one task, which reports progress.
func newProject(t *testing.T, folder string) *project {
	t.Helper()
	m := fxtaskstest.New(t)
	api, err := httpapi.New(m, open)
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(http.StripPrefix(mount, api))
	t.Cleanup(server.Close)
	reported := make(chan struct{})
	task, err := m.Submit(context.Background(), "render", func(ctx context.Context) error {
		fxtasks.ReportProgress(ctx, fxtasks.Progress{Current: 1 << 52, Total: 1<<53 + 1})
		close(reported)
		<-ctx.Done()
		return context.Cause(ctx)
	}, fxtasks.WithID("a/b"))
	if err != nil {
		t.Fatal(err)
	}
	<-reported
	t.Cleanup(func() {
		task.Cancel(nil)
		<-task.Done()
	})

	p := &project{t, t.TempDir(), server.URL + mount}
	if err := os.CopyFS(p.dir, os.DirFS(filepath.Join("testdata", folder))); err != nil {
		t.Fatal(err)
	}
	w := httptest.NewRecorder()
	api.ServeHTTP(w, httptest.NewRequest("GET", "/openapi.json", nil))
	if err := os.WriteFile(filepath.Join(p.dir, "openapi.json"), w.Body.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	return p
}

// run runs a program in the project's folder.
func (p *project) run(name string, args ...string) {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.t.Context(), 5*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir = p.dir
	cmd.Env = append(os.Environ(), "GOWORK=off", "GOFLAGS=-mod=mod", "REDOCLY_TELEMETRY=off", "REDOCLY_SUPPRESS_UPDATE_NOTICE=true")
	if out, err := cmd.CombinedOutput(); err != nil {
		p.t.Fatalf("%v: %v\n%s", cmd, err, out[max(0, len(out)-4000):])
	}
}

// npm gives a program that `npm install` has put beside these tests.
func npm(t *testing.T, name string) string {
	t.Helper()
	path, err := filepath.Abs(filepath.Join("..", "node_modules", ".bin", name))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(path); errors.Is(err, os.ErrNotExist) {
		const install = "%s is missing: run `npm install --prefix e2e --no-package-lock`"
		if os.Getenv("CI") == "true" {
			t.Fatalf(install, name)
		}
		t.Skipf(install, name)
	}
	return path
}

func TestTheDocumentPassesTheRecommendedRules_ogen1617(t *testing.T) {
	redocly, spectral := npm(t, "redocly"), npm(t, "spectral")
	p := newProject(t, "rules")
	p.run(redocly, "lint", "--extends", "recommended", "--max-problems", "1", "openapi.json")
	p.run(spectral, "lint", "--fail-severity", "hint", "--ruleset", "spectral.yaml", "openapi.json")
}

func TestGoClients_ogen1617(t *testing.T) {
	p := newProject(t, "goclients")
	p.run("go", "run", ogen, "--target", "ogen", "--package", "ogen", "openapi.json")
	if err := os.Mkdir(filepath.Join(p.dir, "oapi"), 0o700); err != nil {
		t.Fatal(err)
	}
	p.run("go", "run", oapiCodegen, "-generate", "types,client", "-package", "oapi", "-o", "oapi/oapi.go", "openapi.json")
	generated, err := os.ReadFile(filepath.Join(p.dir, "oapi", "oapi.go"))
	if err != nil {
		t.Fatal(err)
	}
	if bytes.Contains(generated, []byte("float32")) {
		t.Error("seconds are float32: a number has no format")
	}
	p.run("go", "run", ".", p.url)
}

func TestATypeScriptClient(t *testing.T) {
	generator, compiler := npm(t, "openapi-typescript"), npm(t, "tsc")
	p := newProject(t, "tsclient")
	modules, err := filepath.Abs(filepath.Join("..", "node_modules"))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(modules, filepath.Join(p.dir, "node_modules")); err != nil {
		t.Fatal(err)
	}
	p.run(generator, "openapi.json", "-o", "api.d.ts")
	p.run(compiler, "--project", ".")
	p.run("node", "out/client.js", p.url)
}
