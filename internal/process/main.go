package process

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"testing"

	"go.uber.org/goleak"
)

// Main is the TestMain of a package whose tests run a program: it builds the package pkg, seen from the
// directory dir, sets *binary to its path, runs the tests, and looks for leaks of goroutines. after is called
// then. Main does not return.
func Main(m *testing.M, binary *string, dir, pkg string, after ...func()) {
	temp, err := os.MkdirTemp("", "process-")
	if err == nil {
		*binary = filepath.Join(temp, filepath.Base(pkg))
		err = Build(*binary, dir, pkg)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		_ = os.RemoveAll(temp)
		os.Exit(1)
	}
	goleak.VerifyTestMain(closing{m}, goleak.Cleanup(func(code int) {
		for _, f := range after {
			f()
		}
		_ = os.RemoveAll(temp)
		os.Exit(code)
	}))
}

// closing closes the connections that the tests have left idle: they are no leak.
type closing struct{ m *testing.M }

func (c closing) Run() int {
	code := c.m.Run()
	http.DefaultClient.CloseIdleConnections()
	return code
}
