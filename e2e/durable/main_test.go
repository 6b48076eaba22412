//go:build unix

// Package durable_test runs replicas of examples/durable as real processes on a real database, kills, stops,
// freezes and cuts them off, and then does the accounts: every job that was acknowledged has been done.
package durable_test

import (
	"flag"
	"testing"

	"github.com/fxtasks/background/internal/pgtest"
	"github.com/fxtasks/background/internal/process"
)

// binary is the program, built once for all tests.
var binary string

func TestMain(m *testing.M) {
	_ = flag.Set("test.parallel", "6") // most of them wait; there is such a flag
	process.Main(m, &binary, "../../examples", "./durable", pgtest.Stop)
}
