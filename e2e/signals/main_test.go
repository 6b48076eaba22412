//go:build unix

// Package signals_test stops a real application, of Fx and Echo, as its platform does: by signals,
// under load, with tasks that would not stop. What it relies on is the application's log, its
// answers and its exit code, as somebody who runs it does.
package signals_test

import (
	"testing"

	"github.com/fxtasks/background/internal/process"
)

// binary is the application, built once for all tests.
var binary string

func TestMain(m *testing.M) { process.Main(m, &binary, ".", "./server") }
