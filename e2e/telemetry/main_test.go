//go:build unix

// Package telemetry_test runs examples/observability as a real process under load, with a real Prometheus that
// scrapes it, and holds docs/grafana.json and docs/alerts.yaml to what they show.
package telemetry_test

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"go.uber.org/goleak"

	"github.com/fxtasks/background/e2e/internal/process"
)

// binary is the example, built once for all tests.
var binary string

func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "e2e-telemetry-")
	if err == nil {
		binary = filepath.Join(dir, "observability")
		err = process.Build(binary, "../../examples", "./observability")
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
