//go:build unix

package signals_test

import (
	"fmt"
	"slices"
	"strings"
	"syscall"
	"testing"
)

// inFlight is how many tasks run when the signal comes. At least as many wait: more than those, of
// the ones that run, which end by themselves make room for.
const inFlight = 1000

// workKind is a kind of work with the fates that are right for it. Any task may also have had no
// time to start.
type workKind struct {
	kind  string
	fates []string
}

// work is what the clients ask for in turn.
var work = []workKind{
	{"obeys", []string{cancelled}},
	{"finishes", []string{completed}},
	{"obeys", []string{cancelled}},
	{"fails", []string{failed, cancelled}}, // cancelled: it failed after it had been asked to end
	{"obeys", []string{cancelled}},
	{"panics", []string{panicked}},
	{"obeys", []string{cancelled}},
	{"times out", []string{timedOut, cancelled}},
	{"obeys", []string{cancelled}},
	{"hangs", []string{stuck}},
}

func TestNoTaskIsLostWhenASignalComesUnderLoad(t *testing.T) {
	for name, test := range map[string]struct {
		flags   []string
		hangs   bool // some of the tasks
		refuses bool // the server, while tasks are drained
		code    int
	}{
		"the server stops first": {flags: []string{"-shutdown-timeout=30s"}},
		"the server stops last":  {flags: []string{"-shutdown-timeout=30s", "-server-last"}, refuses: true},
		"tasks go on in a grace": {flags: []string{"-shutdown-timeout=30s", "-drain-grace=500ms", "-server-last"}, refuses: true},
		"tasks hang":             {flags: []string{"-shutdown-timeout=5s", "-server-last"}, hangs: true, refuses: true, code: 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			flags := append(test.flags, "-stop-timeout=1m", fmt.Sprintf("-max-running=%d", inFlight))
			kinds := work
			if !test.hangs {
				kinds = work[:len(work)-1]
			}
			l := startLoad(start(t, flags...), kinds)
			l.until("enough tasks are in flight", func() bool {
				c := l.counts()
				return c.Running == inFlight && c.Pending >= inFlight
			})
			l.signalled.Store(true)
			l.signal(syscall.SIGTERM)
			l.wantExit(test.code)
			l.clients.Wait()

			if began := l.log().saying("shutdown begins"); len(began) != 1 || began[0].Running+began[0].Pending < inFlight {
				t.Errorf("the drain began with %+v, want at least %d tasks", began, inFlight)
			}
			if refused := len(l.refused) > 0; refused != test.refuses {
				t.Errorf("%d requests were refused during the drain", len(l.refused))
			}
			l.checkFates()
			l.checkStore()
		})
	}
}

// checkFates checks that the log tells of each task how it ended, once, and nothing of those that
// were refused.
func (l *load) checkFates() {
	l.t.Helper()
	var wrong problems
	defer wrong.report(l.t)
	lines := l.log()
	for _, line := range lines {
		if l.refused[line.TaskID] {
			wrong.add("%s was answered 503, but there is a line %q about it", line.TaskID, line.Message)
		}
	}
	accounts := lines.accounts()
	never := make(map[string]int)
	for _, line := range lines.saying("task submitted") { // also those whose answers were lost
		switch n := len(accounts[line.TaskID]); n {
		case 0:
			never[line.TaskName]++
		case 1:
		default:
			wrong.add("%d lines account for %s, which was submitted, want 1", n, line.TaskID)
		}
	}
	seen := make(map[string]bool)
	for _, line := range lines.saying(neverStarted) {
		seen[neverStarted] = true
		for name, n := range line.ByName {
			never[name] -= n
		}
	}
	for name, n := range never {
		if n != 0 {
			wrong.add("%d more tasks %q have no line than the log says were never started", n, name)
		}
	}
	for id, w := range l.accepted {
		account := accounts[id]
		if len(account) == 0 {
			continue // it never started
		}
		if len(account) != 1 {
			wrong.add("%d lines account for %s, which was answered 202, want 1: %+v", len(account), id, account)
			continue
		}
		fate := account[0].Message
		seen[fate] = true
		if !slices.Contains(w.fates, fate) || account[0].TaskName != w.kind {
			wrong.add("of %s, which %s, the log says %+v", id, w.kind, account[0])
		}
		if fate == stuck && !strings.Contains(account[0].Stack, "main.hangsForEver") {
			wrong.add("the stack on which %s hangs is %q", id, account[0].Stack)
		}
	}
	for _, fate := range append(l.fates(), neverStarted) { // else this test has shown less than it says
		if !seen[fate] {
			wrong.add("of no task the log says %q", fate)
		}
	}
}
