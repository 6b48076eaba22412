//go:build unix

package signals_test

import (
	"strings"
	"syscall"
	"testing"
)

// A task that hangs costs the drain's budget, which is the shorter of ShutdownTimeout and the stop
// timeout of Fx less StopReserve. The longer one is a minute here: an end before that is by the
// shorter one.
func TestATaskThatHangsIsNamedAndTheRestIsStopped(t *testing.T) {
	for name, test := range map[string]struct {
		flags []string
		cut   bool // ShutdownTimeout, by the stop timeout
	}{
		"StopTimeout is shorter than ShutdownTimeout": {[]string{"-stop-timeout=4s", "-shutdown-timeout=1m"}, true},
		"StopTimeout is equal to ShutdownTimeout":     {[]string{"-stop-timeout=4s", "-shutdown-timeout=4s"}, true},
		"StopTimeout is longer than ShutdownTimeout":  {[]string{"-stop-timeout=1m", "-shutdown-timeout=1s"}, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			const reserve = "-stop-reserve=2s" // more than the default: a busy machine is not what this is about
			a := start(t, append(test.flags, reserve)...)
			hangs, obeys := a.submit("hangs"), a.submit("obeys")
			a.signal(syscall.SIGTERM)
			a.wantExit(1)

			lines := a.log()
			accounts := lines.accounts()
			if account := accounts[hangs]; len(account) != 1 || account[0].Message != stuck || account[0].Level != "warn" ||
				!strings.Contains(account[0].Stack, "main.hangsForEver") {
				t.Errorf("of the task that hangs the log says %+v, want one warning with the stack", account)
			}
			if account := accounts[obeys]; len(account) != 1 || account[0].Message != cancelled {
				t.Errorf("of the other task the log says %+v", account)
			}
			a.checkStore()
			if cut := strings.Contains(a.output.String(), "fx.StopTimeout"); cut != test.cut {
				t.Errorf("a line that names fx.StopTimeout: %t, want %t", cut, test.cut)
			}
		})
	}
}
