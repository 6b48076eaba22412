//go:build unix

package signals_test

import (
	"syscall"
	"testing"
)

// patient are flags of an application that gives its tasks more time than any test takes.
var patient = []string{"-stop-timeout=2m", "-shutdown-timeout=1m", "-drain-grace=1m"}

// Fx acts on the first signal and ignores all that come while its hooks run: a platform, or a user
// at a terminal, who asks again does not cut the drain short. What does is SIGKILL. Only when all
// hooks have run does a signal kill, as it kills any process that does not listen.
func TestASecondSignalDoesNotCutTheDrainShort(t *testing.T) {
	for name, signal := range map[string]syscall.Signal{"SIGTERM": syscall.SIGTERM, "SIGINT": syscall.SIGINT} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a := start(t, patient...)
			works := a.submit("works")
			a.signal(signal)
			a.waitForLines("shutdown begins", 1)
			for range 2 {
				a.signal(signal)
				const more = 5 // signs of life, by when the signal has long arrived
				a.waitForLines("still at work", len(a.log().saying("still at work"))+more)
			}
			if err := a.stdin.Close(); err != nil { // now the task is done
				t.Error(err)
			}
			a.wantExit(0)
			if account := a.log().accounts()[works]; len(account) != 1 || account[0].Message != completed {
				t.Errorf("of the task the log says %+v, want that it completed", account)
			}
			a.checkStore()
		})
	}
}

// ... nor does it keep the application from ending as it would have ended.
func TestASecondSignalDoesNotChangeTheEndOfATaskThatHangs(t *testing.T) {
	t.Parallel()
	a := start(t, "-stop-timeout=1m", "-shutdown-timeout=2s")
	hangs := a.submit("hangs")
	a.signal(syscall.SIGTERM)
	a.waitForLines("shutdown begins", 1)
	a.signal(syscall.SIGTERM)
	a.wantExit(1)
	if account := a.log().accounts()[hangs]; len(account) != 1 || account[0].Message != stuck {
		t.Errorf("of the task the log says %+v, want that it is stuck", account)
	}
	a.checkStore()
}

func TestASignalEndsAnApplicationThatHasNothingToDrain(t *testing.T) {
	for name, signal := range map[string]syscall.Signal{"SIGTERM": syscall.SIGTERM, "SIGINT": syscall.SIGINT} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a := start(t, patient...)
			a.signal(signal)
			a.wantExit(0)
			if n := len(a.log().saying("shutdown over")); n != 1 {
				t.Errorf("%d lines say that the shutdown is over, want 1", n)
			}
			for _, l := range a.log() {
				if l.Level != "info" {
					t.Errorf("the log complains: %+v", l)
				}
			}
			a.checkStore()
		})
	}
}
