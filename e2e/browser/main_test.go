// Package browser_test drives the quickstart as a user does: the real program, its dashboard in a
// real Chromium and, for the main flows, in a real Firefox. What a test looks for has a role, a name
// and a text, as for somebody who cannot see the page.
package browser_test

import (
	"flag"
	"fmt"
	"os"
	"testing"
	"time"

	"go.uber.org/goleak"
)

const patience = 40 * time.Second // with one condition, and with one command

var update = flag.Bool("update", false, "write the screenshots of the README")

func TestMain(m *testing.M) {
	flag.Parse()
	os.Exit(runAll(m))
}

func runAll(m *testing.M) (code int) {
	dir, err := os.MkdirTemp("", "e2e-browser-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	if err := build(dir); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer func() {
		if err := goleak.Find(); err != nil && code == 0 {
			fmt.Fprintln(os.Stderr, err)
			code = 1
		}
	}()
	for _, b := range browsers {
		stop, err := b.start(dir)
		if err != nil {
			fmt.Fprintf(os.Stderr, "start %s: %v\n", b.name, err)
			return 1
		}
		defer stop()
	}
	return m.Run()
}

// need skips what this machine lacks; where changes are decided on, nothing may be skipped.
func need(t *testing.T, there bool, what, install string) {
	t.Helper()
	switch {
	case there:
	case os.Getenv("CI") == "true":
		t.Fatalf("no %s here: %s", what, install)
	default:
		t.Skipf("no %s here: %s", what, install)
	}
}

// until polls for a condition.
func until(t *testing.T, what string, holds func() bool) {
	t.Helper()
	for deadline := time.After(patience); !holds(); {
		select {
		case <-time.After(20 * time.Millisecond):
		case <-deadline:
			t.Fatalf("waited in vain until %s", what)
		}
	}
}
