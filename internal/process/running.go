package process

import (
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"
)

// Patience is how long tests wait for what comes much sooner.
const Patience = time.Minute

// Running is a program that a test has started.
type Running struct {
	Cmd            *exec.Cmd
	Stdout, Stderr Output

	t      *testing.T
	exited chan struct{} // closed when it has, and all of its output is here
}

// Start starts the program, and keeps its output. It is killed at the end of the test, unless it has exited.
func Start(t *testing.T, cmd *exec.Cmd) *Running {
	t.Helper()
	r := &Running{Cmd: cmd, t: t, exited: make(chan struct{})}
	r.Cmd.Stdout, r.Cmd.Stderr = &r.Stdout, &r.Stderr
	if err := r.Cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		defer close(r.exited)
		_ = r.Cmd.Wait() // ProcessState tells
	}()
	t.Cleanup(func() {
		_ = r.Cmd.Process.Kill() // an error: it has exited
		<-r.exited
		if t.Failed() {
			log := r.Stderr.String()
			t.Logf("the log of %s ends:\n%s", filepath.Base(cmd.Path), log[max(0, len(log)-5000):])
		}
	})
	return r
}

// Until polls for a condition. The test fails if the program exits meanwhile.
func (r *Running) Until(what string, holds func() bool) {
	r.t.Helper()
	for deadline := time.After(Patience); !holds(); {
		select {
		case <-time.After(10 * time.Millisecond):
		case <-r.exited:
			r.t.Fatalf("%s exited while the test waited until %s", filepath.Base(r.Cmd.Path), what)
		case <-deadline:
			r.t.Fatalf("the test waited in vain until %s", what)
		}
	}
}

// ExitCode waits for the program to exit.
func (r *Running) ExitCode() int {
	r.t.Helper()
	select {
	case <-r.exited:
	case <-time.After(Patience):
		r.t.Fatalf("%s does not exit", filepath.Base(r.Cmd.Path))
	}
	return r.Cmd.ProcessState.ExitCode()
}

// Stop ends the program as its platform does, and wants it to exit with 0.
func (r *Running) Stop() {
	r.t.Helper()
	if err := r.Cmd.Process.Signal(syscall.SIGTERM); err != nil {
		r.t.Fatal(err)
	}
	if code := r.ExitCode(); code != 0 {
		r.t.Errorf("exit code of %s is %d, want 0", filepath.Base(r.Cmd.Path), code)
	}
}
