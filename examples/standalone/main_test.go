package main

import (
	"context"
	"errors"
	"os"
	"strings"
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func Example() {
	if err := run(context.Background(), os.Stdout, 1_000_000); err != nil {
		panic(err)
	}
	// Output:
	// 78498 primes below 1000000
	// shutdown completed: of 1 active tasks 1 returned, 1 cancelled
}

func TestInterruptCancelsWhatRunsAndWhatWaits(t *testing.T) {
	ctx, interrupt := context.WithCancel(t.Context())
	interrupt()
	var out strings.Builder
	if err := run(ctx, &out, 1<<40); !errors.Is(err, context.Canceled) {
		t.Errorf("run gives %v, want the error of its ctx", err)
	}
	const want = "shutdown completed: of 9 active tasks 9 returned, 9 cancelled\n"
	if out.String() != want {
		t.Errorf("run prints %q, want %q", out.String(), want)
	}
}
