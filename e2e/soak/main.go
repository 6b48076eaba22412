// Command soak does everything to managers that can be done to them, at random and for as long as
// asked, and watches whether they keep what their contract promises. From the root of the
// repository:
//
//	go run ./e2e/soak -for 60s
//
// It exits with 1 when a task was lost, something was leaked or a promise was broken, and says what
// was expected and what was seen. The seed that it prints repeats a run as far as scheduling allows.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/signal"
	"sync/atomic"
	"time"

	"github.com/fxtasks/background/e2e/soak/checks"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	context.AfterFunc(ctx, stop) // a second Ctrl-C does not wait for the report
	switch err := run(ctx, os.Args[1:], os.Stdout); {
	case errors.Is(err, flag.ErrHelp):
	case err != nil:
		fmt.Fprintln(os.Stderr, "soak:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string, out io.Writer) error {
	flags := flag.NewFlagSet("soak", flag.ContinueOnError)
	flags.SetOutput(out)
	length := flags.Duration("for", time.Minute, "how long to go on")
	seed := flags.Uint64("seed", uint64(rand.Uint32()), "repeats the random choices of a run")
	if err := flags.Parse(args); err != nil {
		return err
	}
	fmt.Fprintf(out, "soak -for %v -seed %d\n", *length, *seed)
	return soak(ctx, *length, *seed, out)
}

// still is how long nothing at all may go on before the watchdog takes it for a deadlock.
const still = 30 * time.Second

var errBroken = errors.New("a promise was broken")

// soak plays rounds until its time is over, one was bad, or ctx ends.
func soak(ctx context.Context, length time.Duration, seed uint64, out io.Writer) error {
	ctx, cancel := context.WithTimeout(ctx, length)
	defer cancel()
	t, findings := newTally(), new(checks.Findings)
	var current atomic.Pointer[settings]
	awake, sleep := context.WithCancel(context.Background())
	defer sleep()
	go watchdog(awake, t.beats.Load, still, func() {
		printFindings(out, current.Load(), findings)
		fmt.Fprintf(out, "%v\nnothing has gone on for %v; all goroutines:\n%s\n", current.Load(), still, stacks())
		os.Exit(1)
	})

	start := measure()
	for number := 1; number == 1 || ctx.Err() == nil && !findings.Any(); number++ {
		s := draw(seed, number)
		current.Store(&s)
		play(ctx, s, t, findings)
		if number == 1 {
			start.heap = measure().heap
		}
	}
	var end footprint
	eventually(func() bool { // a timer that has just fired has a goroutine for a moment
		end = measure()
		return end.goroutines <= start.goroutines
	})
	printFindings(out, current.Load(), findings)
	t.print(out, start, end)
	switch {
	case findings.Any():
		return errBroken
	case end.goroutines > start.goroutines:
		return fmt.Errorf("%d goroutines were leaked", end.goroutines-start.goroutines)
	case end.heap > start.heap+heapSlack:
		return fmt.Errorf("the heap has grown by %d KiB, want at most %d", (end.heap-start.heap)>>10, heapSlack>>10)
	}
	fmt.Fprintln(out, "verdict     every promise was kept")
	return nil
}

// printFindings tells what was found in the round of s, if anything was.
func printFindings(out io.Writer, s *settings, f *checks.Findings) {
	if !f.Any() {
		return
	}
	fmt.Fprintln(out, s)
	for _, found := range f.List() {
		fmt.Fprintln(out, " -", found)
	}
}
