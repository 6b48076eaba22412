// Package size_test weighs what an application takes on with the module: a hello world with Fx and
// Echo, without and with it.
package size_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// TestHelloWorldGrowsByAFewPercent is about size alone, so it is the same on every run.
func TestHelloWorldGrowsByAFewPercent(t *testing.T) {
	t.Parallel()
	const most = 12.0 // percent; html/template alone would add 50
	bare, managed := sizeOf(t, "./bare"), sizeOf(t, "./managed")
	growth := 100 * float64(managed-bare) / float64(bare)
	t.Logf("hello world has %d bytes, and %d with background tasks, their API and the page: %.2f %% more", bare, managed, growth)
	if growth > most {
		t.Errorf("hello world grows by %.2f %%: must be at most %v %%; go tool nm -size -sort size shows what weighs", growth, most)
	}
}

// sizeOf builds a program without the race detector, whatever the test has, and without the path of the checkout,
// whose length would count.
func sizeOf(t *testing.T, program string) int64 {
	t.Helper()
	binary := filepath.Join(t.TempDir(), "program")
	if out, err := exec.Command("go", "build", "-trimpath", "-buildvcs=false", "-o", binary, program).CombinedOutput(); err != nil {
		t.Fatalf("%s: %v\n%s", program, err, out)
	}
	info, err := os.Stat(binary)
	if err != nil {
		t.Fatal(err)
	}
	return info.Size()
}
