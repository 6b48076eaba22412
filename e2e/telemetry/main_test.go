//go:build unix

// Package telemetry_test runs examples/observability as a real process under load, with a real Prometheus that
// scrapes it, and holds docs/grafana.json and docs/alerts.yaml to what they show.
package telemetry_test

import (
	"testing"

	"github.com/fxtasks/background/internal/process"
)

// binary is the example, built once for all tests.
var binary string

func TestMain(m *testing.M) { process.Main(m, &binary, "../../examples", "./observability") }
