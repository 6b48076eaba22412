//go:build unix

// Package signals_test stops a real application, of Fx and Echo, as its platform does: by signals,
// under load, with tasks that would not stop. What it relies on is the application's log, its
// answers and its exit code, as somebody who runs it does.
package signals_test

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"go.uber.org/goleak"

	"github.com/fxtasks/background/e2e/internal/process"
)

// binary is the application, built once for all tests.
var binary string

func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "e2e-signals-")
	if err == nil {
		err = build(dir)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		_ = os.RemoveAll(dir)
		os.Exit(1)
	}
	goleak.VerifyTestMain(m, goleak.Cleanup(func(code int) {
		_ = os.RemoveAll(dir)
		os.Exit(code)
	}))
}

func build(dir string) error {
	binary = filepath.Join(dir, "server")
	return process.Build(binary, ".", "./server")
}
