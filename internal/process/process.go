// Package process builds, runs and listens to the real programs of the tests of examples and end-to-end tests.
package process

import (
	"bytes"
	"fmt"
	"os/exec"
	"runtime/debug"
	"slices"
	"sync"
)

// Build builds the package, seen from the directory, as the file binary: with the race detector if the
// tests have it.
func Build(binary, dir, pkg string) error {
	cmd := exec.Command("go", "build", fmt.Sprintf("-race=%v", raceEnabled()), "-o", binary, pkg)
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%v: %w\n%s", cmd, err, out)
	}
	return nil
}

func raceEnabled() bool {
	info, ok := debug.ReadBuildInfo()
	return ok && slices.Contains(info.Settings, debug.BuildSetting{Key: "-race", Value: "true"})
}

// Output is what a program has written so far. It can be read while it is written.
type Output struct {
	mu  sync.Mutex // protects buf
	buf bytes.Buffer
}

// Write implements io.Writer.
func (o *Output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.buf.Write(p)
}

func (o *Output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.buf.String()
}
