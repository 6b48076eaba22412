// Standalone is the engine by itself, without Fx and Echo: a group of tasks counts prime numbers
// while another task says how far they are. All of it is shut down at the end, or on Ctrl-C.
//
//	go run ./examples/standalone
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/fxtasks/background/fxtasks"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Stdout, 20_000_000)
	stop()
	if err != nil {
		log.Fatal(err)
	}
}

// run counts the primes below limit, and leaves nothing running.
func run(ctx context.Context, out io.Writer, limit int) error {
	tasks, err := fxtasks.New(fxtasks.Config{ShutdownTimeout: 5 * time.Second})
	if err != nil {
		return err
	}
	total, countErr := count(ctx, tasks, limit)
	if countErr == nil {
		fmt.Fprintf(out, "%d primes below %d\n", total, limit)
	}
	report, err := tasks.Shutdown(context.Background()) // not with ctx, which Ctrl-C has ended
	fmt.Fprintf(out, "shutdown %s: of %d active tasks %d returned, %d cancelled\n",
		report.Status, report.Initial, report.Returned, report.Cancelled)
	return errors.Join(countErr, err)
}

func count(ctx context.Context, tasks *fxtasks.Manager, limit int) (total int, err error) {
	const parts = 8
	group, err := tasks.Group("primes", fxtasks.GroupConfig{MaxRunning: 2}) // the other parts wait their turn
	if err != nil {
		return 0, err
	}
	// This one belongs to no group and ends with the manager.
	_, err = tasks.Submit(ctx, "watch", func(ctx context.Context) error {
		for {
			select {
			case <-time.After(time.Second):
				log.Printf("%d of %d parts counted", group.Stats().Completed, parts)
			case <-ctx.Done():
				return context.Cause(ctx)
			}
		}
	})
	if err != nil {
		return 0, err
	}
	var counts []*fxtasks.Result[int]
	for i := range parts {
		c, err := fxtasks.SubmitResult(ctx, group, "count-primes", func(ctx context.Context) (int, error) {
			return primes(ctx, limit/parts*i, limit/parts*(i+1))
		})
		if err != nil {
			return 0, err
		}
		counts = append(counts, c)
	}
	if err := group.Wait(ctx); err != nil {
		return 0, fmt.Errorf("interrupted: %w", err)
	}
	for _, c := range counts {
		n, err := c.Value(ctx)
		if err != nil {
			return 0, err
		}
		total += n
	}
	return total, nil
}

// primes counts the primes from low to below high, and gives up when ctx ends.
func primes(ctx context.Context, low, high int) (n int, err error) {
	for i := max(low, 2); i < high; i++ {
		if i%1000 == 0 && ctx.Err() != nil {
			return n, context.Cause(ctx)
		}
		if isPrime(i) {
			n++
		}
	}
	return n, nil
}

func isPrime(n int) bool {
	for d := 2; d*d <= n; d++ {
		if n%d == 0 {
			return false
		}
	}
	return true
}
