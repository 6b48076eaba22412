//go:build unix

// Package durable_test runs replicas of examples/durable as real processes on a real database, kills, stops,
// freezes and cuts them off, and then does the accounts: every job that was acknowledged has been done.
package durable_test

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"go.uber.org/goleak"

	"github.com/fxtasks/background/e2e/internal/process"
	"github.com/fxtasks/background/internal/pgtest"
)

// binary is the program, built once for all tests.
var binary string

func TestMain(m *testing.M) {
	_ = flag.Set("test.parallel", "6") // most of them wait; there is such a flag
	dir, err := os.MkdirTemp("", "e2e-durable-")
	if err == nil {
		binary = filepath.Join(dir, "durable")
		err = process.Build(binary, "../../examples", "./durable")
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		_ = os.RemoveAll(dir)
		os.Exit(1)
	}
	goleak.VerifyTestMain(m, goleak.Cleanup(func(code int) {
		pgtest.Stop()
		_ = os.RemoveAll(dir)
		os.Exit(code)
	}))
}
