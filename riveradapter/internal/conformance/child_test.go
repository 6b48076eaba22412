package conformance

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/riverqueue/river"
	"go.uber.org/fx"

	background "github.com/fxtasks/background"
	"github.com/fxtasks/background/riveradapter"
)

// childEnv makes this test binary a replica on the database that it names.
const childEnv = "RIVERADAPTER_CHILD"

// runChild works jobs, each of which says so and then runs until its context ends, or its text is gone.
func runChild(source string) {
	fx.New(
		fx.NopLogger,
		fx.Supply(quick("child")),
		background.Module,
		module(source),
		riveradapter.Worker[Job](func() river.Worker[Job] { return &childWorker{} }),
		fx.Invoke(func(lc fx.Lifecycle) {
			lc.Append(fx.StartHook(func() { fmt.Println("up") }))
		}),
	).Run()
}

type childWorker struct{ river.WorkerDefaults[Job] }

func (childWorker) Timeout(*river.Job[Job]) time.Duration { return time.Hour }

func (childWorker) Work(ctx context.Context, job *river.Job[Job]) error {
	fmt.Println("running", job.ID)
	if job.Args.Text == "sleep" {
		time.Sleep(4 * time.Second)
		fmt.Println("returns", job.ID)
		return nil
	}
	<-ctx.Done()
	fmt.Println("ended", job.ID, context.Cause(ctx))
	return ctx.Err()
}

// child is a replica in a process of its own, to be killed.
type child struct {
	t     *testing.T
	cmd   *exec.Cmd
	lines chan string
	heard []string // and not been asked for yet
}

func startChild(t *testing.T, source string) *child {
	t.Helper()
	c := &child{t: t, cmd: exec.Command(os.Args[0]), lines: make(chan string, 1000)}
	c.cmd.Env = append(os.Environ(), childEnv+"="+source)
	c.cmd.Stderr = os.Stderr
	out, err := c.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		for scan := bufio.NewScanner(out); scan.Scan(); {
			c.lines <- scan.Text()
		}
		close(c.lines)
	}()
	t.Cleanup(func() {
		_ = c.cmd.Process.Kill()
		_ = c.cmd.Wait()
		for range c.lines {
		}
	})
	c.says("up")
	return c
}

// says waits for a line that begins so, and gives it. Others may come before and after.
func (c *child) says(prefix string) string {
	c.t.Helper()
	for i, line := range c.heard {
		if strings.HasPrefix(line, prefix) {
			c.heard = slices.Delete(c.heard, i, i+1)
			return line
		}
	}
	for {
		line := receive(c.t, c.lines)
		switch {
		case strings.HasPrefix(line, prefix):
			return line
		case line == "":
			c.t.Fatalf("the child has ended without saying %q", prefix)
		}
		c.heard = append(c.heard, line)
	}
}
