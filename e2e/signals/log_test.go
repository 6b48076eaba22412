//go:build unix

package signals_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
)

// line is one of the application's log.
type line struct {
	Level    string
	Message  string         `json:"msg"`
	TaskID   string         `json:"task_id"`
	TaskName string         `json:"task_name"`
	ByName   map[string]int `json:"by_name"`
	Stack    string
	Running  int
	Pending  int
	URL      string
}

type log []line

// log reads what the application has logged so far. All that it prints is to be log, in whole lines:
// a report of the race detector or a crash is not.
func (a *application) log() (lines log) {
	a.t.Helper()
	for text := range strings.Lines(a.output.String()) {
		if !strings.HasSuffix(text, "\n") {
			break // the rest of it is on its way
		}
		var l line
		if err := json.Unmarshal([]byte(text), &l); err != nil {
			a.t.Fatalf("no line of a log: %s", text)
		}
		lines = append(lines, l)
	}
	return lines
}

// saying gives the lines with the message.
func (ls log) saying(message string) (found log) {
	for _, l := range ls {
		if l.Message == message {
			found = append(found, l)
		}
	}
	return found
}

// What the log says of a task in the end: exactly one of these, or it is among those that never started.
const (
	completed    = "task completed"
	failed       = "task failed"
	panicked     = "task panicked"
	cancelled    = "task cut off by the shutdown"
	timedOut     = "task timed out"
	neverStarted = "pending tasks cancelled by the shutdown" // one line for all, with counts by name
	stuck        = "task still running"
)

var fates = []string{completed, failed, panicked, cancelled, timedOut, stuck}

// accounts are the lines about the fates of tasks, by ID.
func (ls log) accounts() map[string]log {
	found := make(map[string]log)
	for _, l := range ls {
		if slices.Contains(fates, l.Message) {
			found[l.TaskID] = append(found[l.TaskID], l)
		}
	}
	return found
}

// checkStore checks that what the tasks use was closed, once, after all tasks that could end, and
// that none of them found it closed.
func (a *application) checkStore() {
	a.t.Helper()
	var wrong problems
	defer wrong.report(a.t)
	closed := 0
	for _, l := range a.log() {
		switch {
		case l.Message == "store closed":
			closed++
		case closed > 0 && slices.Contains(fates, l.Message):
			wrong.add("the store was closed before the line about %s: %s", l.TaskID, l.Message)
		case l.Message == "store used after it was closed":
			wrong.add("%s used the store after it was closed", l.TaskID)
		}
	}
	if closed != 1 {
		wrong.add("the store was closed %d times, want once", closed)
	}
}

// problems can be many, and then are much alike.
type problems []string

func (p *problems) add(format string, args ...any) { *p = append(*p, fmt.Sprintf(format, args...)) }

func (p *problems) report(t *testing.T) {
	t.Helper()
	const most = 10
	for _, problem := range (*p)[:min(most, len(*p))] {
		t.Error(problem)
	}
	if more := len(*p) - most; more > 0 {
		t.Errorf("… and %d more problems", more)
	}
}
