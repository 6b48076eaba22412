//go:build unix

// Package signals_test stops a real application, of Fx and Echo, as its platform does: by signals,
// under load, with tasks that would not stop. What it relies on is the application's log, its
// answers and its exit code, as somebody who runs it does.
package signals_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime/debug"
	"slices"
	"testing"

	"go.uber.org/goleak"
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
	cmd := exec.Command("go", "build", fmt.Sprintf("-race=%v", raceEnabled()), "-o", binary, "./server")
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%v: %w\n%s", cmd, err, out)
	}
	return nil
}

// raceEnabled says whether the tests run with -race: then the application shall, too.
func raceEnabled() bool {
	info, ok := debug.ReadBuildInfo()
	return ok && slices.Contains(info.Settings, debug.BuildSetting{Key: "-race", Value: "true"})
}
